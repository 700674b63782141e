//! The slots of one instrument: one for each bucket of each series.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use opentelemetry::KeyValue;
use opentelemetry::trace::SpanContext;

use super::snapshot::Copied;
use super::{Exemplar, ExemplarFilter, Stream};

/// Most series of one instrument that keep exemplars: the SDK's own limit, beyond which it puts measurements into the series
/// `otel.metric.overflow`. That one has no exemplars, since only the SDK knows which measurements went into it.
pub const SERIES_LIMIT: usize = 2000;

#[derive(Debug)]
pub(crate) struct Slots {
    pub(super) stream: Stream,
    filter: ExemplarFilter,
    /// The upper bounds of all buckets but the last.
    bounds: Box<[f64]>,
    known: RwLock<Known>,
}

#[derive(Debug, Default)]
struct Known {
    /// By the attributes as the series' first measurement gave them, and in their canonical order. A program always gives them in one
    /// order, and then nothing is sorted.
    by_attributes: HashMap<Arc<[KeyValue]>, Arc<Series>>,
    series: Vec<Arc<Series>>,
}

#[derive(Debug)]
struct Series {
    /// In canonical order.
    attributes: Arc<[KeyValue]>,
    slots: Box<[Mutex<Option<Exemplar>>]>,
}

impl Slots {
    pub(super) fn new(stream: Stream, filter: ExemplarFilter, bounds: &[f64]) -> Self {
        Self {
            stream,
            filter,
            bounds: bounds.into(),
            known: RwLock::default(),
        }
    }

    /// Keeps a measurement, unless the filter or the limit forbids it or another thread is at the same place just now. To be called
    /// after the measurement has been counted.
    pub(super) fn offer(&self, value: f64, attributes: &[KeyValue], context: Option<&SpanContext>) {
        // The SDK does not count what is not finite.
        if !self.filter.accepts(context) || !value.is_finite() {
            return;
        }
        let exemplar = Exemplar::now(value, context);
        let bucket = bucket(&self.bounds, value);
        let Ok(known) = self.known.try_read() else {
            return;
        };
        if let Some(series) = known.find(attributes) {
            return series.keep(bucket, exemplar);
        }
        if known.series.len() >= SERIES_LIMIT {
            return;
        }
        drop(known);
        if let Ok(mut known) = self.known.try_write()
            && let Some(series) = known.find_or_add(attributes, self.bounds.len() + 1)
        {
            series.keep(bucket, exemplar);
        }
    }

    pub(super) fn copy(&self) -> Copied {
        // The lock is held for the list only, so that new series hardly ever find it taken.
        let all = self
            .known
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .series
            .clone();
        let copies = all
            .iter()
            .map(|series| (series.attributes.clone(), series.copy()));
        Copied::new(copies.collect())
    }
}

impl Known {
    fn find(&self, attributes: &[KeyValue]) -> Option<&Arc<Series>> {
        self.by_attributes
            .get(attributes)
            .or_else(|| self.by_attributes.get(canonical(attributes).as_slice()))
    }

    fn find_or_add(&mut self, attributes: &[KeyValue], slots: usize) -> Option<Arc<Series>> {
        // Another thread may have been faster.
        if let Some(series) = self.find(attributes) {
            return Some(series.clone());
        }
        if self.series.len() >= SERIES_LIMIT {
            return None;
        }
        let series = Arc::new(Series {
            attributes: canonical(attributes).into(),
            slots: (0..slots).map(|_| Mutex::default()).collect(),
        });
        self.by_attributes.insert(attributes.into(), series.clone());
        self.by_attributes
            .insert(series.attributes.clone(), series.clone());
        self.series.push(series.clone());
        Some(series)
    }
}

impl Series {
    fn keep(&self, bucket: usize, exemplar: Exemplar) {
        if let Ok(mut slot) = self.slots[bucket].try_lock() {
            *slot = Some(exemplar);
        }
    }

    /// In order of the buckets.
    fn copy(&self) -> Vec<Exemplar> {
        self.slots
            .iter()
            .filter_map(|slot| *slot.lock().unwrap_or_else(PoisonError::into_inner))
            .collect()
    }
}

/// The bucket that a value is counted in. An upper bound belongs to its bucket.
pub(super) fn bucket(bounds: &[f64], value: f64) -> usize {
    bounds.partition_point(|bound| *bound < value)
}

/// A set of attributes in the order of its keys, each key once, as the SDK has it. The data point of a series may have the attributes
/// in this order or in that of its first measurement.
pub(super) fn canonical(attributes: &[KeyValue]) -> Vec<KeyValue> {
    let mut sorted = attributes.to_vec();
    sorted.sort_unstable_by(|one, other| one.key.cmp(&other.key));
    sorted.dedup_by(|one, other| one.key == other.key);
    sorted
}

#[cfg(test)]
mod tests {
    use opentelemetry::InstrumentationScope;
    use opentelemetry::trace::{SpanId, TraceFlags, TraceId, TraceState};

    use super::*;
    use spinfo_names::metric;

    use crate::exemplars::Kind;

    fn slots() -> Slots {
        let scope = InstrumentationScope::default();
        let stream = Stream::new(scope, Kind::F64Histogram, &metric::INSTANTIATION_DURATION);
        Slots::new(stream, ExemplarFilter::TraceBased, &[1.0])
    }

    fn sampled() -> SpanContext {
        let (trace, span) = (TraceId::from(1), SpanId::from(1));
        SpanContext::new(trace, span, TraceFlags::SAMPLED, false, TraceState::NONE)
    }

    fn values(slots: &Slots) -> Vec<f64> {
        let known = slots.known.read().unwrap();
        let copies = known.series.iter().flat_map(|series| series.copy());
        copies.map(|exemplar| exemplar.value).collect()
    }

    /// All on one thread, on which waiting would never end.
    #[test]
    fn what_is_busy_is_passed_over() {
        let (slots, span) = (slots(), sampled());
        slots.offer(0.5, &[], Some(&span));
        slots.offer(2.0, &[], Some(&span));
        let series = slots.known.read().unwrap().series[0].clone();

        let slot = series.slots[0].lock().unwrap();
        slots.offer(0.6, &[], Some(&span));
        slots.offer(3.0, &[], Some(&span));
        drop(slot);
        assert_eq!(values(&slots), [0.5, 3.0]);

        let writer = slots.known.write().unwrap();
        slots.offer(4.0, &[], Some(&span));
        drop(writer);
        let reader = slots.known.read().unwrap();
        slots.offer(5.0, &[KeyValue::new("new", 1)], Some(&span));
        drop(reader);
        assert_eq!(values(&slots), [0.5, 3.0]);
        slots.offer(4.0, &[], Some(&span));
        slots.offer(5.0, &[KeyValue::new("new", 1)], Some(&span));
        assert_eq!(values(&slots), [0.5, 4.0, 5.0]);
    }

    #[test]
    fn the_table_does_not_grow_beyond_its_limit() {
        let (slots, span) = (slots(), sampled());
        for number in 0..2 * SERIES_LIMIT as i64 {
            let order = [KeyValue::new("b", number), KeyValue::new("a", number)];
            slots.offer(0.5, &order, Some(&span));
            let [b, a] = order;
            slots.offer(2.0, &[a, b.clone(), b], Some(&span));
        }
        let known = slots.known.read().unwrap();
        assert_eq!(known.series.len(), SERIES_LIMIT);
        assert_eq!(known.by_attributes.len(), 2 * SERIES_LIMIT);
        assert_eq!(size_of::<Mutex<Option<Exemplar>>>(), 64);
    }

    #[test]
    fn what_is_not_sampled_takes_no_room() {
        let slots = slots();
        slots.offer(0.5, &[], None);
        slots.offer(0.5, &[], Some(&SpanContext::NONE));
        assert!(slots.known.read().unwrap().series.is_empty());
    }
}
