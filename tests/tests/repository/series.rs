//! Every metric, label and label's value in a dashboard or a rule is one that there is.

use std::collections::BTreeSet;

use regex::Regex;
use serde_json::Value;
use spinfo_names::prometheus::{find, find_label};

use crate::files::{below, read, yaml};

/// The beginnings of our metrics' names; the others are those of the programs around us.
const OURS: [&str; 5] = ["http_client_", "http_server_", "probe_", "spinfo_", "wasm_"];
/// Labels that Prometheus, or a rule, adds to all series.
const ADDED: [&str; 5] = ["instance", "job", "le", "slo", "window"];
const KEYWORDS: [&str; 11] = [
    "and",
    "bool",
    "by",
    "group_left",
    "group_right",
    "ignoring",
    "inf",
    "offset",
    "on",
    "or",
    "unless",
];

/// A query, and where it stands.
struct Query {
    place: String,
    text: String,
}

/// All queries for Prometheus in dashboards and rules.
fn queries() -> Vec<Query> {
    let mut queries = Vec::new();
    for path in below("otel/prometheus/rules", ".yml") {
        collect(&path, &yaml(&path), &mut queries);
    }
    for path in below("otel/grafana/dashboards", ".json") {
        let dashboard = serde_json::from_str(&read(&path)).expect("a dashboard is JSON");
        collect(&path, &dashboard, &mut queries);
    }
    assert!(queries.len() > 150, "{}", queries.len());
    queries
}

/// `expr` of rules, panels and annotations; `label_values(…)` of variables.
fn collect(place: &str, value: &Value, queries: &mut Vec<Query>) {
    match value {
        Value::Array(values) => {
            for value in values {
                collect(place, value, queries);
            }
        }
        Value::Object(fields) => {
            let other = fields
                .get("datasource")
                .is_some_and(|source| matches!(source["type"].as_str(), Some("loki" | "tempo")));
            let title = fields
                .get("title")
                .or_else(|| fields.get("alert"))
                .or_else(|| fields.get("record"));
            let place = match title.and_then(Value::as_str) {
                Some(title) => format!("{place}: {title}"),
                None => place.to_owned(),
            };
            for (key, value) in fields {
                match value.as_str() {
                    Some(text) if key == "expr" && !other => queries.push(Query {
                        place: place.clone(),
                        text: text.to_owned(),
                    }),
                    Some(text) if text.starts_with("label_values(") => queries.push(Query {
                        place: place.clone(),
                        text: text.to_owned(),
                    }),
                    Some(_) => {}
                    None => collect(&place, value, queries),
                }
            }
        }
        _ => {}
    }
}

/// What is wrong with one label matcher of a series, if anything.
fn judge(series: &str, label: &str, operator: &str, value: &str) -> Option<String> {
    let metric = find(series)?;
    if ADDED.contains(&label) {
        return None;
    }
    let Some(attribute) = find_label(metric, label) else {
        return Some(format!("{series} has no label {label}"));
    };
    let alternatives: Vec<_> = if operator.ends_with('~') {
        value.split('|').collect()
    } else {
        vec![value]
    };
    alternatives
        .into_iter()
        // Neither a variable of the dashboard nor a pattern.
        .filter(|value| !value.is_empty() && !value.contains(['$', '.', '*', '+', '[', '(']))
        .find(|value| !attribute.values.allow(value))
        .map(|value| format!("{label} of {series} is never {value:?}"))
}

#[test]
fn queries_name_what_there_is() {
    let selector =
        Regex::new(r#""[^"]*"|([A-Za-z_:][A-Za-z0-9_:]*)\s*(\{(?:[^}"]|"[^"]*")*\})?\s*(\()?"#)
            .unwrap();
    let matcher = Regex::new(r#"([A-Za-z_]\w*)\s*(=~|!~|!=|=)\s*"([^"]*)""#).unwrap();
    let grouping =
        Regex::new(r"\b(?:by|without|on|ignoring|group_left|group_right)\s*\(([^)]*)\)").unwrap();
    // `${name}` and `$name` stand for a duration or a value.
    let variable = Regex::new(r"\$\{?\w+(?::\w+)?\}?").unwrap();
    let label_values = Regex::new(r"^label_values\((.*),\s*(\w+)\)$").unwrap();
    let duration = Regex::new(r"\[[^\]]*\]|\b\d[\d.]*(?:ms|[smhdwy])?\b").unwrap();

    let recorded: BTreeSet<String> = below("otel/prometheus/rules", ".yml")
        .iter()
        .flat_map(|path| {
            let rules = read(path);
            let names = rules
                .lines()
                .filter_map(|line| line.trim().strip_prefix("- record: "));
            names.map(str::to_owned).collect::<Vec<_>>()
        })
        .collect();
    let mut wrong = BTreeSet::new();
    let mut seen = BTreeSet::new();
    for Query { place, text: query } in queries() {
        let mut labels = BTreeSet::new();
        let mut query = query;
        if let Some(parts) = label_values.captures(&query) {
            labels.insert(parts[2].to_owned());
            query = parts[1].to_owned();
        }
        for group in grouping.captures_iter(&query) {
            labels.extend(group[1].split(',').map(|label| label.trim().to_owned()));
        }
        let bare = grouping.replace_all(&query, " ");
        let bare = duration.replace_all(&bare, " ");
        let (mut metrics, mut others) = (Vec::new(), false);
        // A variable outside a selector is a number, within one it is a value.
        let bare = variable.replace_all(&bare, "$$");
        for found in selector.captures_iter(&bare) {
            // A text, a function or a keyword.
            let (Some(name), None) = (found.get(1), found.get(3)) else {
                continue;
            };
            let name = name.as_str();
            if KEYWORDS.contains(&name) {
                continue;
            }
            let Some(metric) = find(name) else {
                if OURS.iter().any(|ours| name.starts_with(ours)) {
                    wrong.insert(format!("{place}: there is no metric {name}"));
                } else if name.contains(':') && !recorded.contains(name) {
                    wrong.insert(format!("{place}: no rule records {name}"));
                } else {
                    others = true;
                }
                continue;
            };
            metrics.push(metric);
            seen.insert(metric.name);
            let matchers = found.get(2).map_or("", |matchers| matchers.as_str());
            for part in matcher.captures_iter(matchers) {
                wrong.extend(
                    judge(name, &part[1], &part[2], &part[3])
                        .map(|what| format!("{place}: {what}")),
                );
            }
        }
        if !others && !metrics.is_empty() {
            for label in labels {
                let known = label.is_empty()
                    || ADDED.contains(&&*label)
                    || metrics
                        .iter()
                        .any(|metric| find_label(metric, &label).is_some());
                if !known {
                    wrong.insert(format!("{place}: nothing there has a label {label}"));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert!(seen.len() > 20, "{seen:?}");
}

#[test]
fn what_does_not_exist_is_found() {
    assert_eq!(
        judge("wasm_traps_total", "wasm_trap_kind", "=", "unreachable"),
        None
    );
    assert_eq!(judge("wasm_traps_total", "job", "=~", "$job"), None);
    for (label, operator, value) in [
        ("wasm_trap_kind", "=", "no_such_kind"),
        ("wasm_trap_kind", "=~", "unreachable|no_such_kind"),
        ("no_such_label", "=", "x"),
    ] {
        assert!(
            judge("wasm_traps_total", label, operator, value).is_some(),
            "{label} {value}"
        );
    }
}
