//! The links of the dashboards' panels to traces and log lines: each leads to some, for a route or component of the drive.

use serde_json::Value;
use spinfo_proof::stack::{Stack, wait};

use crate::grafana::{self, Language, Query};
use crate::queries;

/// What the point has that is clicked on: `/status` has been slow and has failed, `lab` has trapped.
const CLICKED: &[(&str, &str)] = &[
    ("__field.labels.http_route", "/status"),
    ("__field.labels.http_response_status_code", "500"),
    ("__field.labels.error_type", "500"),
    ("__field.labels.wasm_component", "lab"),
    ("__from", "now-10m"),
    ("__to", "now"),
    ("tempo_datasource", "tempo"),
    ("loki_datasource", "loki"),
];

/// All links to Explore have something to show.
pub(crate) fn links_of_panels_lead_somewhere(stack: &Stack) {
    let mut links = Vec::new();
    for dashboard in grafana::dashboards() {
        let name = dashboard["title"].as_str().unwrap_or_default().to_owned();
        collect(&dashboard, &name, &mut links);
    }
    assert!(!links.is_empty(), "the dashboards have links to Explore");
    for link in links {
        wait::until(&format!("{}: {}", link.place, link.text), || {
            let found = queries::ask(stack, &link)?;
            found.then_some(()).ok_or_else(|| "nothing".to_owned())
        });
    }
}

fn collect(value: &Value, dashboard: &str, links: &mut Vec<Query>) {
    match value {
        Value::Object(object) => {
            let field = |name: &str| object.get(name).and_then(Value::as_str);
            if let (Some(title), Some(url)) = (field("title"), field("url")) {
                let place = format!("{dashboard}, link {title}");
                links.extend(
                    url.strip_prefix("/explore?")
                        .map(|query| query_of(query, place)),
                );
            }
            object
                .values()
                .for_each(|value| collect(value, dashboard, links));
        }
        Value::Array(values) => values
            .iter()
            .for_each(|value| collect(value, dashboard, links)),
        _ => {}
    }
}

/// The query in a link's `panes`, a JSON object of Explore's panes by their ids.
fn query_of(query: &str, place: String) -> Query {
    let value = |name: &str| match name {
        // A cell of a table, whose column is a route's or a component's.
        "__value.raw" if query.contains("component") => Some("lab".to_owned()),
        "__value.raw" => Some("/status".to_owned()),
        _ => {
            let found = CLICKED.iter().find(|(known, _)| *known == name);
            found.map(|(_, value)| (*value).to_owned())
        }
    };
    let query = grafana::fill_in(query, &value).unwrap_or_else(|error| panic!("{place}: {error}"));
    let mut pairs = form_urlencoded::parse(query.as_bytes());
    let panes = pairs
        .find(|(name, _)| name == "panes")
        .map(|(_, panes)| panes);
    let panes: Value = panes
        .and_then(|panes| serde_json::from_str(&panes).ok())
        .unwrap_or_else(|| panic!("{place} has no panes: {query}"));
    let pane = panes.as_object().and_then(|panes| panes.values().next());
    let query = &pane.expect("a link has a pane")["queries"][0];
    let (language, text) = match query["datasource"]["type"].as_str() {
        Some("tempo") => (Language::TraceQl, &query["query"]),
        Some("loki") => (Language::LogQl, &query["expr"]),
        other => panic!("{place}: no test knows the data source {other:?}"),
    };
    let text = text.as_str().expect("a query is text").to_owned();
    Query {
        place,
        language,
        text,
        instant: false,
    }
}
