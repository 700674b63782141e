//! The instruments that a program records with.

use std::sync::Arc;

use opentelemetry::metrics::{self, Meter};
use opentelemetry::trace::SpanContext;
use opentelemetry::{InstrumentationScope, KeyValue};
use spinfo_names::Metric;

use super::slots::Slots;
use super::{Exemplars, Kind, Stream};
use crate::instruments;

/// Where instruments are made: a meter, its scope, and the place of the exemplars.
pub(crate) struct Place<'a> {
    pub(crate) meter: &'a Meter,
    pub(crate) scope: &'a InstrumentationScope,
    pub(crate) exemplars: &'a Exemplars,
}

impl Place<'_> {
    fn slots(&self, kind: Kind, metric: &Metric) -> Option<Arc<Slots>> {
        let stream = Stream::new(self.scope.clone(), kind, metric);
        // A counter has no bounds: one slot.
        self.exemplars.slots(stream, metric.buckets())
    }
}

/// A histogram each bucket of which leads to a trace.
#[derive(Clone, Debug)]
pub struct Histogram<T> {
    sdk: metrics::Histogram<T>,
    slots: Option<Arc<Slots>>,
    /// The number by which a bucket is chosen.
    float: fn(T) -> f64,
}

impl<T: Copy> Histogram<T> {
    /// Counts `value` in the series of `attributes`. `context` is the span within which it was measured, which becomes the bucket's
    /// exemplar when the filter lets it; `None` is the same as a span that is not sampled.
    pub fn record(&self, value: T, attributes: &[KeyValue], context: Option<&SpanContext>) {
        self.sdk.record(value, attributes);
        if let Some(slots) = &self.slots {
            slots.offer((self.float)(value), attributes, context);
        }
    }
}

impl Histogram<f64> {
    pub(crate) fn f64(place: &Place<'_>, metric: &Metric) -> Self {
        let sdk = place.meter.f64_histogram(metric.name);
        Self {
            sdk: sdk
                .with_unit(metric.unit)
                .with_description(metric.help)
                .with_boundaries(metric.buckets().to_vec())
                .build(),
            slots: place.slots(Kind::F64Histogram, metric),
            float: |value| value,
        }
    }
}

impl Histogram<u64> {
    pub(crate) fn u64(place: &Place<'_>, metric: &Metric) -> Self {
        let sdk = place.meter.u64_histogram(metric.name);
        Self {
            sdk: sdk
                .with_unit(metric.unit)
                .with_description(metric.help)
                .with_boundaries(metric.buckets().to_vec())
                .build(),
            slots: place.slots(Kind::U64Histogram, metric),
            float: |value| value as f64,
        }
    }
}

/// A counter each series of which leads to the trace of its last addition.
#[derive(Clone, Debug)]
pub struct Counter {
    sdk: metrics::Counter<u64>,
    slots: Option<Arc<Slots>>,
}

impl Counter {
    pub(crate) fn u64(place: &Place<'_>, metric: &Metric) -> Self {
        Self {
            sdk: instruments::counter(place.meter, metric),
            slots: place.slots(Kind::U64Counter, metric),
        }
    }

    /// Adds `value` to the series of `attributes`; `context` as for [`Histogram::record`].
    pub fn add(&self, value: u64, attributes: &[KeyValue], context: Option<&SpanContext>) {
        self.sdk.add(value, attributes);
        if let Some(slots) = &self.slots {
            slots.offer(value as f64, attributes, context);
        }
    }
}
