//! Exemplars: the trace of one measurement in each bucket, so that a slow bucket leads to a slow request.
//!
//! The SDK aggregates without them (<https://github.com/open-telemetry/opentelemetry-rust/issues/3369>). So an instrument of this module records twice: in the SDK's instrument, and, when the filter
//! lets the measurement pass, in a slot beside it. A collection copies the slots and lays each exemplar to the data point that it was
//! counted in. Read in this order:
//! - `instrument`: [`Histogram`] and [`Counter`], what a program records with;
//! - `filter`: [`ExemplarFilter`], which measurements may leave an exemplar;
//! - `stream`: what makes data of an instrument here and data of the SDK the same;
//! - `slots`: the slots of an instrument, written without waiting;
//! - `snapshot`: a copy of all slots, and the look-up of a data point's exemplars;
//! - `otlp`: the exemplars of an export.
//!
//! A slot keeps the last measurement of its bucket, as the specification's `AlignedHistogramBucketExemplarReservoir` may ("Metrics
//! SDK", "Exemplar"). The last is the one whose trace a backend most likely still has, and it needs neither random numbers nor a
//! count of what was seen, which two readers at different paces could not share.
//!
//! Three properties hold:
//! - Nothing is taken out of a slot. A reader of cumulative values sends what is there until something newer replaces it, a reader of
//!   deltas what came within its interval: so neither takes from the other.
//! - A measurement is counted before its exemplar is kept, and a collection copies the exemplars before it reads the counts: what is
//!   exported has been counted.
//! - Memory is bounded by the buckets and by [the series](SERIES_LIMIT) of an instrument, time by one look-up: a slot or a table that is
//!   busy is passed over.

mod filter;
mod instrument;
mod otlp;
mod slots;
mod snapshot;
mod stream;
#[cfg(test)]
mod tests;

use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use opentelemetry::trace::{SpanContext, SpanId, TraceId};
use opentelemetry_sdk::error::OTelSdkError;
use opentelemetry_sdk::metrics::ManualReader;
use opentelemetry_sdk::metrics::data::ResourceMetrics;
use opentelemetry_sdk::metrics::reader::MetricReader as _;

pub use filter::ExemplarFilter;
pub(crate) use instrument::Place;
pub use instrument::{Counter, Histogram};
pub use slots::SERIES_LIMIT;
use slots::Slots;
pub(crate) use snapshot::{Copied, Snapshot};
pub(crate) use stream::{Kind, Stream};

/// One measurement and the trace it was made in.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Exemplar {
    /// As the bucket was chosen by; whole numbers are exact up to 2^53.
    pub(crate) value: f64,
    pub(crate) time: SystemTime,
    /// Both ids are invalid where no trace was known, which only [`ExemplarFilter::AlwaysOn`] lets pass.
    pub(crate) trace_id: TraceId,
    pub(crate) span_id: SpanId,
}

impl Exemplar {
    fn now(value: f64, context: Option<&SpanContext>) -> Self {
        let context = context.filter(|context| context.is_valid());
        Self {
            value,
            time: SystemTime::now(),
            trace_id: context.map_or(TraceId::INVALID, SpanContext::trace_id),
            span_id: context.map_or(SpanId::INVALID, SpanContext::span_id),
        }
    }

    /// Whether there is a trace to go to.
    pub(crate) fn has_trace(&self) -> bool {
        self.trace_id != TraceId::INVALID
    }
}

/// All exemplars of a program, by instrument.
#[derive(Debug)]
pub(crate) struct Exemplars {
    filter: ExemplarFilter,
    instruments: Mutex<Vec<Arc<Slots>>>,
}

impl Exemplars {
    pub(crate) fn new(filter: ExemplarFilter) -> Self {
        Self {
            filter,
            instruments: Mutex::default(),
        }
    }

    /// The slots of an instrument. One that is made twice has the same ones, as it has one stream in the SDK; `bounds` are then
    /// those of the first.
    fn slots(&self, stream: Stream, bounds: &[f64]) -> Option<Arc<Slots>> {
        if self.filter == ExemplarFilter::AlwaysOff {
            return None;
        }
        let mut instruments = self
            .instruments
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = instruments.iter().find(|slots| slots.stream == stream) {
            return Some(known.clone());
        }
        let slots = Arc::new(Slots::new(stream, self.filter, bounds));
        instruments.push(slots.clone());
        Some(slots)
    }

    /// What `reader` collects, and the exemplars of it.
    ///
    /// # Errors
    /// The reader's own: it fails once it has been shut down.
    pub(crate) fn collect(&self, reader: &ManualReader) -> Result<Collected, OTelSdkError> {
        // First, so that each has been counted by the time that the counts are read.
        let exemplars = self.snapshot();
        let mut metrics = ResourceMetrics::default();
        reader.collect(&mut metrics)?;
        Ok(Collected { metrics, exemplars })
    }

    fn snapshot(&self) -> Snapshot {
        let instruments = self
            .instruments
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        Snapshot::new(&instruments)
    }
}

/// Metrics and the exemplars of them.
pub(crate) struct Collected {
    pub(crate) metrics: ResourceMetrics,
    pub(crate) exemplars: Snapshot,
}
