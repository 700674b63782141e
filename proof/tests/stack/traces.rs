//! What Tempo knows.

use http::Request;
use spinfo_proof::stack::tempo::{Span, Tempo};
use spinfo_proof::stack::{Stack, wait};
use spinfo_tests::Client;

use crate::drive::{Driven, SECRET};

/// Seconds back that searches look.
const LATELY: u64 = 600;

/// One request is one trace: the host's span, the component's in the host, the guest's own and its key-value operation.
pub(crate) fn one_request_is_one_trace(stack: &Stack, driven: &Driven) {
    let tempo = stack.tempo();
    for (trace, route, method) in [
        (&driven.status, "/status", "GET"),
        (&driven.upload, "/file_upload", "POST"),
    ] {
        let component = if route == "/status" {
            "status"
        } else {
            "wordcount"
        };
        wait::until(&format!("the whole trace of {method} {route}"), || {
            let spans = tempo.trace(trace)?;
            let below = |parent: &str, what: &str, is: &dyn Fn(&Span) -> bool| {
                let found = spans.iter().find(|span| span.parent == parent && is(span));
                found
                    .cloned()
                    .ok_or_else(|| format!("no span of {what} below {parent:?} in {spans:#?}"))
            };
            let host = below("", "the host", &|span| span.kind == "SPAN_KIND_SERVER")?;
            let call = below(&host.id, "the component", &|span| span.name == component)?;
            let guest = below(&call.id, "the guest", &|span| {
                span.name == format!("{component} {method} {route}")
            })?;
            let store = below(&guest.id, "the store", &|span| {
                span.attributes.contains_key("db.system.name")
            })?;
            if store.kind == "SPAN_KIND_CLIENT" {
                Ok(())
            } else {
                Err(format!("the store's span is no client's: {store:?}"))
            }
        });
    }
}

/// TraceQL's structural operator finds the edges between host and guest.
pub(crate) fn edges_are_found_by_structure(stack: &Stack, driven: &Driven) {
    let tempo = stack.tempo();
    found(
        &tempo,
        r#"{ resource.service.name = "spinfo" && kind = server && span.http.route = "/status" }
           >> { resource.wasm.component = "status" && span.db.namespace = "default" }"#,
        &driven.status,
    );
    found(
        &tempo,
        r#"{ kind = server } >> { resource.wasm.component = "wordcount" }"#,
        &driven.upload,
    );
}

/// Failed and slow requests are there, as what they are, though not all traces of the drive are.
pub(crate) fn errors_and_slow_ones_are_kept(stack: &Stack, driven: &Driven) {
    let (tempo, prometheus) = (stack.tempo(), stack.prometheus());
    let dropped = r#"otelcol_processor_tail_sampling_global_count_traces_sampled_total{decision="not_sampled"}"#;
    wait::until("traces that the Collector left out", || {
        let dropped = prometheus.value(dropped)?;
        dropped
            .filter(|count| *count > 0.0)
            .map(drop)
            .ok_or_else(|| format!("{dropped:?}"))
    });
    found(
        &tempo,
        r#"{ kind = server && status = error && span.http.response.status_code = 503 }"#,
        &driven.failed,
    );
    found(
        &tempo,
        r#"{ kind = server && span.error.type = "trap" }"#,
        &driven.trapped,
    );
    found(
        &tempo,
        r#"{ kind = server && duration > 1s && span.http.route = "/delay/:seconds" }"#,
        &driven.slow,
    );
}

fn found(tempo: &Tempo, query: &str, trace: &String) {
    wait::until(&format!("{trace} in the answer to {query}"), || {
        let found = tempo.search(query, LATELY)?;
        found
            .contains(trace)
            .then_some(())
            .ok_or_else(|| format!("{found:?}"))
    });
}

/// What a client sends as a credential is in no trace and no log line.
pub(crate) fn credentials_of_a_client_are_kept_nowhere(stack: &Stack, driven: &Driven) {
    let spans = stack
        .tempo()
        .raw_trace(&driven.status)
        .expect("it was there before");
    let text = spans.to_string();
    assert!(text.contains("page=1"), "the query is in the trace: {text}");
    assert!(!text.contains(SECRET), "{text}");
    let query = format!(r#"{{service_name=~".+"}} |= "{SECRET}""#);
    let lines = stack
        .loki()
        .lines(&query, LATELY)
        .expect("Loki takes the query");
    assert!(lines.is_empty(), "{lines:?}");
}

/// The Collector removes credentials that another sender records.
pub(crate) fn the_collector_redacts(stack: &Stack) {
    let trace = "5b8efff798038103d269b633813fc60c";
    let attributes = serde_json::json!([
        {"key": "http.request.header.authorization", "value": {"stringValue": SECRET}},
        {"key": "http.request.header.x-note", "value": {"stringValue": format!("Bearer {SECRET}")}},
        {"key": "url.query", "value": {"stringValue": format!("page=2&access_token={SECRET}")}},
        {"key": "db.password", "value": {"stringValue": SECRET}},
        {"key": "gen_ai.usage.input_tokens", "value": {"stringValue": "kept"}},
    ]);
    let now = format!("{:.0}", spinfo_proof::stack::api::now() * 1e9);
    let resource = serde_json::json!({"attributes": [{"key": "service.name", "value": {"stringValue": "careless"}}]});
    let span = serde_json::json!({
        "traceId": trace, "spanId": "eee19b7ec3c1b174", "name": "careless", "kind": 2, "status": {"code": 2},
        "startTimeUnixNano": now, "endTimeUnixNano": now, "attributes": attributes,
    });
    let record = serde_json::json!({
        "timeUnixNano": now, "traceId": trace, "attributes": attributes,
        "body": {"stringValue": format!("sent Authorization: Bearer {SECRET} to http://user:{SECRET}@host/")},
    });
    for (path, message) in [
        (
            "/v1/traces",
            serde_json::json!({"resourceSpans": [{"resource": resource, "scopeSpans": [{"spans": [span]}]}]}),
        ),
        (
            "/v1/logs",
            serde_json::json!({"resourceLogs": [{"resource": resource, "scopeLogs": [{"logRecords": [record]}]}]}),
        ),
    ] {
        let request = Request::post(path).header("content-type", "application/json");
        let request = request
            .body(message.to_string().into())
            .expect("a good request");
        let answer = Client::connect(stack.otlp()).send(request);
        assert_eq!(answer.status, 200, "{path}: {answer:?}");
    }
    let kept = wait::until("the careless trace", || {
        stack
            .tempo()
            .raw_trace(trace)
            .map(|trace| trace.to_string())
    });
    let lines = wait::until("the careless line", || {
        let lines = stack.loki().lines(r#"{service_name="careless"}"#, LATELY)?;
        if lines.is_empty() {
            Err("no line".to_owned())
        } else {
            Ok(format!("{lines:?}"))
        }
    });
    for text in [kept, lines] {
        assert!(!text.contains(SECRET), "{text}");
        assert!(text.contains("page=2") && text.contains("kept"), "{text}");
    }
}
