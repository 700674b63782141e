//! What has arrived at a receiver, and looking at it.

use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue};
use opentelemetry_proto::tonic::logs::v1::{LogRecord, ResourceLogs};
use opentelemetry_proto::tonic::metrics::v1::{
    HistogramDataPoint, Metric, ResourceMetrics, metric,
};
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, Span};

/// All that has arrived, the oldest first.
#[derive(Debug, Default)]
pub struct Received {
    /// The paths that were requested: of HTTP or of gRPC.
    pub paths: Vec<String>,
    pub traces: Vec<ResourceSpans>,
    pub metrics: Vec<ResourceMetrics>,
    pub logs: Vec<ResourceLogs>,
}

impl Received {
    /// Spans of one trace, by its id in hexadecimal.
    pub fn spans(&self, trace_id: &str) -> Vec<&Span> {
        let scopes = self
            .traces
            .iter()
            .flat_map(|resource| &resource.scope_spans);
        scopes
            .flat_map(|scope| &scope.spans)
            .filter(|span| hex(&span.trace_id) == trace_id)
            .collect()
    }

    /// The span of one trace with this name.
    pub fn span(&self, trace_id: &str, name: &str) -> Option<&Span> {
        self.spans(trace_id)
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

    /// Log records of one trace, with what they are about.
    pub fn records(&self, trace_id: &str) -> Vec<(&LogRecord, Option<&Resource>)> {
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
    pub fn metric(&self, name: &str) -> impl Iterator<Item = &Metric> {
        let scopes = self
            .metrics
            .iter()
            .flat_map(|resource| &resource.scope_metrics);
        scopes
            .flat_map(|scope| &scope.metrics)
            .filter(move |metric| metric.name == name)
    }

    /// All exported points of one histogram.
    pub fn histogram(&self, name: &str) -> impl Iterator<Item = &HistogramDataPoint> {
        let points = self.metric(name).filter_map(|metric| match &metric.data {
            Some(metric::Data::Histogram(histogram)) => Some(&histogram.data_points),
            _ => None,
        });
        points.flatten()
    }
}

/// An id as the headers have it.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// One attribute as text; numbers are written out.
pub fn attribute(attributes: &[KeyValue], key: &str) -> Option<String> {
    let found = attributes.iter().find(|attribute| attribute.key == key)?;
    found.value.as_ref().map(text)
}

/// All attributes as `key=value`, in order of their keys.
pub fn attributes(attributes: &[KeyValue]) -> Vec<String> {
    let pair = |attribute: &KeyValue| {
        let value = attribute.value.as_ref().map(text).unwrap_or_default();
        format!("{}={value}", attribute.key)
    };
    let mut all: Vec<_> = attributes.iter().map(pair).collect();
    all.sort();
    all
}

/// A value as text.
pub fn text(value: &AnyValue) -> String {
    match &value.value {
        Some(Value::StringValue(text)) => text.clone(),
        Some(Value::IntValue(number)) => number.to_string(),
        Some(Value::DoubleValue(number)) => number.to_string(),
        Some(Value::BoolValue(flag)) => flag.to_string(),
        other => format!("{other:?}"),
    }
}
