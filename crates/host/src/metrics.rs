//! The host's instruments. Each is recorded once and appears both in OTLP and on `/metrics`.
//!
//! What is measured of one request leads to its trace by exemplars. What the host measures of itself has none: an instance, for one,
//! is made before it is given a request.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::Duration;

use opentelemetry::metrics::{Counter, Histogram, Meter, UpDownCounter};
use opentelemetry::trace::SpanContext;
use opentelemetry::{KeyValue, StringValue};
use spinfo_telemetry::Telemetry;
use spinfo_telemetry::exemplars::{self, Instrument};
use spinfo_telemetry::names::{self, metric};
use wasmtime::Cache;

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
    live: AtomicI64,
    /// By component: its attributes, built once, and the most memory that an instance of it used.
    components: HashMap<Arc<str>, ComponentValues>,
}

struct ComponentValues {
    attributes: [KeyValue; 1],
    high_water: Arc<AtomicU64>,
}

impl Metrics {
    pub(crate) fn new(telemetry: &Telemetry, components: impl Iterator<Item = Arc<str>>) -> Self {
        let meter = &telemetry.meter();
        let components: HashMap<_, _> = components
            .map(|id| {
                let attributes = [KeyValue::new(
                    names::COMPONENT,
                    StringValue::from(id.clone()),
                )];
                (
                    id,
                    ComponentValues {
                        attributes,
                        high_water: Arc::default(),
                    },
                )
            })
            .collect();
        observe_high_water(meter, &components);
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
            live: AtomicI64::new(0),
            components,
        }
    }

    pub(crate) fn instance_created(&self, component: &str, took: Duration) {
        self.live.fetch_add(1, Ordering::Relaxed);
        let attributes = self.attributes(component);
        self.instances_live.add(1, attributes);
        self.instances_created.add(1, attributes);
        self.instantiation.record(took.as_secs_f64(), attributes);
    }

    pub(crate) fn instance_reused(&self, component: &str) {
        self.instances_reused.add(1, self.attributes(component));
    }

    pub(crate) fn instance_dropped(&self, component: &str, memory: usize) {
        self.live.fetch_sub(1, Ordering::Relaxed);
        self.instances_live.add(-1, self.attributes(component));
        if let Some(values) = self.components.get(component) {
            values
                .high_water
                .fetch_max(memory as u64, Ordering::Relaxed);
        }
    }

    /// Instances that exist now, of all components.
    pub(crate) fn live_instances(&self) -> i64 {
        self.live.load(Ordering::Relaxed)
    }

    /// `span` is the one that the guest's spans are children of.
    pub(crate) fn trapped(&self, component: &str, kind: &'static str, span: &SpanContext) {
        let [component] = self.attributes(component) else {
            return;
        };
        self.traps.add(
            1,
            &[component.clone(), KeyValue::new(names::TRAP_KIND, kind)],
            Some(span),
        );
    }

    pub(crate) fn outbound_denied(&self, component: &str) {
        self.outbound_denied.add(1, self.attributes(component));
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

    fn attributes(&self, component: &str) -> &[KeyValue] {
        self.components
            .get(component)
            .map_or(&[], |values| &values.attributes)
    }
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

fn observe_high_water(meter: &Meter, components: &HashMap<Arc<str>, ComponentValues>) {
    let values: Vec<_> = components
        .values()
        .map(|c| (c.attributes.clone(), c.high_water.clone()))
        .collect();
    meter
        .u64_observable_gauge(metric::MEMORY_HIGH_WATER)
        .with_unit("By")
        .with_description("Most linear memory that an instance of the component has used.")
        .with_callback(move |observer| {
            for (attributes, high_water) in &values {
                observer.observe(high_water.load(Ordering::Relaxed), attributes);
            }
        })
        .build();
}
