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
use spinfo_telemetry::Telemetry;
use spinfo_telemetry::exemplars::{self, Instrument};
use spinfo_telemetry::names::{self, metric};
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
        let reloads = counter(
            meter,
            metric::RELOADS,
            "{reload}",
            "Reloads of the application.",
        );
        // A series that begins with its first event hides that event from rates.
        for result in ["ok", "refused"] {
            reloads.add(0, &[KeyValue::new(names::RELOAD_RESULT, result)]);
        }
        Self {
            request_duration: telemetry.f64_histogram(
                Instrument {
                    name: metric::HTTP_SERVER_REQUEST_DURATION,
                    unit: "s",
                    description: "Duration of HTTP server requests, until the last byte of the response.",
                },
                &names::DURATION_BUCKETS,
            ),
            active_requests: meter
                .i64_up_down_counter(metric::HTTP_SERVER_ACTIVE_REQUESTS)
                .with_unit("{request}")
                .with_description("Requests under way.")
                .build(),
            request_body_size: size_histogram(
                telemetry,
                metric::HTTP_SERVER_REQUEST_BODY_SIZE,
                "Size of HTTP request bodies as read by the host.",
            ),
            response_body_size: size_histogram(
                telemetry,
                metric::HTTP_SERVER_RESPONSE_BODY_SIZE,
                "Size of HTTP response bodies as sent.",
            ),
            queue_depth: meter
                .i64_up_down_counter(metric::QUEUE_DEPTH)
                .with_unit("{request}")
                .with_description("Requests that wait for a free slot.")
                .build(),
            rejections: counter(
                meter,
                metric::REJECTIONS,
                "{request}",
                "Requests turned away before they ran.",
            ),
            connections: meter
                .i64_up_down_counter(metric::CONNECTIONS)
                .with_unit("{connection}")
                .with_description("Open client connections.")
                .build(),
            instances_live: meter
                .i64_up_down_counter(metric::INSTANCES_LIVE)
                .with_unit("{instance}")
                .with_description("Instances of components that exist now.")
                .build(),
            instances_created: counter(
                meter,
                metric::INSTANCES_CREATED,
                "{instance}",
                "Instances created.",
            ),
            instances_reused: counter(
                meter,
                metric::INSTANCES_REUSED,
                "{request}",
                "Requests served by an instance that had served others before.",
            ),
            instantiation: meter
                .f64_histogram(metric::INSTANTIATION_DURATION)
                .with_unit("s")
                .with_description("Time to make a new instance.")
                .with_boundaries(names::SHORT_DURATION_BUCKETS.to_vec())
                .build(),
            traps: telemetry.u64_counter(Instrument {
                name: metric::TRAPS,
                unit: "{trap}",
                description: "Traps of guests.",
            }),
            outbound_denied: counter(
                meter,
                metric::OUTBOUND_DENIED,
                "{request}",
                "Requests of guests to hosts that the manifest does not allow.",
            ),
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
            attributes: [KeyValue::new(
                names::COMPONENT,
                StringValue::from(id.clone()),
            )],
            high_water: AtomicU64::new(0),
        });
        components.insert(id.clone(), Arc::downgrade(&fresh));
        fresh
    }

    /// From now on this version is served.
    pub(crate) fn serves(&self, revision: &Revision) {
        *lock(&self.revision) = vec![
            KeyValue::new(
                names::APP_REVISION,
                StringValue::from(revision.short.clone()),
            ),
            KeyValue::new(names::APP_GENERATION, revision.generation.cast_signed()),
        ];
    }

    /// `result` is `ok` or `refused`.
    pub(crate) fn reloaded(&self, result: &'static str) {
        self.reloads
            .add(1, &[KeyValue::new(names::RELOAD_RESULT, result)]);
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
    pub(crate) fn trapped(
        &self,
        component: &ComponentMetrics,
        kind: &'static str,
        span: &SpanContext,
    ) {
        let [component] = &component.attributes;
        self.traps.add(
            1,
            &[component.clone(), KeyValue::new(names::TRAP_KIND, kind)],
            Some(span),
        );
    }

    pub(crate) fn outbound_denied(&self, component: &ComponentMetrics) {
        self.outbound_denied.add(1, &component.attributes);
    }

    pub(crate) fn rejected(&self, reason: &'static str) {
        self.rejections
            .add(1, &[KeyValue::new(names::REJECTION_REASON, reason)]);
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

fn counter(
    meter: &Meter,
    name: &'static str,
    unit: &'static str,
    description: &'static str,
) -> Counter<u64> {
    meter
        .u64_counter(name)
        .with_unit(unit)
        .with_description(description)
        .build()
}

fn size_histogram(
    telemetry: &Telemetry,
    name: &'static str,
    description: &'static str,
) -> exemplars::Histogram<u64> {
    let instrument = Instrument {
        name,
        unit: "By",
        description,
    };
    telemetry.u64_histogram(instrument, &names::SIZE_BUCKETS)
}

/// Reports how often the compile cache had what a component needed.
pub(crate) fn observe_cache(meter: &Meter, cache: Cache) {
    meter
        .u64_observable_counter(metric::COMPILE_CACHE_LOOKUPS)
        .with_unit("{lookup}")
        .with_description("Look-ups in the cache of compiled code.")
        .with_callback(move |observer| {
            for (result, count) in [("hit", cache.cache_hits()), ("miss", cache.cache_misses())] {
                observer.observe(count as u64, &[KeyValue::new(names::CACHE_RESULT, result)]);
            }
        })
        .build();
}

fn observe_high_water(meter: &Meter, components: &Components) {
    let components = components.clone();
    meter
        .u64_observable_gauge(metric::MEMORY_HIGH_WATER)
        .with_unit("By")
        .with_description("Most linear memory that an instance of the component has used.")
        .with_callback(move |observer| {
            for component in lock(&components).values().filter_map(Weak::upgrade) {
                let high_water = component.high_water.load(Ordering::Relaxed);
                observer.observe(high_water, &component.attributes);
            }
        })
        .build();
}

/// A gauge that is always 1: what it tells is in its attributes.
fn observe_revision(meter: &Meter, revision: &Arc<Mutex<Vec<KeyValue>>>) {
    let revision = revision.clone();
    meter
        .u64_observable_gauge(metric::APP_INFO)
        .with_unit("{version}")
        .with_description("The version of the application that is served.")
        .with_callback(move |observer| {
            let attributes = lock(&revision);
            if !attributes.is_empty() {
                observer.observe(1, &attributes);
            }
        })
        .build();
}
