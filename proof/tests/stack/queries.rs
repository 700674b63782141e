//! Every query of a dashboard, a rule and an alert is one that the backends understand, and says something after a drive.

use std::collections::BTreeSet;

use serde_json::Value;
use spinfo_proof::stack::{Stack, wait};

use crate::grafana::{self, Language, Query};

/// Seconds back that queries look.
const LATELY: u64 = 600;

/// What queries may ask about though nothing reports it yet, by how its metrics are named. Whatever begins to
/// report has to leave this list.
const NOT_THERE: &[(&str, &str)] = &[("the edge", "caddy_")];

/// Records of what was at whole five minutes, of which a run may be over too soon to have seen one.
const MAYBE_LATER: &[&str] = &["job:slo_requests:rate1d", "job:slo_requests:rate3d"];

/// All queries of dashboards are understood, and those about what is there have data.
pub(crate) fn dashboards_have_data(stack: &Stack) {
    let mut waiting = grafana::queries();
    wait::until("data for all panels", || {
        let mut empty = Vec::new();
        waiting.retain(|query| {
            let found = ask(stack, query)
                .unwrap_or_else(|error| panic!("{}: {error}\n{}", query.place, query.text));
            // Annotations mark what is rare.
            let may_be_empty = query.place.contains(", annotation ")
                || is_about_what_is_not_there(&query.text)
                || MAYBE_LATER.iter().any(|name| query.text.contains(name));
            let missing = !found && !may_be_empty;
            if missing {
                empty.push(format!("{}: {}", query.place, query.text));
            }
            missing
        });
        if empty.is_empty() {
            Ok(())
        } else {
            Err(format!("{} are empty\n{}", empty.len(), empty.join("\n")))
        }
    });
}

fn is_about_what_is_not_there(query: &str) -> bool {
    let names = query.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_' || c == ':'));
    let mut names = names.filter(|name| !name.is_empty());
    names.any(|name| NOT_THERE.iter().any(|(_, prefix)| name.starts_with(prefix)))
}

/// What the list says is not there, is not.
pub(crate) fn nothing_has_come_that_the_list_misses(stack: &Stack) {
    let names = metric_names(stack);
    for (what, prefix) in NOT_THERE {
        let found: Vec<_> = names
            .iter()
            .filter(|name| name.starts_with(prefix))
            .collect();
        assert!(
            found.is_empty(),
            "{what} reports now ({found:?}): take it from NOT_THERE"
        );
    }
}

/// Whether a query has an answer with a number or a line in it.
pub(crate) fn ask(stack: &Stack, query: &Query) -> Result<bool, String> {
    let (prometheus, text) = (stack.prometheus(), query.text.as_str());
    match query.language {
        Language::PromQl if query.instant => {
            let values = prometheus.values(text, &[])?;
            Ok(values.values().any(|value| !value.is_nan()))
        }
        Language::PromQl => Ok(prometheus.range(text, LATELY)?.iter().any(has_number)),
        Language::LogQl => Ok(!stack.loki().range(text, LATELY)?.is_empty()),
        Language::TraceQl => Ok(!stack.tempo().search(text, LATELY)?.is_empty()),
        Language::LabelValues => {
            let inside = text
                .strip_prefix("label_values(")
                .and_then(|text| text.strip_suffix(')'));
            let (selector, label) = inside
                .and_then(|text| text.rsplit_once(','))
                .ok_or("write label_values(selector, label)")?;
            let path = format!("/api/v1/label/{}/values", label.trim());
            let values = prometheus.data(&path, &[("match[]", selector.trim())])?;
            Ok(values.as_array().is_some_and(|values| !values.is_empty()))
        }
    }
}

fn has_number(series: &Value) -> bool {
    let classic = series["values"].as_array().into_iter().flatten();
    let mut numbers = classic.filter_map(|value| value[1].as_str());
    numbers.any(|number| number != "NaN") || series["histograms"].is_array()
}

/// Every rule's expression is evaluated by a query, and its metrics exist.
pub(crate) fn rules_ask_about_what_exists(stack: &Stack) {
    let prometheus = stack.prometheus();
    let rules = prometheus.rules().expect("Prometheus answers");
    let recorded = rules.iter().filter(|rule| rule["type"] == "recording");
    let recorded: BTreeSet<_> = recorded.filter_map(|rule| rule["name"].as_str()).collect();
    let mut asked = BTreeSet::new();
    for rule in &rules {
        let expression = rule["query"].as_str().expect("a rule has a query");
        if let Err(error) = prometheus.values(expression, &[]) {
            panic!("{}: {error}\n{expression}", rule["name"]);
        }
        let tree = prometheus.data("/api/v1/parse_query", &[("query", expression)]);
        collect_names(&tree.expect("Prometheus parsed it before"), &mut asked);
    }
    assert!(
        !asked.is_empty(),
        "the rules ask about something: {rules:?}"
    );
    wait::until("all metrics that rules ask about", || {
        let there = metric_names(stack);
        let missing: Vec<_> = asked
            .iter()
            .filter(|name| !there.contains(*name) && !is_about_what_is_not_there(name))
            // Long windows are recorded minutes apart. Whether they are right is another test's question.
            .filter(|name| !recorded.contains(name.as_str()))
            .collect();
        if missing.is_empty() {
            Ok(())
        } else {
            Err(format!("{missing:?}"))
        }
    });
}

/// Names of metrics in a syntax tree of Prometheus.
fn collect_names(tree: &Value, names: &mut BTreeSet<String>) {
    match tree {
        Value::Object(node) => {
            let selects = matches!(
                node.get("type").and_then(Value::as_str),
                Some("vectorSelector" | "matrixSelector")
            );
            if let (true, Some(name)) = (selects, node.get("name").and_then(Value::as_str)) {
                names.extend((!name.is_empty()).then(|| name.to_owned()));
            }
            node.values().for_each(|value| collect_names(value, names));
        }
        Value::Array(nodes) => nodes.iter().for_each(|value| collect_names(value, names)),
        _ => {}
    }
}

fn metric_names(stack: &Stack) -> BTreeSet<String> {
    let names = stack
        .prometheus()
        .data("/api/v1/label/__name__/values", &[]);
    let names = names.expect("Prometheus answers");
    let names = names.as_array().into_iter().flatten();
    names.filter_map(Value::as_str).map(str::to_owned).collect()
}
