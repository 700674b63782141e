//! Prometheus' HTTP interface: <https://prometheus.io/docs/prometheus/latest/querying/api/>.

use std::collections::BTreeMap;

use serde_json::Value;

use super::api::{Api, lately};

/// Step of range queries, seconds.
const STEP: &str = "5";

/// Questions to a Prometheus.
#[derive(Clone, Debug)]
pub struct Prometheus(pub Api);

/// An alert that is pending or firing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Alert {
    pub labels: BTreeMap<String, String>,
    /// `pending` or `firing`.
    pub state: String,
}

impl Prometheus {
    /// The values of an instant query now, by the values of `labels` in their order; a label that is missing is empty.
    ///
    /// # Errors
    /// When Prometheus refuses the query.
    pub fn values(
        &self,
        query: &str,
        labels: &[&str],
    ) -> Result<BTreeMap<Vec<String>, f64>, String> {
        let data = self.data("/api/v1/query", &[("query", query)])?;
        if data["resultType"] == "scalar" {
            return Ok(BTreeMap::from([(Vec::new(), number(&data["result"][1]))]));
        }
        let series = list(&data["result"]).iter().map(|series| {
            let value = |label: &&str| text(&series["metric"][label]).to_owned();
            (
                labels.iter().map(value).collect(),
                number(&series["value"][1]),
            )
        });
        Ok(series.collect())
    }

    /// The sum of all values of an instant query, `None` without any.
    ///
    /// # Errors
    /// When Prometheus refuses the query.
    pub fn value(&self, query: &str) -> Result<Option<f64>, String> {
        let values = self.values(&format!("sum({query})"), &[])?;
        Ok(values.into_values().next())
    }

    /// The series of a range query over the last `seconds`.
    ///
    /// # Errors
    /// When Prometheus refuses the query.
    pub fn range(&self, query: &str, seconds: u64) -> Result<Vec<Value>, String> {
        let (start, end) = lately(seconds);
        let (start, end) = (start.to_string(), end.to_string());
        let query = [
            ("query", query),
            ("start", &start),
            ("end", &end),
            ("step", STEP),
        ];
        let data = self.data("/api/v1/query_range", &query)?;
        Ok(list(&data["result"]).to_vec())
    }

    /// The trace ids of the exemplars of a query over the last `seconds`.
    ///
    /// # Errors
    /// When Prometheus refuses the query.
    pub fn exemplars(&self, query: &str, seconds: u64) -> Result<Vec<String>, String> {
        let (start, end) = lately(seconds);
        let (start, end) = (start.to_string(), end.to_string());
        let query = [("query", query), ("start", &start), ("end", &end)];
        let data = self.data("/api/v1/query_exemplars", &query)?;
        let exemplars = list(&data)
            .iter()
            .flat_map(|series| list(&series["exemplars"]));
        let ids = exemplars.map(|exemplar| text(&exemplar["labels"]["trace_id"]).to_owned());
        Ok(ids.filter(|id| !id.is_empty()).collect())
    }

    /// All rules, recording and alerting.
    ///
    /// # Errors
    /// When Prometheus doesn't answer.
    pub fn rules(&self) -> Result<Vec<Value>, String> {
        let data = self.data("/api/v1/rules", &[])?;
        let groups = list(&data["groups"]).iter();
        Ok(groups
            .flat_map(|group| list(&group["rules"]))
            .cloned()
            .collect())
    }

    /// The alerts that are pending or firing.
    ///
    /// # Errors
    /// When Prometheus doesn't answer.
    pub fn alerts(&self) -> Result<Vec<Alert>, String> {
        let data = self.data("/api/v1/alerts", &[])?;
        let alerts = list(&data["alerts"]).iter().map(|alert| Alert {
            labels: labels(&alert["labels"]),
            state: text(&alert["state"]).to_owned(),
        });
        Ok(alerts.collect())
    }

    /// The `data` of an answer.
    ///
    /// # Errors
    /// When Prometheus refuses the query.
    pub fn data(&self, path: &str, query: &[(&str, &str)]) -> Result<Value, String> {
        let mut answer = self.0.json(path, query)?;
        Ok(answer["data"].take())
    }
}

pub(super) fn labels(value: &Value) -> BTreeMap<String, String> {
    let pairs = value.as_object().into_iter().flatten();
    pairs
        .map(|(name, value)| (name.clone(), text(value).to_owned()))
        .collect()
}

pub(super) fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

pub(super) fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

fn number(value: &Value) -> f64 {
    text(value).parse().unwrap_or(f64::NAN)
}
