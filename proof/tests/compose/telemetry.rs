//! What the backends know about the requests.

use std::collections::BTreeMap;

use http::Request;
use spinfo_proof::stack::api::Api;
use spinfo_proof::stack::loki::Loki;
use spinfo_proof::stack::prometheus::Prometheus;
use spinfo_proof::stack::tempo::{Span, Tempo};
use spinfo_proof::stack::wait::{until, until_equal};

use crate::project::Project;
use crate::requests::{Driven, replicas, send};

/// How far back to look, in seconds: longer than all of it takes.
const LATELY: u64 = 900;

/// Each request is one trace, of the host and of the component below it.
pub(crate) fn traces_arrive(project: &Project, driven: &Driven) {
    let tempo = tempo(project);
    for (trace, component) in &driven.traces {
        until(&format!("the trace {trace} of {component}"), || {
            let spans = tempo.trace(trace)?;
            let guest = spans.iter().find(|span| {
                span.scope == "spinfo-guest" && has(span, "wasm.component", component)
            });
            let root = guest.map(|guest| topmost(&spans, guest));
            root.is_some_and(is_the_hosts)
                .then_some(())
                .ok_or_else(|| format!("{spans:#?}"))
        });
    }
}

/// The edge's span is above that of the host, which is above the component's.
pub(crate) fn a_trace_begins_at_the_edge(project: &Project, trace: &str) {
    let tempo = tempo(project);
    until(&format!("the trace {trace}, from the edge on"), || {
        let spans = tempo.trace(trace)?;
        let guest = spans.iter().find(|span| span.scope == "spinfo-guest");
        let root = guest.map(|guest| topmost(&spans, guest));
        let begins = root.is_some_and(|root| has(root, "service.name", "edge"));
        let host = spans.iter().any(|span| {
            span.kind == "SPAN_KIND_SERVER"
                && has(span, "service.name", "spinfo")
                && root.is_some_and(|root| span.parent == root.id)
        });
        (begins && host)
            .then_some(())
            .ok_or_else(|| format!("{spans:#?}"))
    });
}

/// The span above all that are above a span.
fn topmost<'a>(spans: &'a [Span], span: &'a Span) -> &'a Span {
    let above = spans.iter().find(|other| other.id == span.parent);
    above.map_or(span, |above| topmost(spans, above))
}

fn is_the_hosts(span: &Span) -> bool {
    span.kind == "SPAN_KIND_SERVER"
        && span.parent.is_empty()
        && has(span, "service.name", "spinfo")
        && has(span, "deployment.environment.name", "compose")
}

fn has(span: &Span, name: &str, value: &str) -> bool {
    span.attributes
        .get(name)
        .is_some_and(|found| found == value)
}

/// As many as there were, of each replica.
pub(crate) fn requests_are_counted(project: &Project, driven: &Driven) {
    let prometheus = prometheus(project);
    let query = r#"http_server_request_duration_seconds_count{http_route="/version", deployment_environment_name="compose"}"#;
    let mut expected = driven.versions.map(f64::from);
    expected.sort_unstable_by(f64::total_cmp);
    until_equal(
        "what both replicas were asked for",
        &expected.to_vec(),
        || {
            let mut counts: Vec<_> = prometheus
                .values(query, &["instance"])?
                .into_values()
                .collect();
            counts.sort_unstable_by(f64::total_cmp);
            Ok(counts)
        },
    );
    until_equal("the upload, which its component counts", &Some(1.0), || {
        prometheus.value("spinfo_wordcount_uploads_total")
    });
}

/// What was said about a request is found by its trace.
pub(crate) fn log_lines_arrive(project: &Project, driven: &Driven) {
    let loki = Loki(api(project, "loki", 3100));
    let query = format!("{{service_name=\"spinfo\"}} | trace_id=\"{}\"", driven.trap);
    until("log lines of the trap", || {
        let lines = loki.lines(&query, LATELY)?;
        let trapped = lines.iter().any(|line| line.text.contains("trap"));
        trapped.then_some(()).ok_or_else(|| format!("{lines:?}"))
    });
}

/// What users of the edge see: it is up, its clock is right, its certificate is valid, and its answers are measured.
pub(crate) fn clients_report(project: &Project) {
    let prometheus = prometheus(project);
    for (what, query) in [
        ("the edge to be up", "probe_success"),
        (
            "a clock that is known to be right",
            "abs(spinfo_probe_clock_offset_seconds) + spinfo_probe_clock_error_bound_seconds < bool 1",
        ),
        (
            "a certificate that is valid for hours",
            "probe_ssl_earliest_cert_expiry - time() > bool 3600",
        ),
        (
            "requests of the monitor without errors",
            r#"sum(http_client_request_duration_seconds_count{job="spinfo/spinfo-monitor", error_type=""}) > bool 0"#,
        ),
    ] {
        until_equal(what, &Some(1.0), || prometheus.value(query));
    }
    let tempo = tempo(project);
    until("a trace that begins at the monitor", || {
        let query = r#"{ resource.service.name = "spinfo-monitor" } >> { resource.service.name = "spinfo" && name = "GET /status" }"#;
        let found = tempo.search(query, LATELY)?;
        (!found.is_empty())
            .then_some(())
            .ok_or_else(|| "there is none".to_owned())
    });
}

/// Prometheus scrapes every part of the stack, has its rules, and knows where alerts go.
pub(crate) fn the_stack_watches_itself(project: &Project) {
    let prometheus = prometheus(project);
    let services = project.services();
    let watched = [
        "alertmanager",
        "collector",
        "edge",
        "grafana",
        "loki",
        "prometheus",
        "tempo",
    ];
    let expected: BTreeMap<_, _> = watched
        .into_iter()
        .filter(|job| services.iter().any(|service| service == job))
        .map(|job| (vec![job.to_owned()], 1.0))
        .collect();
    until_equal("every part to be scraped", &expected, || {
        prometheus.values("up == 1", &["job"])
    });
    assert!(
        !prometheus.rules().expect("rules").is_empty(),
        "there are no rules"
    );
    until("Prometheus to know the Alertmanager", || {
        let known = prometheus.data("/api/v1/alertmanagers", &[])?;
        let url = known["activeAlertmanagers"][0]["url"]
            .as_str()
            .unwrap_or_default();
        url.contains("//alertmanager:9093/")
            .then_some(())
            .ok_or_else(|| known.to_string())
    });
}

/// A replica that is told to stop hands over what it knows first.
pub(crate) fn the_last_trace_arrives(project: &Project) {
    let [first, _] = replicas(project);
    let answer = send(first, Request::get("/now"), "");
    project.compose(&["stop", "spinfo"]);
    let tempo = tempo(project);
    until("the trace of the last request", || {
        let spans = tempo.trace(answer.trace_id())?;
        spans
            .iter()
            .any(is_the_hosts)
            .then_some(())
            .ok_or_else(|| format!("{spans:#?}"))
    });
}

fn tempo(project: &Project) -> Tempo {
    Tempo(api(project, "tempo", 3200))
}

fn prometheus(project: &Project) -> Prometheus {
    Prometheus(api(project, "prometheus", 9090))
}

fn api(project: &Project, service: &'static str, port: u16) -> Api {
    Api::new(service, project.address(service, 1, port))
}
