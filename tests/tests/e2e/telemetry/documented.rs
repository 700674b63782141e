//! docs/telemetry.md lists every span, metric, attribute and log field there is. Both ways: what is sent is listed, and what
//! is listed is sent by something that this drive does.

use std::collections::{BTreeMap, BTreeSet};

use http::Request;
use opentelemetry_proto::tonic::common::v1::KeyValue;
use opentelemetry_proto::tonic::metrics::v1::metric::Data;
use opentelemetry_proto::tonic::resource::v1::Resource;
use spinfo_tests::receiver::{Received, attribute};
use spinfo_tests::{FixtureApp, Host, Receiver, Up, artifacts, deadline};

use super::{exported, exporting, traced};

mod outside;

/// Names, each with the names of the attributes it was seen with or is listed with.
type Listed = BTreeMap<String, BTreeSet<String>>;

#[test]
fn what_is_sent_is_what_the_document_lists() {
    let receiver = Receiver::start();
    let fast = |up: Up| {
        up.env("OTEL_BSP_SCHEDULE_DELAY", "100")
            .env("OTEL_BLRP_SCHEDULE_DELAY", "100")
            .env("OTEL_METRIC_EXPORT_INTERVAL", "200")
            .env(
                "OTEL_RESOURCE_ATTRIBUTES",
                "deployment.environment.name=test",
            )
            .start()
    };
    let mut host = fast(exporting(&receiver, "http/protobuf"));
    drive(&host);
    let mut narrow = fast(exporting(&receiver, "grpc").args([
        "--workers",
        "1",
        "--max-in-flight",
        "1",
        "--max-queue",
        "1",
    ]));
    overload(&narrow);
    let app = FixtureApp::echo("");
    let mut fixture = fast(exported(Up::new(app.manifest()), &receiver, "grpc"));
    forbidden(&fixture);
    reload(&app, &fixture);
    let mut deaf = fast(
        Up::exporting(&receiver.url()).env("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:9"),
    );
    traced(&deaf, "GET", "/");
    let lost = deadline::until("the host to count what it lost", || {
        let page = deaf.admin("/metrics");
        let lost = page
            .text()
            .lines()
            .filter(|line| line.starts_with("spinfo_telemetry_"))
            .count();
        (lost >= 3).then(|| page.text().to_owned())
    });
    for host in [&mut host, &mut narrow, &mut fixture, &mut deaf] {
        host.stop();
    }

    receiver.look(|received| {
        let mut metrics = metrics(received);
        for name in ["spans.dropped", "logs.dropped", "metric_exports.failed"] {
            let name = format!("spinfo.telemetry.{name}");
            assert!(
                lost.contains(&name.replace('.', "_")),
                "{name} is not in {lost}"
            );
            metrics
                .entry(name)
                .or_default()
                .insert("error.type".to_owned());
        }
        // A component counts what it lost once the receiver takes something again; its own tests see to that.
        metrics.insert(
            "spinfo.telemetry.dropped".to_owned(),
            ["signal".to_owned()].into(),
        );
        assert_listed(&[
            ("Resource", resources(received)),
            ("Spans", spans(received)),
            ("Metrics", metrics),
            ("Log records", records(received)),
        ]);
    });
}

fn drive(host: &Host) {
    for (method, path) in [
        // First, because an instance that traps takes along what it had not sent yet.
        ("GET", "/panic"),
        ("GET", "/?token=secret"),
        ("GET", "/status/503"),
        ("GET", "/nowhere"),
        ("BREW", "/healthz"),
        ("GET", "/files"),
        ("GET", "/readyz"),
        ("POST", "/status/change"),
        ("DELETE", "/status"),
    ] {
        traced(host, method, path);
    }
    let upload = "--b\r\ncontent-disposition: form-data; name=\"new_file\"; filename=\"a.txt\"\r\n\r\ntwo words\r\n--b--\r\n";
    let upload = Request::post("/file_upload")
        .header("content-type", "multipart/form-data; boundary=b")
        .body(upload.as_bytes().to_vec());
    assert_eq!(host.send(upload.unwrap()).status, 200);
}

/// One request is being worked on, one waits, one is turned away.
fn overload(host: &Host) {
    let until = |what: &str, metric: &str| {
        deadline::until(what, || {
            let page = host.admin("/metrics");
            let there = |line: &str| line.starts_with(metric) && line.ends_with(" 1");
            page.text().lines().any(there).then_some(())
        });
    };
    std::thread::scope(|scope| {
        let working = scope.spawn(|| traced(host, "GET", "/delay/2"));
        until("an instance to work", "wasm_instances_live{");
        let waiting = scope.spawn(|| traced(host, "GET", "/"));
        until("a request to wait", "spinfo_queue_depth");
        assert_eq!(traced(host, "GET", "/").status, 503);
        for accepted in [working, waiting] {
            assert_eq!(accepted.join().unwrap().status, 200);
        }
    });
}

/// A component asks a server that its manifest doesn't name.
fn forbidden(host: &Host) {
    let request = Request::get("/")
        .header("x-do", "fetch")
        .header("x-arg", "http://127.0.0.1:9/");
    assert_eq!(host.send(request.body(Vec::new()).unwrap()).status, 502);
}

/// One that works, which warns of what it can't change, and one that doesn't.
fn reload(app: &FixtureApp, host: &Host) {
    for (from, to, outcome) in [("1.0.0", "2.0.0", "ok"), ("source", "sauce", "refused")] {
        app.edit(|text| text.replace(from, to));
        host.signal("HUP");
        deadline::until("a reload", || {
            let now = host.admin("/revision").json();
            (now["reloads"][outcome] == 1 && now["draining"] == 0).then_some(())
        });
    }
}

fn keys(attributes: &[KeyValue]) -> impl Iterator<Item = String> {
    attributes.iter().map(|attribute| attribute.key.clone())
}

/// Who sends: the components say which they are, and what isn't a part of the service has a name of its own.
fn sender(resource: Option<&Resource>) -> &'static str {
    let attributes = resource.map_or(&[][..], |resource| &resource.attributes);
    if attribute(attributes, "wasm.component").is_some() {
        return "component";
    }
    match attribute(attributes, "service.name").as_deref() {
        Some("spinfo-probe") => "probe",
        Some("spinfo-monitor") => "monitor",
        _ => "host",
    }
}

fn resources(received: &Received) -> Listed {
    let mut sent = Listed::new();
    let traces = received.traces.iter().map(|group| &group.resource);
    let metrics = received.metrics.iter().map(|group| &group.resource);
    let logs = received.logs.iter().map(|group| &group.resource);
    for resource in traces.chain(metrics).chain(logs) {
        let resource = resource.as_ref();
        sent.entry(sender(resource).to_owned()).or_default().extend(
            resource
                .into_iter()
                .flat_map(|resource| keys(&resource.attributes)),
        );
    }
    sent
}

fn spans(received: &Received) -> Listed {
    let mut sent = Listed::new();
    for group in &received.traces {
        for span in group.scope_spans.iter().flat_map(|scope| &scope.spans) {
            let kind = format!("{:?}", span.kind()).to_uppercase();
            let name = format!("{} {kind}", sender(group.resource.as_ref()));
            sent.entry(name).or_default().extend(keys(&span.attributes));
        }
    }
    sent
}

fn metrics(received: &Received) -> Listed {
    let mut sent = Listed::new();
    let scopes = received
        .metrics
        .iter()
        .flat_map(|group| &group.scope_metrics);
    for metric in scopes.flat_map(|scope| &scope.metrics) {
        let seen = sent.entry(metric.name.clone()).or_default();
        match metric.data.as_ref().unwrap() {
            Data::Gauge(gauge) => seen.extend(
                gauge
                    .data_points
                    .iter()
                    .flat_map(|point| keys(&point.attributes)),
            ),
            Data::Sum(sum) => seen.extend(
                sum.data_points
                    .iter()
                    .flat_map(|point| keys(&point.attributes)),
            ),
            Data::Histogram(histogram) => {
                seen.extend(
                    histogram
                        .data_points
                        .iter()
                        .flat_map(|point| keys(&point.attributes)),
                );
            }
            other => panic!(
                "{} is of a kind that nothing here sends: {other:?}",
                metric.name
            ),
        }
    }
    sent
}

fn records(received: &Received) -> Listed {
    let mut sent = Listed::new();
    for group in &received.logs {
        for record in group.scope_logs.iter().flat_map(|scope| &scope.log_records) {
            sent.entry(sender(group.resource.as_ref()).to_owned())
                .or_default()
                .extend(keys(&record.attributes));
        }
    }
    sent
}

/// Compares each of these with the table below its heading.
fn assert_listed(sections: &[(&str, Listed)]) {
    let document =
        std::fs::read_to_string(artifacts::workspace().join("docs/telemetry.md")).unwrap();
    let mut differences = Vec::new();
    for (heading, sent) in sections {
        compare(heading, sent, &listed(&document, heading), &mut differences);
    }
    assert!(
        differences.is_empty(),
        "docs/telemetry.md and what is sent differ:\n{}",
        differences.join("\n")
    );
}

/// The rows of the tables below a heading, up to the next one: what the first cell names, with every name of an attribute in the
/// last.
fn listed(document: &str, heading: &str) -> Listed {
    let is_heading = |line: &&str| line.starts_with("## ") || line.starts_with("### ");
    let mut lines = document.lines();
    let found =
        lines.find(|line| is_heading(line) && line.trim_start_matches(['#', ' ']) == heading);
    assert!(
        found.is_some(),
        "docs/telemetry.md has no heading \"{heading}\""
    );
    let section = lines.take_while(|line| !is_heading(line));
    let mut listed = Listed::new();
    for row in section.filter(|line| line.starts_with("| `")) {
        let cells: Vec<&str> = row.trim_matches('|').split('|').collect();
        let attributes: BTreeSet<String> = code(cells.last().unwrap()).collect();
        for name in code(cells[0]) {
            listed.entry(name).or_default().extend(attributes.clone());
        }
    }
    listed
}

/// What stands between backticks.
fn code(cell: &str) -> impl Iterator<Item = String> {
    cell.split('`').skip(1).step_by(2).map(str::to_owned)
}

fn compare(heading: &str, sent: &Listed, listed: &Listed, differences: &mut Vec<String>) {
    let names: BTreeSet<&String> = sent.keys().chain(listed.keys()).collect();
    for name in names {
        match (sent.get(name), listed.get(name)) {
            (Some(sent), Some(listed)) if sent == listed => {}
            // Most fields of log records are those of faults.
            (Some(sent), Some(listed))
                if heading.to_lowercase().ends_with("log records") && sent.is_subset(listed) => {}
            (sent, listed) => differences.push(format!(
                "{heading}: {name}: sent {sent:?}, listed {listed:?}"
            )),
        }
    }
}
