//! Loki's HTTP interface: <https://grafana.com/docs/loki/latest/reference/loki-http-api/>.

use std::collections::BTreeMap;

use serde_json::Value;

use super::api::{Api, lately};
use super::prometheus::{labels, list, text};

/// Questions to a Loki.
#[derive(Clone, Debug)]
pub struct Loki(pub Api);

/// A log line.
#[derive(Clone, Debug)]
pub struct Line {
    pub text: String,
    /// Labels of the stream and structured metadata.
    pub labels: BTreeMap<String, String>,
}

impl Loki {
    /// The lines of the last `seconds` that a LogQL query finds, at most 1000.
    ///
    /// # Errors
    /// When Loki refuses the query.
    pub fn lines(&self, query: &str, seconds: u64) -> Result<Vec<Line>, String> {
        let mut lines = Vec::new();
        for stream in self.range(query, seconds)? {
            for value in list(&stream["values"]) {
                lines.push(Line {
                    text: text(&value[1]).to_owned(),
                    labels: labels(&stream["stream"]),
                });
            }
        }
        Ok(lines)
    }

    /// The streams or series of the last `seconds` that a LogQL query finds.
    ///
    /// # Errors
    /// When Loki refuses the query.
    pub fn range(&self, query: &str, seconds: u64) -> Result<Vec<Value>, String> {
        let (start, end) = lately(seconds);
        let (start, end) = (start.to_string(), end.to_string());
        let query = [
            ("query", query),
            ("start", &start),
            ("end", &end),
            ("limit", "1000"),
            ("step", "5"),
        ];
        let answer = self.0.json("/loki/api/v1/query_range", &query)?;
        Ok(list(&answer["data"]["result"]).to_vec())
    }
}
