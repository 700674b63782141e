//! Instruments that keep exemplars. Those that keep none are made by [`instruments`](crate::instruments).

use opentelemetry::metrics::Meter;
use spinfo_names::Metric;

use super::Telemetry;
use crate::exemplars::{Counter, Histogram, Place};

impl Telemetry {
    /// A histogram of fractions. Like the instruments of [`meter`](Self::meter) it feeds OTLP and `/metrics` alike.
    pub fn f64_histogram(&self, metric: &Metric) -> Histogram<f64> {
        Histogram::f64(&self.place(&self.meter()), metric)
    }

    /// A histogram of whole numbers; otherwise like [`f64_histogram`](Self::f64_histogram).
    pub fn u64_histogram(&self, metric: &Metric) -> Histogram<u64> {
        Histogram::u64(&self.place(&self.meter()), metric)
    }

    /// A counter of whole numbers.
    pub fn u64_counter(&self, metric: &Metric) -> Counter {
        Counter::u64(&self.place(&self.meter()), metric)
    }

    fn place<'a>(&'a self, meter: &'a Meter) -> Place<'a> {
        Place {
            meter,
            scope: &self.scope,
            exemplars: &self.exemplars,
        }
    }
}
