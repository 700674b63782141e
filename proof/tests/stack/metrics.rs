//! What Prometheus counts.

use std::collections::BTreeMap;

use spinfo_proof::stack::{Stack, wait};

use crate::drive;

/// Requests by route and status are those that were made: the host's, and those of several instances of each component,
/// which send deltas.
pub(crate) fn requests_are_counted_exactly(stack: &Stack, instance: &str, rounds: u32) {
    let prometheus = stack.prometheus();
    let labels = [
        "http_route",
        "http_request_method",
        "http_response_status_code",
    ];
    for (metric, expected) in [
        (
            "http_server_request_duration_seconds_count",
            drive::host_requests(rounds),
        ),
        (
            "spinfo_component_request_duration_seconds_count",
            drive::component_requests(rounds),
        ),
    ] {
        let query = format!(
            r#"sum by ({}) ({metric}{{job="spinfo/spinfo", instance="{instance}"}})"#,
            labels.join(", ")
        );
        wait::until_equal(metric, &expected, || prometheus.values(&query, &labels));
    }
}

/// Traps, uploads and words are those that there were.
pub(crate) fn deeds_are_counted_exactly(stack: &Stack, instance: &str, rounds: u32) {
    let prometheus = stack.prometheus();
    let (uploads, words) = drive::words(rounds);
    for (metric, labels, expected) in [
        (
            "wasm_traps_total",
            ["wasm_component", "wasm_trap_kind"],
            BTreeMap::from([(
                vec!["lab".to_owned(), "unreachable".to_owned()],
                drive::traps(rounds),
            )]),
        ),
        (
            "spinfo_wordcount_uploads_total",
            ["wasm_component", "outcome"],
            BTreeMap::from([
                (vec!["wordcount".to_owned(), "counted".to_owned()], uploads),
                (
                    vec!["wordcount".to_owned(), "missing".to_owned()],
                    f64::from(rounds),
                ),
            ]),
        ),
        (
            "spinfo_wordcount_words_total",
            ["wasm_component", "outcome"],
            BTreeMap::from([(vec!["wordcount".to_owned(), String::new()], words)]),
        ),
    ] {
        let query = format!(r#"{metric}{{job="spinfo/spinfo", instance="{instance}"}}"#);
        wait::until_equal(metric, &expected, || prometheus.values(&query, &labels));
    }
}

/// A latency bucket names a trace that Tempo has.
pub(crate) fn exemplars_name_traces(stack: &Stack, instance: &str) {
    let (prometheus, tempo) = (stack.prometheus(), stack.tempo());
    for route in ["/delay/:seconds", "/status/:code", "/api/info"] {
        let query = format!(
            r#"http_server_request_duration_seconds_bucket{{instance="{instance}", http_route="{route}"}}"#
        );
        wait::until(
            &format!("an exemplar of {route} whose trace Tempo knows"),
            || {
                let ids = prometheus.exemplars(&query, 600)?;
                let known = ids.iter().find(|id| {
                    tempo.trace(id).is_ok_and(|spans| {
                        spans.iter().any(|span| {
                            span.attributes
                                .get("http.route")
                                .is_some_and(|found| found == route)
                        })
                    })
                });
                known.map(drop).ok_or_else(|| format!("exemplars: {ids:?}"))
            },
        );
    }
}

/// All rules, recording and alerting, are evaluated without an error.
pub(crate) fn rules_are_healthy(stack: &Stack) {
    let prometheus = stack.prometheus();
    wait::until("all rules to be evaluated", || {
        let rules = prometheus.rules()?;
        let sick: Vec<_> = rules.iter().filter(|rule| rule["health"] != "ok").collect();
        match sick.first() {
            _ if rules.is_empty() => Err("there are no rules".to_owned()),
            None => Ok(()),
            Some(_) => Err(format!("{sick:#?}")),
        }
    });
}

/// Tempo makes a service graph and span metrics of the spans.
pub(crate) fn traces_become_metrics(stack: &Stack) {
    let prometheus = stack.prometheus();
    for (query, labels, expected) in [
        // The client has no spans of its own.
        (
            "sum by (client, server) (traces_service_graph_request_total)",
            ["client", "server"],
            ["user", "spinfo"],
        ),
        // A key-value store has none either.
        (
            "sum by (client, server) (traces_service_graph_request_total)",
            ["client", "server"],
            ["spinfo", "key-value default"],
        ),
        (
            r#"traces_spanmetrics_calls_total{span_kind="SPAN_KIND_SERVER"}"#,
            ["service", "span_name"],
            ["spinfo", "GET /status"],
        ),
        (
            r#"traces_spanmetrics_latency_count{span_kind="SPAN_KIND_SERVER"}"#,
            ["service", "span_name"],
            ["spinfo", "POST /file_upload"],
        ),
    ] {
        wait::until(&format!("{expected:?} in {query}"), || {
            let found = prometheus.values(query, &labels)?;
            found
                .contains_key(expected.map(str::to_owned).as_slice())
                .then_some(())
                .ok_or_else(|| format!("{found:?}"))
        });
    }
}
