//! Instruments for the metrics of `spinfo-names`, created once per instance.

use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::{Arc, Weak};
use std::time::Duration;

use opentelemetry::KeyValue;
use opentelemetry::metrics::{Counter, Histogram, Meter, MeterProvider};
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::metrics::data::ResourceMetrics;
use opentelemetry_sdk::metrics::reader::MetricReader;
use opentelemetry_sdk::metrics::{
    InstrumentKind, ManualReader, Pipeline, SdkMeterProvider, Temporality,
};

use spinfo_names::Metric;

use super::resource::{Identity, SCOPE, of_metrics};

/// Delta sums and histograms that are read when an export is due. Delta, because an instance is gone in seconds: a
/// cumulative sum would start at zero again and again.
#[derive(Debug)]
pub(crate) struct Metrics {
    meter: Meter,
    reader: SharedReader,
    counters: RefCell<HashMap<&'static str, Counter<u64>>>,
    histograms: RefCell<HashMap<&'static str, Histogram<f64>>>,
    // The reader holds the provider's pipeline weakly.
    _provider: SdkMeterProvider,
}

impl Metrics {
    pub(crate) fn new(identity: &Identity) -> Self {
        let reader = SharedReader(Arc::new(
            ManualReader::builder()
                .with_temporality(Temporality::Delta)
                .build(),
        ));
        let provider = SdkMeterProvider::builder()
            .with_resource(of_metrics(identity))
            .with_reader(reader.clone())
            .build();
        Self {
            meter: provider.meter(SCOPE),
            reader,
            counters: RefCell::default(),
            histograms: RefCell::default(),
            _provider: provider,
        }
    }

    pub(crate) fn count(&self, metric: &Metric, increment: u64, attributes: &[KeyValue]) {
        self.counters
            .borrow_mut()
            .entry(metric.name)
            .or_insert_with(|| {
                self.meter
                    .u64_counter(metric.name)
                    .with_unit(metric.unit)
                    .with_description(metric.help)
                    .build()
            })
            .add(increment, attributes);
    }

    pub(crate) fn record(&self, metric: &Metric, value: f64, attributes: &[KeyValue]) {
        self.histograms
            .borrow_mut()
            .entry(metric.name)
            .or_insert_with(|| {
                let builder = self
                    .meter
                    .f64_histogram(metric.name)
                    .with_unit(metric.unit)
                    .with_description(metric.help);
                builder.with_boundaries(metric.buckets().to_vec()).build()
            })
            .record(value, attributes);
    }

    /// What was measured since the last call; `None` when that is nothing.
    pub(crate) fn collect(&self) -> Option<ResourceMetrics> {
        let mut collected = ResourceMetrics::default();
        self.reader.collect(&mut collected).ok()?;
        let measured = collected
            .scope_metrics()
            .any(|scope| scope.metrics().next().is_some());
        measured.then_some(collected)
    }
}

/// The provider wants to own its reader, and we want to read.
#[derive(Debug, Clone)]
struct SharedReader(Arc<ManualReader>);

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
mod tests {
    use spinfo_names::metric::WORDCOUNT_WORDS;

    use super::*;

    #[test]
    fn a_measurement_is_collected_once() {
        let metrics = Metrics::new(&Identity::new("hello", "0"));
        assert!(metrics.collect().is_none());
        metrics.count(&WORDCOUNT_WORDS, 2, &[]);
        metrics.count(&WORDCOUNT_WORDS, 3, &[]);
        let collected = metrics.collect().unwrap();
        let names: Vec<_> = collected
            .scope_metrics()
            .flat_map(|scope| scope.metrics())
            .map(|m| m.name())
            .collect();
        assert_eq!(names, [WORDCOUNT_WORDS.name]);
        assert!(metrics.collect().is_none());
    }
}
