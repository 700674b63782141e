//! The resource: what the program says about itself, `OTEL_RESOURCE_ATTRIBUTES` and `OTEL_SERVICE_NAME`.

use opentelemetry_sdk::trace::{IdGenerator as _, RandomIdGenerator};
use percent_encoding::percent_decode_str;

use super::{ServiceDefaults, Variables};
use crate::names;

/// Later entries win: the program's own, then `OTEL_RESOURCE_ATTRIBUTES`, then `OTEL_SERVICE_NAME`.
pub(super) fn attributes(env: &Variables<'_>, defaults: &ServiceDefaults) -> Vec<(String, String)> {
    let mut attributes = Vec::new();
    let mut set =
        |key: &str, value: String| match attributes.iter_mut().find(|(known, _)| known == key) {
            Some((_, old)) => *old = value,
            None => attributes.push((key.to_owned(), value)),
        };
    set(names::SERVICE_NAME, defaults.name.clone());
    set(names::SERVICE_VERSION, defaults.version.clone());
    if let Some(namespace) = &defaults.namespace {
        set(names::SERVICE_NAMESPACE, namespace.clone());
    }
    set(names::SERVICE_INSTANCE_ID, instance_id());
    for (key, value) in list(env) {
        set(&key, value);
    }
    if let Some(name) = env.get("OTEL_SERVICE_NAME") {
        set(names::SERVICE_NAME, name);
    }
    attributes
}

/// `key=value` pairs between commas, values percent-encoded (W3C Baggage). The specification: on any error the whole value is
/// discarded.
fn list(env: &Variables<'_>) -> Vec<(String, String)> {
    const NAME: &str = "OTEL_RESOURCE_ATTRIBUTES";
    let Some(list) = env.get(NAME) else {
        return Vec::new();
    };
    let mut attributes = Vec::new();
    for pair in list
        .split(',')
        .map(str::trim)
        .filter(|pair| !pair.is_empty())
    {
        let decoded = pair.split_once('=').and_then(|(key, value)| {
            let key = percent_decode_str(key.trim()).decode_utf8().ok()?;
            let value = percent_decode_str(value.trim()).decode_utf8().ok()?;
            (!key.is_empty()).then(|| (key.into_owned(), value.into_owned()))
        });
        match decoded {
            Some(attribute) => attributes.push(attribute),
            None => {
                env.warn(format!(
                    "{NAME}: {pair:?} is not key=value, ignoring the whole variable"
                ));
                return Vec::new();
            }
        }
    }
    attributes
}

/// A random UUID (version 4, RFC 9562), as the conventions ask of `service.instance.id`.
fn instance_id() -> String {
    let mut bytes = RandomIdGenerator::default().new_trace_id().to_bytes();
    bytes[6] = bytes[6] & 0x0f | 0x40;
    bytes[8] = bytes[8] & 0x3f | 0x80;
    let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    [
        &hex[..8],
        &hex[8..12],
        &hex[12..16],
        &hex[16..20],
        &hex[20..],
    ]
    .join("-")
}
