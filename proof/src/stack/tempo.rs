//! Tempo's HTTP interface: <https://grafana.com/docs/tempo/latest/api_docs/>.

use std::collections::BTreeMap;

use serde_json::Value;

use super::api::{Api, lately};
use super::prometheus::{list, text};

/// Questions to a Tempo.
#[derive(Clone, Debug)]
pub struct Tempo(pub Api);

/// A span, as far as tests look at it.
#[derive(Clone, Debug)]
pub struct Span {
    pub name: String,
    /// For example `SPAN_KIND_SERVER`.
    pub kind: String,
    /// Encoded as Tempo does, to compare with [`Span::parent`].
    pub id: String,
    /// Empty for the root of a trace.
    pub parent: String,
    /// Name of the instrumentation scope.
    pub scope: String,
    /// Its own and its resource's, as text.
    pub attributes: BTreeMap<String, String>,
}

impl Tempo {
    /// The spans of a trace, in no order.
    ///
    /// # Errors
    /// When Tempo doesn't know the trace.
    pub fn trace(&self, id: &str) -> Result<Vec<Span>, String> {
        let answer = self.raw_trace(id)?;
        let mut spans = Vec::new();
        for resource in list(&answer["batches"]) {
            for scope in list(&resource["scopeSpans"]) {
                for span in list(&scope["spans"]) {
                    let mut attributes = attributes(&resource["resource"]["attributes"]);
                    attributes.append(&mut self::attributes(&span["attributes"]));
                    spans.push(Span {
                        name: text(&span["name"]).to_owned(),
                        kind: text(&span["kind"]).to_owned(),
                        id: text(&span["spanId"]).to_owned(),
                        parent: text(&span["parentSpanId"]).to_owned(),
                        scope: text(&scope["scope"]["name"]).to_owned(),
                        attributes,
                    });
                }
            }
        }
        Ok(spans)
    }

    /// A trace as Tempo answers it.
    ///
    /// # Errors
    /// When Tempo doesn't know the trace.
    pub fn raw_trace(&self, id: &str) -> Result<Value, String> {
        self.0.json(&format!("/api/traces/{id}"), &[])
    }

    /// The ids of traces of the last `seconds` that a TraceQL query finds.
    ///
    /// # Errors
    /// When Tempo refuses the query.
    pub fn search(&self, query: &str, seconds: u64) -> Result<Vec<String>, String> {
        let (start, end) = lately(seconds);
        let (start, end) = (start.to_string(), end.to_string());
        let query = [
            ("q", query),
            ("start", &start),
            ("end", &end),
            ("limit", "1000"),
        ];
        let answer = self.0.json("/api/search", &query)?;
        let ids = list(&answer["traces"]).iter();
        // Tempo leaves the zeros at the beginning out.
        Ok(ids
            .map(|trace| format!("{:0>32}", text(&trace["traceID"])))
            .collect())
    }
}

fn attributes(value: &Value) -> BTreeMap<String, String> {
    let pairs = list(value).iter().map(|pair| {
        let value = pair["value"]
            .as_object()
            .and_then(|value| value.values().next());
        let value = match value {
            Some(Value::String(text)) => text.clone(),
            Some(other) => other.to_string(),
            None => String::new(),
        };
        (text(&pair["key"]).to_owned(), value)
    });
    pairs.collect()
}
