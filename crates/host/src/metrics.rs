//! The host's instruments. Each is recorded once and appears both in OTLP and on `/metrics`.
//!
//! What is measured of one request leads to its trace by exemplars. What the host measures of itself has none: an instance, for one,
//! is made before it is given a request.

use std::collections::HashMap;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use opentelemetry::metrics::{Counter, Histogram, Meter, UpDownCounter};
use opentelemetry::trace::SpanContext;
use opentelemetry::{KeyValue, StringValue};
use spinfo_names::attribute::key;
use spinfo_names::metric;
use spinfo_names::values::{CacheResult, RejectionReason, ReloadResult, TrapKind};
use spinfo_telemetry::instruments::{counter, histogram, observe, up_down_counter};
use spinfo_telemetry::{Telemetry, exemplars};
use wasmtime::Cache;

use crate::revision::Revision;

/// All instruments of the host.
pub(crate) struct Metrics {
    pub(crate) request_duration: exemplars::Histogram<f64>,
    pub(crate) active_requests: UpDownCounter<i64>,
    pub(crate) request_body_size: exemplars::Histogram<u64>,
    pub(crate) response_body_size: exemplars::Histogram<u64>,
    pub(crate) queue_depth: UpDownCounter<i64>,
    rejections: Counter<u64>,
    connections: UpDownCounter<i64>,
    instances_live: UpDownCounter<i64>,
    instances_created: Counter<u64>,
    instances_reused: Counter<u64>,
    instantiation: Histogram<f64>,
    traps: exemplars::Counter,
    outbound_denied: Counter<u64>,
    reloads: Counter<u64>,
    live: AtomicI64,
    components: Components,
    /// The attributes of what is served.
    revision: Arc<Mutex<Vec<KeyValue>>>,
}

/// By id, as long as somebody has such a component: versions of an application share them.
type Components = Arc<Mutex<HashMap<Arc<str>, Weak<ComponentMetrics>>>>;

/// What is measured of one component.
pub(crate) struct ComponentMetrics {
    /// Built once.
    attributes: [KeyValue; 1],
    /// The most memory that an instance of it used.
    high_water: AtomicU64,
}

impl Metrics {
    pub(crate) fn new(telemetry: &Telemetry) -> Self {
        let meter = &telemetry.meter();
        let components = Components::default();
        observe_high_water(meter, &components);
        let revision = Arc::default();
        observe_revision(meter, &revision);
        let reloads = counter(meter, &metric::RELOADS);
        // A series that begins with its first event hides that event from rates.
        for result in ReloadResult::ALL {
            reloads.add(0, &[KeyValue::new(key::RELOAD_RESULT, result.as_str())]);
        }
        Self {
            request_duration: telemetry.f64_histogram(&metric::HTTP_SERVER_REQUEST_DURATION),
            active_requests: up_down_counter(meter, &metric::HTTP_SERVER_ACTIVE_REQUESTS),
            request_body_size: telemetry.u64_histogram(&metric::HTTP_SERVER_REQUEST_BODY_SIZE),
            response_body_size: telemetry.u64_histogram(&metric::HTTP_SERVER_RESPONSE_BODY_SIZE),
            queue_depth: up_down_counter(meter, &metric::QUEUE_DEPTH),
            rejections: counter(meter, &metric::REJECTIONS),
            connections: up_down_counter(meter, &metric::CONNECTIONS),
            instances_live: up_down_counter(meter, &metric::INSTANCES_LIVE),
            instances_created: counter(meter, &metric::INSTANCES_CREATED),
            instances_reused: counter(meter, &metric::INSTANCES_REUSED),
            instantiation: histogram(meter, &metric::INSTANTIATION_DURATION),
            traps: telemetry.u64_counter(&metric::TRAPS),
            outbound_denied: counter(meter, &metric::OUTBOUND_DENIED),
            reloads,
            live: AtomicI64::new(0),
            components,
            revision,
        }
    }

    /// What is measured of a component; the same for all who ask for the same id.
    pub(crate) fn component(&self, id: &Arc<str>) -> Arc<ComponentMetrics> {
        let mut components = lock(&self.components);
        if let Some(known) = components.get(id).and_then(Weak::upgrade) {
            return known;
        }
        components.retain(|_, component| component.strong_count() > 0);
        let fresh = Arc::new(ComponentMetrics {
            attributes: [KeyValue::new(key::COMPONENT, StringValue::from(id.clone()))],
            high_water: AtomicU64::new(0),
        });
        components.insert(id.clone(), Arc::downgrade(&fresh));
        fresh
    }

    /// From now on this version is served.
    pub(crate) fn serves(&self, revision: &Revision) {
        *lock(&self.revision) = vec![
            KeyValue::new(key::APP_REVISION, StringValue::from(revision.short.clone())),
            KeyValue::new(key::APP_GENERATION, revision.generation.cast_signed()),
        ];
    }

    pub(crate) fn reloaded(&self, result: ReloadResult) {
        self.reloads
            .add(1, &[KeyValue::new(key::RELOAD_RESULT, result.as_str())]);
    }

    pub(crate) fn instance_created(&self, component: &ComponentMetrics, took: Duration) {
        self.live.fetch_add(1, Ordering::Relaxed);
        self.instances_live.add(1, &component.attributes);
        self.instances_created.add(1, &component.attributes);
        self.instantiation
            .record(took.as_secs_f64(), &component.attributes);
    }

    pub(crate) fn instance_reused(&self, component: &ComponentMetrics) {
        self.instances_reused.add(1, &component.attributes);
    }

    pub(crate) fn instance_dropped(&self, component: &ComponentMetrics, memory: usize) {
        self.live.fetch_sub(1, Ordering::Relaxed);
        self.instances_live.add(-1, &component.attributes);
        component
            .high_water
            .fetch_max(memory as u64, Ordering::Relaxed);
    }

    /// Instances that exist now, of all components.
    pub(crate) fn live_instances(&self) -> i64 {
        self.live.load(Ordering::Relaxed)
    }

    /// `span` is the one that the guest's spans are children of.
    pub(crate) fn trapped(&self, component: &ComponentMetrics, kind: TrapKind, span: &SpanContext) {
        let [component] = &component.attributes;
        self.traps.add(
            1,
            &[
                component.clone(),
                KeyValue::new(key::TRAP_KIND, kind.as_str()),
            ],
            Some(span),
        );
    }

    pub(crate) fn outbound_denied(&self, component: &ComponentMetrics) {
        self.outbound_denied.add(1, &component.attributes);
    }

    pub(crate) fn rejected(&self, reason: RejectionReason) {
        let reason = KeyValue::new(key::REJECTION_REASON, reason.as_str());
        self.rejections.add(1, &[reason]);
    }

    pub(crate) fn connection_opened(&self) {
        self.connections.add(1, &[]);
    }

    pub(crate) fn connection_closed(&self) {
        self.connections.add(-1, &[]);
    }
}

/// Nothing that holds such a lock can panic.
fn lock<T>(values: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    values.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Reports how often the compile cache had what a component needed.
pub(crate) fn observe_cache(meter: &Meter, cache: Cache) {
    observe(meter, &metric::COMPILE_CACHE_LOOKUPS, move |observer| {
        for (result, count) in [
            (CacheResult::Hit, cache.cache_hits()),
            (CacheResult::Miss, cache.cache_misses()),
        ] {
            let result = KeyValue::new(key::CACHE_RESULT, result.as_str());
            observer.observe(count as u64, &[result]);
        }
    });
}

fn observe_high_water(meter: &Meter, components: &Components) {
    let components = components.clone();
    observe(meter, &metric::MEMORY_HIGH_WATER, move |observer| {
        for component in lock(&components).values().filter_map(Weak::upgrade) {
            let high_water = component.high_water.load(Ordering::Relaxed);
            observer.observe(high_water, &component.attributes);
        }
    });
}

/// A gauge that is always 1: what it tells is in its attributes.
fn observe_revision(meter: &Meter, revision: &Arc<Mutex<Vec<KeyValue>>>) {
    let revision = revision.clone();
    observe(meter, &metric::APP_INFO, move |observer| {
        let attributes = lock(&revision);
        if !attributes.is_empty() {
            observer.observe(1, &attributes);
        }
    });
}
