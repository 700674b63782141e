//! The queries of the dashboards in otel/grafana, with values in the place of variables, as Grafana fills them in.

use std::fs;

use serde_json::Value;
use spinfo_proof::stack::launch::configuration;

/// Who answers a query, and in which language.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Language {
    PromQl,
    LogQl,
    TraceQl,
    /// `label_values(selector, label)` of Grafana's Prometheus data source.
    LabelValues,
}

/// A query of a dashboard.
#[derive(Debug)]
pub(crate) struct Query {
    /// Dashboard and panel, variable or annotation.
    pub(crate) place: String,
    pub(crate) language: Language,
    pub(crate) text: String,
    /// Whether it is asked for one point in time.
    pub(crate) instant: bool,
}

/// Variables that Grafana makes itself, for a dashboard of the last ten minutes and a scrape interval of 15 s.
const BUILT_IN: &[(&str, &str)] = &[
    ("__rate_interval", "1m"),
    ("__interval", "15s"),
    ("__auto", "15s"),
    ("__range", "10m"),
    ("__range_s", "600"),
];

/// All queries of all dashboards.
pub(crate) fn queries() -> Vec<Query> {
    let mut queries = Vec::new();
    for dashboard in dashboards() {
        of_dashboard(&dashboard, &mut queries);
    }
    queries
}

/// All dashboards.
pub(crate) fn dashboards() -> Vec<Value> {
    let folder = configuration("grafana/dashboards");
    let files =
        fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let paths = files.map(|file| file.expect("a folder can be read").path());
    let dashboards = paths.filter(|path| {
        path.extension()
            .is_some_and(|extension| extension == "json")
    });
    let dashboards: Vec<_> = dashboards
        .map(|path| {
            let text = fs::read_to_string(&path).expect("a dashboard can be read");
            serde_json::from_str(&text)
                .unwrap_or_else(|error| panic!("{}: {error}", path.display()))
        })
        .collect();
    assert!(
        !dashboards.is_empty(),
        "{} has dashboards",
        folder.display()
    );
    dashboards
}

fn of_dashboard(dashboard: &Value, queries: &mut Vec<Query>) {
    let name = text(&dashboard["title"]);
    let variables = list(&dashboard["templating"]["list"]);
    let mut add = |place: String, language, query: &str, instant| {
        let text = fill_in(query, &|name| value_of(name, variables))
            .unwrap_or_else(|error| panic!("{place}: {error}"));
        queries.push(Query {
            place,
            language,
            text,
            instant,
        });
    };
    for variable in variables
        .iter()
        .filter(|variable| variable["type"] == "query")
    {
        let place = format!("{name}, variable {}", text(&variable["name"]));
        add(
            place,
            Language::LabelValues,
            query_text(&variable["query"]),
            true,
        );
    }
    for annotation in list(&dashboard["annotations"]["list"]) {
        if annotation["datasource"]["type"] != "prometheus" {
            continue;
        }
        let place = format!("{name}, annotation {}", text(&annotation["name"]));
        let query = [&annotation["expr"], &annotation["target"]["expr"]];
        let query = query.into_iter().find(|query| query.is_string());
        add(
            place,
            Language::PromQl,
            text(query.expect("an annotation has a query")),
            false,
        );
    }
    let mut panels: Vec<&Value> = list(&dashboard["panels"]).iter().collect();
    while let Some(panel) = panels.pop() {
        panels.extend(list(&panel["panels"]));
        for target in list(&panel["targets"]) {
            let place = format!("{name}, panel {}", text(&panel["title"]));
            let instant = target["instant"] == true && target["range"] != true;
            match text(&target["datasource"]["type"]) {
                "prometheus" => add(place, Language::PromQl, text(&target["expr"]), instant),
                "loki" => add(place, Language::LogQl, text(&target["expr"]), instant),
                // What Grafana asks Prometheus for to draw it.
                "tempo" if target["queryType"] == "serviceMap" => {
                    add(
                        place,
                        Language::PromQl,
                        "rate(traces_service_graph_request_total[$__range])",
                        true,
                    );
                }
                "tempo" => add(place, Language::TraceQl, text(&target["query"]), instant),
                other => panic!("{place}: no test knows the data source {other:?}"),
            }
        }
    }
}

/// A variable's query is text, or an object with one.
fn query_text(query: &Value) -> &str {
    query.as_str().unwrap_or_else(|| text(&query["query"]))
}

/// Replaces `$name`, `${name}` and `${name:format}`.
pub(crate) fn fill_in(
    query: &str,
    value_of: &dyn Fn(&str) -> Option<String>,
) -> Result<String, String> {
    let mut filled = String::with_capacity(query.len());
    let mut rest = query;
    while let Some(at) = rest.find('$') {
        filled.push_str(&rest[..at]);
        rest = &rest[at + 1..];
        let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
        let name = if let Some(braced) = rest.strip_prefix('{') {
            let (inside, after) = braced.split_once('}').ok_or("a ${ without its }")?;
            rest = after;
            inside.split(':').next().unwrap_or_default()
        } else {
            let (name, after) = rest.split_at(rest.find(|c| !is_name(c)).unwrap_or(rest.len()));
            rest = after;
            name
        };
        filled.push_str(&value_of(name).ok_or(format!("no variable is called {name:?}"))?);
    }
    Ok(filled + rest)
}

/// What a variable is when a dashboard is opened: everything, or the chosen value.
fn value_of(name: &str, variables: &[Value]) -> Option<String> {
    if let Some((_, value)) = BUILT_IN.iter().find(|(built_in, _)| *built_in == name) {
        return Some((*value).to_owned());
    }
    let variable = variables.iter().find(|variable| variable["name"] == name)?;
    if variable["includeAll"] == true {
        return variable["allValue"].as_str().map(str::to_owned);
    }
    variable["current"]["value"].as_str().map(str::to_owned)
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

#[test]
fn variables_are_filled_in_in_all_their_forms() {
    let variables = [
        serde_json::json!({"name": "job", "includeAll": true, "allValue": ".+"}),
        serde_json::json!({"name": "handler", "current": {"value": "subroute"}}),
    ];
    let fill_in = |query| fill_in(query, &|name| value_of(name, &variables));
    assert_eq!(
        fill_in("a{job=~\"$job\", b=\"${handler:pipe}\"}[$__rate_interval]").as_deref(),
        Ok("a{job=~\".+\", b=\"subroute\"}[1m]")
    );
    assert_eq!(fill_in("$x"), Err("no variable is called \"x\"".to_owned()));
}
