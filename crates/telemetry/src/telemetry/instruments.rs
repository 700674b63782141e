//! Instruments that keep exemplars. Those that keep none are made by [`Telemetry::meter`].

use opentelemetry::metrics::Meter;

use super::Telemetry;
use crate::exemplars::{Counter, Histogram, Instrument, Place};

impl Telemetry {
    /// A histogram of fractions, with the upper bounds of all buckets but the last. Like those of [`meter`](Self::meter) it feeds OTLP
    /// and `/metrics` alike.
    pub fn f64_histogram(&self, instrument: Instrument, boundaries: &[f64]) -> Histogram<f64> {
        Histogram::f64(&self.place(&self.meter()), instrument, boundaries)
    }

    /// A histogram of whole numbers; otherwise like [`f64_histogram`](Self::f64_histogram).
    pub fn u64_histogram(&self, instrument: Instrument, boundaries: &[f64]) -> Histogram<u64> {
        Histogram::u64(&self.place(&self.meter()), instrument, boundaries)
    }

    /// A counter of whole numbers.
    pub fn u64_counter(&self, instrument: Instrument) -> Counter {
        Counter::u64(&self.place(&self.meter()), instrument)
    }

    fn place<'a>(&'a self, meter: &'a Meter) -> Place<'a> {
        Place {
            meter,
            scope: &self.scope,
            exemplars: &self.exemplars,
        }
    }
}
