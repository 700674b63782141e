//! Values as text, to compare them in tests.

use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue};

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
