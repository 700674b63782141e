//! The access log.

use serde_json::Value;

use super::Edge;

/// A request as the access log has it.
#[derive(Clone, Debug)]
pub struct Entry(pub Value);

impl Entry {
    /// The line, if it is about a request.
    pub fn read(line: &str) -> Option<Self> {
        let entry: Value = serde_json::from_str(line).ok()?;
        let logger = entry["logger"].as_str()?;
        logger.starts_with("http.log.access").then_some(Self(entry))
    }

    /// Path and query.
    pub fn uri(&self) -> &str {
        self.0["request"]["uri"].as_str().unwrap_or_default()
    }

    /// The replica that was asked last, empty when none was.
    pub fn upstream(&self) -> &str {
        self.0["upstream"].as_str().unwrap_or_default()
    }

    /// How often another replica was asked.
    pub fn retries(&self) -> u64 {
        self.0["retries"].as_u64().unwrap_or_default()
    }

    /// The status of the answer.
    pub fn status(&self) -> u64 {
        self.0["status"].as_u64().unwrap_or_default()
    }
}

impl Edge {
    /// Requests so far whose path and query contain `part`.
    pub fn entries(&self, part: &str) -> Vec<Entry> {
        let lines = self.log.so_far();
        // Reading them all is slow when there are many.
        let likely = lines.iter().filter(|line| line.contains(part));
        let entries = likely.filter_map(|line| Entry::read(line));
        entries.filter(|entry| entry.uri().contains(part)).collect()
    }

    /// The first request whose path and query contain `part`, now or soon.
    pub fn entry(&self, part: &str) -> Entry {
        let found = self.log.wait_for_log("the access log's entry", |line| {
            Entry::read(&line.to_string()).is_some_and(|entry| entry.uri().contains(part))
        });
        Entry(found)
    }
}
