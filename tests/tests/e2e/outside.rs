//! The probe and the monitor against the real service. What they make of servers that are wrong on purpose is tested with
//! them.

use http::Request;
use spinfo_tests::outside::{Said, exporting, monitor, monitor_command, probe, run};
use spinfo_tests::receiver::{attribute, hex};
use spinfo_tests::{Host, Receiver, Up};

fn set_status(host: &Host, body: &str) {
    let put = Request::put("/status").header("content-type", "application/json");
    let answer = host.send(put.body(body.as_bytes().to_vec()).unwrap());
    assert_eq!(answer.status, 200, "{answer:?}");
}

#[test]
fn the_probe_needs_no_flags() {
    let host = Up::spinfo().start();
    let said = probe(&[&host.url("")]);
    assert_eq!(said.code, 0, "{said:?}");
    assert!(
        said.stdout.starts_with("SPINFO OK - HTTP 200 in "),
        "{said:?}"
    );

    let said = probe(&["--json", &host.url("")]);
    let report = &said.json()[0];
    assert_eq!(report["clock"]["source"], "json", "{report}");
    assert_eq!(report["clock"]["verdict"], "within", "{report}");
    let offset = report["clock"]["offset_seconds"].as_f64().unwrap();
    let bound = report["clock"]["error_bound_seconds"].as_f64().unwrap();
    assert!(
        offset.abs() <= bound,
        "it is one clock, so the true offset is none: {report}"
    );
}

#[test]
fn the_probe_sees_what_the_service_is_told_to_answer() {
    let host = Up::spinfo().start();
    set_status(&host, r#"{"code": 503, "message": "maintenance"}"#);
    let said = probe(&["--no-clock", &host.url("/status")]);
    assert_eq!(said.code, 2, "{said:?}");
    assert!(
        said.stdout.starts_with("SPINFO CRITICAL - HTTP 503"),
        "{said:?}"
    );

    let said = probe(&["--no-clock", "--expect-status", "503", &host.url("/status")]);
    assert_eq!(said.code, 0, "{said:?}");
    let said = probe(&[
        "--no-clock",
        "--expect-text",
        "nobody said this",
        &host.url("/"),
    ]);
    assert_eq!(said.code, 2, "{said:?}");
}

#[test]
fn the_probe_is_the_health_check_of_the_host() {
    let mut host = Up::spinfo().start();
    let readyz = format!("http://{}/readyz", host.admin);
    assert_eq!(probe(&["--no-clock", &readyz]).code, 0);
    host.stop();
    let said = probe(&["--no-clock", &readyz]);
    assert_eq!(said.code, 2, "{said:?}");
}

fn summary(said: &Said) -> serde_json::Value {
    let mut lines = said.json();
    let summary = lines.pop().unwrap_or_default();
    assert_eq!(summary["kind"], "summary", "{said:?}");
    summary["targets"][0].clone()
}

#[test]
fn the_monitor_changes_the_state_and_sees_it_changed() {
    let host = Up::spinfo().start();
    let said = monitor(&[
        "--interval",
        "50ms",
        "--change-interval",
        "300ms",
        "--count",
        "40",
        &host.url(""),
    ]);
    assert_eq!(said.code, 0, "{said:?}");
    let summary = summary(&said);
    assert_eq!(summary["failures"], 0, "{summary}");
    assert!(summary["changes"]["ok"].as_u64() >= Some(2), "{summary}");
    assert_eq!(summary["changes"]["failed"], 0, "{summary}");
    assert_eq!(summary["changes"]["mismatch"], 0, "{summary}");
    let states: std::collections::BTreeSet<_> = said
        .json()
        .iter()
        .filter(|line| line["kind"] == "request")
        .filter_map(|line| line["state"].as_str().map(str::to_owned))
        .collect();
    assert!(
        states.contains("degraded") && states.contains("failing"),
        "{states:?}"
    );
    let after = host.get("/status");
    assert_eq!(
        after.json()["state"],
        "ok",
        "it was not put back: {after:?}"
    );
}

#[test]
fn a_state_that_somebody_else_set_is_a_failure() {
    let host = Up::spinfo().start();
    set_status(&host, r#"{"code": 503}"#);
    let said = monitor(&[
        "--interval",
        "20ms",
        "--count",
        "5",
        "--fail-over",
        "10%",
        &host.url(""),
    ]);
    assert_eq!(said.code, 1, "{said:?}");
    let summary = summary(&said);
    assert_eq!(summary["failures"], 5, "{summary}");
    assert_eq!(summary["errors"]["status"], 5, "{summary}");
}

#[test]
fn changes_need_the_token_of_the_service() {
    let host = Up::spinfo()
        .env("SPIN_VARIABLE_ADMIN_TOKEN", "open sesame")
        .start();
    let url = host.url("");
    let arguments = [
        "--interval",
        "20ms",
        "--change-interval",
        "100ms",
        "--count",
        "20",
        &url,
    ];
    let said = run(monitor_command(&arguments).env("SPINFO_ADMIN_TOKEN", "open sesame"));
    assert!(
        summary(&said)["changes"]["ok"].as_u64() >= Some(1),
        "{said:?}"
    );

    let said = run(monitor_command(&arguments).env("SPINFO_ADMIN_TOKEN", "close barley"));
    assert!(
        summary(&said)["changes"]["failed"].as_u64() >= Some(1),
        "{said:?}"
    );
    assert!(
        !said.stdout.contains("barley") && !said.stderr.contains("barley"),
        "the token was shown: {said:?}"
    );
}

#[test]
fn the_monitors_span_is_the_root_of_the_services_trace() {
    let receiver = Receiver::start();
    let host = Up::exporting(&receiver.url())
        .env("OTEL_EXPORTER_OTLP_ENDPOINT", receiver.url())
        .env("OTEL_BSP_SCHEDULE_DELAY", "100")
        .start();
    let url = host.url("");
    let mut command = monitor_command(&["--interval", "20ms", "--count", "3", &url]);
    let said = run(exporting(&mut command, &receiver));
    assert_eq!(said.code, 0, "{said:?}");
    let first = &said.json()[0];
    let trace = first["trace_id"].as_str().unwrap().to_owned();
    receiver.wait("spans of monitor, host and component", |received| {
        received.spans_of(&trace).len() >= 4
    });
    receiver.look(|received| {
        let spans = received.spans_of(&trace);
        let service = |span| {
            let resource = received.resource_of(span).unwrap();
            attribute(&resource.attributes, "service.name").unwrap()
        };
        let root = spans
            .iter()
            .find(|span| span.parent_span_id.is_empty())
            .expect("a root");
        assert_eq!(service(root), "spinfo-monitor");
        let served = spans
            .iter()
            .find(|span| span.parent_span_id == root.span_id)
            .unwrap_or_else(|| panic!("nothing below {}", hex(&root.span_id)));
        assert_eq!(
            (service(served).as_str(), served.name.as_str()),
            ("spinfo", "GET /status")
        );
    });
}
