//! The page for `/metrics`: all instruments as OpenMetrics 1.0 text.
//!
//! The page has a reader of its own on the meter provider, so one instrument feeds OTLP and the page, and the page works with OTLP off.
//! Names are those of `spinfo_names::prometheus`: what Prometheus reads here is called what a Collector's
//! Prometheus exporter would call it.

mod family;
mod gauges;
mod text;

use std::sync::{Arc, Weak};
use std::time::Duration;

use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::metrics::data::ResourceMetrics;
use opentelemetry_sdk::metrics::reader::MetricReader;
use opentelemetry_sdk::metrics::{InstrumentKind, ManualReader, Pipeline, Temporality};

pub use self::gauges::gauges;
use crate::exemplars::Exemplars;

/// `Content-Type` of the page.
pub const OPEN_METRICS_CONTENT_TYPE: &str =
    "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// Renders the instruments of one [`Telemetry`](crate::Telemetry); cheap to clone.
#[derive(Clone, Debug)]
pub struct MetricsPage {
    reader: Arc<ManualReader>,
    exemplars: Arc<Exemplars>,
}

impl MetricsPage {
    pub(crate) const fn new(reader: Arc<ManualReader>, exemplars: Arc<Exemplars>) -> Self {
        Self { reader, exemplars }
    }

    /// The current state of all instruments as OpenMetrics 1.0 text, `# EOF` included. Families are in the order of their names.
    ///
    /// Counters and histograms are cumulative since start, and totals and buckets have their exemplars behind them. Exponential histograms
    /// have no form in this format and are left out. Once telemetry is shut down, the page is empty.
    pub fn open_metrics(&self) -> String {
        // The reader fails only when it has been shut down; what it had to say has been said.
        match self.exemplars.collect(&self.reader) {
            Ok(collected) => family::page(&collected),
            Err(_) => text::EOF.to_owned(),
        }
    }
}

/// A reader that the meter provider owns and others read from.
#[derive(Debug)]
pub(crate) struct SharedReader(pub(crate) Arc<ManualReader>);

impl MetricReader for SharedReader {
    fn register_pipeline(&self, pipeline: Weak<Pipeline>) {
        self.0.register_pipeline(pipeline);
    }

    fn collect(&self, metrics: &mut ResourceMetrics) -> OTelSdkResult {
        self.0.collect(metrics)
    }

    fn force_flush(&self) -> OTelSdkResult {
        self.0.force_flush()
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.0.shutdown_with_timeout(timeout)
    }

    fn temporality(&self, kind: InstrumentKind) -> Temporality {
        self.0.temporality(kind)
    }
}

#[cfg(test)]
mod tests;
