//! A copy of all slots, and the look-up of a data point's exemplars.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::SystemTime;

use opentelemetry::{InstrumentationScope, KeyValue};
use opentelemetry_sdk::metrics::Temporality;
use opentelemetry_sdk::metrics::data::{HistogramDataPoint, Metric, SumDataPoint};

use super::Exemplar;
use super::slots::{Slots, bucket, canonical};

/// What the slots of all instruments held at one time.
pub(crate) struct Snapshot(Vec<(Arc<Slots>, Copied)>);

impl Snapshot {
    pub(super) fn new(instruments: &[Arc<Slots>]) -> Self {
        let copies = instruments
            .iter()
            .map(|slots| (slots.clone(), slots.copy()));
        Self(copies.collect())
    }

    /// The exemplars of one collected metric, where its instrument keeps any.
    pub(crate) fn of(&self, scope: &InstrumentationScope, metric: &Metric) -> Option<&Copied> {
        let found = self
            .0
            .iter()
            .find(|(slots, _)| slots.stream.is(scope, metric));
        found.map(|(_, copied)| copied)
    }
}

/// What the slots of one instrument held, by the attributes of the series in canonical order.
pub(crate) struct Copied(HashMap<Arc<[KeyValue]>, Vec<Exemplar>>);

impl Copied {
    pub(super) fn new(series: HashMap<Arc<[KeyValue]>, Vec<Exemplar>>) -> Self {
        Self(series)
    }

    /// The exemplars of a point, each with the index of its bucket, in order of the values. `interval` is the begin of a point of deltas.
    ///
    /// The buckets are the point's: were its bounds others than the instrument's, a value would still stand in the right one.
    pub(crate) fn of_histogram<T>(
        &self,
        point: &HistogramDataPoint<T>,
        interval: Option<SystemTime>,
    ) -> impl Iterator<Item = (usize, Exemplar)> {
        let bounds: Vec<f64> = point.bounds().collect();
        let counts: Vec<u64> = point.bucket_counts().collect();
        self.since(interval, point.attributes())
            .map(move |exemplar| (bucket(&bounds, exemplar.value), exemplar))
            // What was measured while the interval before was collected may be counted there, and be kept only now.
            .filter(move |(bucket, _)| counts.get(*bucket).is_some_and(|count| *count > 0))
    }

    /// The exemplar of a point, otherwise as for a histogram.
    pub(crate) fn of_sum<T>(
        &self,
        point: &SumDataPoint<T>,
        interval: Option<SystemTime>,
    ) -> Option<Exemplar> {
        self.since(interval, point.attributes()).next()
    }

    /// Each exemplar goes with the deltas of the interval it was made in. What is cumulative keeps it, without a look at the clock, which
    /// may have been set back.
    fn since<'a>(
        &self,
        interval: Option<SystemTime>,
        attributes: impl Iterator<Item = &'a KeyValue>,
    ) -> impl Iterator<Item = Exemplar> {
        let attributes: Vec<KeyValue> = attributes.cloned().collect();
        let exemplars = self.0.get(canonical(&attributes).as_slice());
        let exemplars = exemplars.map_or(&[][..], Vec::as_slice).iter();
        exemplars
            .filter(move |exemplar| interval.is_none_or(|begin| exemplar.time >= begin))
            .copied()
    }
}

/// When the deltas of a collection begin, if it has deltas.
pub(super) fn interval(temporality: Temporality, start: SystemTime) -> Option<SystemTime> {
    (temporality == Temporality::Delta).then_some(start)
}
