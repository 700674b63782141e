//! Log records: to the OTLP receiver when there is one, else one JSON line on standard error.
//!
//! Never both: the host captures standard error as log lines of its own, so a record would be there twice.

use std::borrow::Cow;
use std::time::SystemTime;

use opentelemetry::KeyValue;
use opentelemetry::logs::{AnyValue, LogRecord, Logger, Severity};
use opentelemetry::trace::SpanContext;
use opentelemetry_sdk::logs::SdkLogger;
use serde::Serialize;
use serde_json::{Map, Value, json};

use crate::time::rfc3339;

pub(crate) struct Entry<'a> {
    pub(crate) time: SystemTime,
    pub(crate) severity: Severity,
    pub(crate) message: Cow<'a, str>,
    pub(crate) attributes: Vec<KeyValue>,
}

pub(crate) fn to_otlp(logger: &SdkLogger, span: &SpanContext, entry: Entry<'_>) {
    let mut record = logger.create_log_record();
    record.set_timestamp(entry.time);
    record.set_observed_timestamp(entry.time);
    record.set_severity_number(entry.severity);
    record.set_severity_text(entry.severity.name());
    record.set_body(AnyValue::from(entry.message.into_owned()));
    record.set_trace_context(span.trace_id(), span.span_id(), Some(span.trace_flags()));
    for attribute in entry.attributes {
        record.add_attribute(attribute.key, any(attribute.value));
    }
    logger.emit(record);
}

fn any(value: opentelemetry::Value) -> AnyValue {
    match value {
        opentelemetry::Value::Bool(flag) => AnyValue::Boolean(flag),
        opentelemetry::Value::I64(number) => AnyValue::Int(number),
        opentelemetry::Value::F64(number) => AnyValue::Double(number),
        opentelemetry::Value::String(text) => AnyValue::String(text),
        other => AnyValue::from(other.as_str().into_owned()),
    }
}

/// One JSON object and a newline, for a host that captures standard error.
pub(crate) fn to_line(component: &str, span: &SpanContext, entry: &Entry<'_>) -> String {
    let attributes: Map<String, Value> = entry
        .attributes
        .iter()
        .map(|attribute| {
            let value = match &attribute.value {
                opentelemetry::Value::Bool(flag) => json!(flag),
                opentelemetry::Value::I64(number) => json!(number),
                opentelemetry::Value::F64(number) => json!(number),
                other => json!(other.as_str()),
            };
            (attribute.key.to_string(), value)
        })
        .collect();
    let line = Line {
        timestamp: rfc3339(entry.time),
        severity: entry.severity.name(),
        message: &entry.message,
        component,
        trace_id: span.trace_id().to_string(),
        span_id: span.span_id().to_string(),
        attributes,
    };
    serde_json::to_string(&line).unwrap_or_default() + "\n"
}

#[derive(Serialize)]
struct Line<'a> {
    timestamp: String,
    severity: &'a str,
    message: &'a str,
    component: &'a str,
    trace_id: String,
    span_id: String,
    attributes: Map<String, Value>,
}

#[cfg(test)]
mod tests {
    use std::time::UNIX_EPOCH;

    use opentelemetry::trace::{SpanId, TraceFlags, TraceId, TraceState};

    use super::*;

    #[test]
    fn a_line_is_one_json_object_with_the_ids() {
        let span = SpanContext::new(
            TraceId::from(10),
            SpanId::from(11),
            TraceFlags::SAMPLED,
            false,
            TraceState::NONE,
        );
        let entry = Entry {
            time: UNIX_EPOCH,
            severity: Severity::Warn,
            message: "two\nlines".into(),
            attributes: vec![KeyValue::new("code", 503), KeyValue::new("from", "ok")],
        };
        assert_eq!(
            to_line("status", &span, &entry),
            concat!(
                r#"{"timestamp":"1970-01-01T00:00:00.000000000Z","severity":"WARN","message":"two\nlines","#,
                r#""component":"status","trace_id":"0000000000000000000000000000000a","#,
                r#""span_id":"000000000000000b","attributes":{"code":503,"from":"ok"}}"#,
                "\n"
            )
        );
    }
}
