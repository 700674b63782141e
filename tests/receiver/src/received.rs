//! What has arrived at a receiver, and looking at it.

use http::HeaderMap;
use opentelemetry_proto::tonic::logs::v1::{LogRecord, ResourceLogs};
use opentelemetry_proto::tonic::metrics::v1::{
    HistogramDataPoint, Metric, ResourceMetrics, metric,
};
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, Span};

use crate::values::hex;

/// All that has arrived, the oldest first.
#[derive(Debug, Default)]
pub struct Received {
    /// The path, of HTTP or of gRPC, and the header of every request, whatever was answered.
    pub requests: Vec<(String, HeaderMap)>,
    /// Spans of the batches that were taken.
    pub traces: Vec<ResourceSpans>,
    /// Metrics of the batches that were taken.
    pub metrics: Vec<ResourceMetrics>,
    /// Log records of the batches that were taken.
    pub logs: Vec<ResourceLogs>,
}

impl Received {
    /// All spans.
    pub fn spans(&self) -> Vec<&Span> {
        self.traces
            .iter()
            .flat_map(|resource| &resource.scope_spans)
            .flat_map(|scope| &scope.spans)
            .collect()
    }

    /// Spans of one trace, by its id in hexadecimal.
    pub fn spans_of(&self, trace_id: &str) -> Vec<&Span> {
        let mut spans = self.spans();
        spans.retain(|span| hex(&span.trace_id) == trace_id);
        spans
    }

    /// The span of one trace with this name.
    pub fn span(&self, trace_id: &str, name: &str) -> Option<&Span> {
        self.spans_of(trace_id)
            .into_iter()
            .find(|span| span.name == name)
    }

    /// What the span is about.
    pub fn resource_of(&self, span: &Span) -> Option<&Resource> {
        let has = |resource: &&ResourceSpans| {
            let mut spans = resource.scope_spans.iter().flat_map(|scope| &scope.spans);
            spans.any(|other| other.span_id == span.span_id)
        };
        self.traces.iter().find(has)?.resource.as_ref()
    }

    /// All log records.
    pub fn records(&self) -> Vec<&LogRecord> {
        self.logs
            .iter()
            .flat_map(|resource| &resource.scope_logs)
            .flat_map(|scope| &scope.log_records)
            .collect()
    }

    /// Log records of one trace, with what they are about.
    pub fn records_of(&self, trace_id: &str) -> Vec<(&LogRecord, Option<&Resource>)> {
        let resources = self.logs.iter();
        let records = resources.flat_map(|resource| {
            let records = resource
                .scope_logs
                .iter()
                .flat_map(|scope| &scope.log_records);
            records.map(|record| (record, resource.resource.as_ref()))
        });
        records
            .filter(|(record, _)| hex(&record.trace_id) == trace_id)
            .collect()
    }

    /// All exports of one metric.
    pub fn metric(&self, name: &str) -> Vec<&Metric> {
        self.metrics
            .iter()
            .flat_map(|resource| &resource.scope_metrics)
            .flat_map(|scope| &scope.metrics)
            .filter(|metric| metric.name == name)
            .collect()
    }

    /// All exported points of one histogram.
    pub fn histogram<'a>(
        &'a self,
        name: &str,
    ) -> impl Iterator<Item = &'a HistogramDataPoint> + use<'a> {
        let points = self
            .metric(name)
            .into_iter()
            .filter_map(|metric| match &metric.data {
                Some(metric::Data::Histogram(histogram)) => Some(&histogram.data_points),
                _ => None,
            });
        points.flatten()
    }
}
