//! Exemplars as a receiver gets them: recorded, collected by the SDK's own reader, encoded and decoded. A file each:
//! - [`buckets`]: which measurement is the exemplar of a bucket;
//! - [`matching`]: that it comes with the data point that it was counted in;
//! - [`bounds`]: what may not grow and what may not wait;
//! - [`readers`]: deltas, and two readers at once.

mod bounds;
mod buckets;
mod matching;
mod readers;

use std::sync::Arc;

use opentelemetry::InstrumentationScope;
use opentelemetry::metrics::{Meter, MeterProvider as _};
use opentelemetry::trace::{SpanContext, SpanId, TraceFlags, TraceId, TraceState};
use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::metrics::v1::metric::Data;
use opentelemetry_proto::tonic::metrics::v1::{
    Exemplar, HistogramDataPoint, Metric, NumberDataPoint, exemplar::Value,
};
use opentelemetry_sdk::metrics::{
    ManualReader, MeterProviderBuilder, SdkMeterProvider, Temporality,
};
use prost::Message as _;

use spinfo_names as names;

use super::{Counter, ExemplarFilter, Exemplars, Histogram, Place};
use crate::metrics::SharedReader;

const DURATION: names::Metric = names::Metric {
    name: "work.duration",
    unit: "s",
    help: "Time.",
    kind: names::Kind::Histogram(&BOUNDS),
    senders: &[],
    attributes: &[],
};
const BOUNDS: [f64; 2] = [0.1, 1.0];

/// A program with one scope, and a reader of its metrics.
struct Program {
    provider: SdkMeterProvider,
    meter: Meter,
    scope: InstrumentationScope,
    reader: Arc<ManualReader>,
    exemplars: Exemplars,
}

impl Program {
    fn new() -> Self {
        Self::with(ExemplarFilter::TraceBased, |builder| builder)
    }

    fn with(
        filter: ExemplarFilter,
        build: impl FnOnce(MeterProviderBuilder) -> MeterProviderBuilder,
    ) -> Self {
        let reader = reader(Temporality::Cumulative);
        let provider = SdkMeterProvider::builder().with_reader(SharedReader(reader.clone()));
        let provider = build(provider).build();
        let scope = InstrumentationScope::builder("tests")
            .with_version("1")
            .build();
        Self {
            meter: provider.meter_with_scope(scope.clone()),
            provider,
            scope,
            reader,
            exemplars: Exemplars::new(filter),
        }
    }

    fn place(&self) -> Place<'_> {
        Place {
            meter: &self.meter,
            scope: &self.scope,
            exemplars: &self.exemplars,
        }
    }

    fn histogram(&self) -> Histogram<f64> {
        Histogram::f64(&self.place(), &DURATION)
    }

    fn export(&self) -> ExportMetricsServiceRequest {
        self.export_from(&self.reader)
    }

    /// What a push sends, as the receiver reads it.
    fn export_from(&self, reader: &ManualReader) -> ExportMetricsServiceRequest {
        let request = self.exemplars.collect(reader).unwrap().request();
        ExportMetricsServiceRequest::decode(request.encode_to_vec().as_slice()).unwrap()
    }
}

fn reader(temporality: Temporality) -> Arc<ManualReader> {
    Arc::new(
        ManualReader::builder()
            .with_temporality(temporality)
            .build(),
    )
}

/// A span of trace `number`.
fn sampled(number: u64) -> SpanContext {
    context(number, TraceFlags::SAMPLED)
}

fn context(number: u64, flags: TraceFlags) -> SpanContext {
    SpanContext::new(
        TraceId::from(u128::from(number)),
        SpanId::from(number + 1),
        flags,
        false,
        TraceState::NONE,
    )
}

fn metrics(request: &ExportMetricsServiceRequest) -> impl Iterator<Item = &Metric> {
    let scopes = request.resource_metrics.iter();
    let scopes = scopes.flat_map(|resource| &resource.scope_metrics);
    scopes.flat_map(|scope| &scope.metrics)
}

/// The points of all histograms.
fn points(request: &ExportMetricsServiceRequest) -> Vec<&HistogramDataPoint> {
    let histograms = metrics(request).filter_map(|metric| match &metric.data {
        Some(Data::Histogram(histogram)) => Some(&histogram.data_points),
        _ => None,
    });
    histograms.flatten().collect()
}

/// The points of all sums.
fn sums(request: &ExportMetricsServiceRequest) -> Vec<&NumberDataPoint> {
    let sums = metrics(request).filter_map(|metric| match &metric.data {
        Some(Data::Sum(sum)) => Some(&sum.data_points),
        _ => None,
    });
    sums.flatten().collect()
}

fn number(exemplar: &Exemplar) -> f64 {
    match exemplar.value {
        Some(Value::AsDouble(value)) => value,
        Some(Value::AsInt(value)) => value as f64,
        None => panic!("{exemplar:?} has no value"),
    }
}

/// The value and the number of the trace.
fn seen(exemplar: &Exemplar) -> (f64, u64) {
    let trace = u128::from_be_bytes(exemplar.trace_id.as_slice().try_into().unwrap());
    let span = u64::from_be_bytes(exemplar.span_id.as_slice().try_into().unwrap());
    assert_eq!(trace + 1, u128::from(span), "the ids are those of one span");
    (number(exemplar), span - 1)
}

fn all_seen(exemplars: &[Exemplar]) -> Vec<(f64, u64)> {
    exemplars.iter().map(seen).collect()
}
