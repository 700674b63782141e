//! The links that Grafana draws between the backends lead somewhere: their queries as the data sources have them, filled in
//! as Grafana does, have answers.

use serde_json::Value;
use spinfo_proof::stack::compose::yaml;
use spinfo_proof::stack::launch::configuration;
use spinfo_proof::stack::tempo::Span;
use spinfo_proof::stack::{Stack, wait};

use crate::drive::Driven;

/// The settings of a data source, `$$` as the `$` that Grafana makes of it.
fn data_source(uid: &str) -> Value {
    let file = yaml(&configuration(
        "grafana/provisioning/datasources/datasources.yaml",
    ));
    let sources = file["datasources"]
        .as_array()
        .expect("there are data sources");
    let found = sources.iter().find(|source| source["uid"] == uid);
    let settings =
        found.unwrap_or_else(|| panic!("there is no data source {uid}"))["jsonData"].to_string();
    serde_json::from_str(&settings.replace("$$", "$")).expect("replacing dollars leaves JSON")
}

/// From a span to the log lines of its trace.
pub(crate) fn a_trace_leads_to_its_lines(stack: &Stack, driven: &Driven) {
    let link = &data_source("tempo")["tracesToLogsV2"];
    assert_eq!(
        (&link["datasourceUid"], &link["customQuery"]),
        (&"loki".into(), &true.into())
    );
    let query = link["query"].as_str().expect("a custom query");
    let query = query.replace("${__trace.traceId}", &driven.failed);
    wait::until(&query, || {
        let lines = stack.loki().lines(&query, 600)?;
        if lines.is_empty() {
            Err("no lines".to_owned())
        } else {
            Ok(())
        }
    });
}

/// From a span to the rate, the errors and the duration of its route.
pub(crate) fn a_trace_leads_to_its_metrics(stack: &Stack, driven: &Driven) {
    let link = &data_source("tempo")["tracesToMetrics"];
    assert_eq!(link["datasourceUid"], "prometheus");
    let spans = stack
        .tempo()
        .trace(&driven.failed)
        .expect("it was there before");
    let server = spans
        .iter()
        .find(|span| span.kind == "SPAN_KIND_SERVER")
        .expect("a server's span");
    let tags = tags(link, server);
    assert!(tags.contains(r#"http_route="/status/:code""#), "{tags}");
    let queries = link["queries"].as_array().expect("there are queries");
    assert!(!queries.is_empty());
    for query in queries {
        let query = query["query"]
            .as_str()
            .expect("a query")
            .replace("$__tags", &tags);
        wait::until(&query, || {
            let series = stack.prometheus().range(&query, 300)?;
            if series.is_empty() {
                Err("no series".to_owned())
            } else {
                Ok(())
            }
        });
    }
}

/// What Grafana puts in the place of `$__tags`: a matcher for each tag that the span has.
fn tags(link: &Value, span: &Span) -> String {
    let tags = link["tags"].as_array().expect("there are tags");
    let matchers = tags.iter().filter_map(|tag| {
        let value = span.attributes.get(tag["key"].as_str()?)?;
        Some(format!("{}=\"{value}\"", tag["value"].as_str()?))
    });
    matchers.collect::<Vec<_>>().join(", ")
}

/// From a log line to its trace.
pub(crate) fn a_line_leads_to_its_trace(stack: &Stack, driven: &Driven) {
    let source = data_source("loki");
    let field = &source["derivedFields"][0];
    assert_eq!(
        (&field["datasourceUid"], &field["matcherType"]),
        (&"tempo".into(), &"label".into())
    );
    assert_eq!(field["url"], "${__value.raw}");
    let label = field["matcherRegex"].as_str().expect("the name of a label");
    // A line that was found by what it says.
    let query = format!(
        r#"{{service_name="spinfo"}} |= "panicked" | {label}="{}""#,
        driven.trapped
    );
    let lines = stack
        .loki()
        .lines(&query, 600)
        .expect("Loki takes the query");
    let line = lines.first().unwrap_or_else(|| panic!("no line: {query}"));
    let trace = stack
        .tempo()
        .trace(&line.labels[label])
        .expect("Tempo knows the trace");
    assert!(!trace.is_empty());
}

/// From a dot on a latency panel to its trace.
pub(crate) fn an_exemplar_leads_to_its_trace(stack: &Stack) {
    let link = &data_source("prometheus")["exemplarTraceIdDestinations"][0];
    assert_eq!(
        (&link["datasourceUid"], &link["name"]),
        (&"tempo".into(), &"trace_id".into())
    );
    let query = r#"http_server_request_duration_seconds_bucket{http_response_status_code="503"}"#;
    wait::until("an exemplar that leads to a trace", || {
        let ids = stack.prometheus().exemplars(query, 600)?;
        let known = ids.iter().any(|id| stack.tempo().trace(id).is_ok());
        known.then_some(()).ok_or_else(|| format!("{ids:?}"))
    });
}
