//! Alertmanager's HTTP interface, version 2.

use std::collections::BTreeMap;

use super::api::Api;
use super::prometheus::{labels, list, text};

/// Questions to an Alertmanager.
#[derive(Clone, Debug)]
pub struct Alertmanager(pub Api);

impl Alertmanager {
    /// The labels of the alerts that are active.
    ///
    /// # Errors
    /// When Alertmanager doesn't answer.
    pub fn active(&self) -> Result<Vec<BTreeMap<String, String>>, String> {
        let answer = self.0.json("/api/v2/alerts", &[("active", "true")])?;
        let active = list(&answer)
            .iter()
            .filter(|alert| text(&alert["status"]["state"]) == "active");
        Ok(active.map(|alert| labels(&alert["labels"])).collect())
    }
}
