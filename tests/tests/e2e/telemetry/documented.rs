//! `spinfo_names` lists every span, metric and attribute there is, and docs/telemetry.md the fields of log records. Both ways: what is
//! sent is listed, and what is listed is sent by something that this drive does. And no attribute with a closed set of values has
//! another one.

use std::collections::{BTreeMap, BTreeSet};

use http::Request;
use opentelemetry_proto::tonic::common::v1::{KeyValue, any_value::Value};
use opentelemetry_proto::tonic::metrics::v1::metric::Data;
use opentelemetry_proto::tonic::resource::v1::Resource;
use spinfo_names::span::{Group, RESOURCES, SPANS};
use spinfo_names::{Attribute, Sender, attribute as known, metric};
use spinfo_tests::receiver::{Received, attribute};
use spinfo_tests::{FixtureApp, Host, Receiver, Up, artifacts, deadline};

use super::{exported, exporting, traced};

mod outside;

/// What was sent: names, each with its attributes and the values that they had.
type Sent = BTreeMap<String, BTreeMap<String, BTreeSet<String>>>;

/// What there is: names, each with its attributes.
type Listed = BTreeMap<String, Vec<Attribute>>;

const SERVICE: &[Sender] = &[Sender::Host, Sender::Component];

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
            let seen = metrics.entry(name).or_default();
            seen.entry("error.type".to_owned()).or_default();
        }
        // No store fails here.
        let mut spans = spans(received);
        let store = spans.entry("component CLIENT".to_owned()).or_default();
        store.entry("error.type".to_owned()).or_default();
        // A component counts what it lost once the receiver takes something again; its own tests see to that.
        let dropped = metrics.entry(metric::COMPONENT_DROPPED.name.to_owned());
        let dropped = dropped.or_default().entry(known::SIGNAL.key.to_owned());
        dropped.or_default();
        assert_listed(&[
            (resources(received), groups(RESOURCES, SERVICE)),
            (spans, groups(SPANS, SERVICE)),
            (metrics, listed_metrics(SERVICE)),
        ]);
        assert_documented("Log records", &records(received));
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
    let file = "--b\r\ncontent-disposition: form-data; name=\"new_file\"; filename=\"a.txt\"\r\n\r\ntwo words\r\n--b--\r\n";
    for (form, status) in [(file, 200), ("--b--\r\n", 400)] {
        let upload = Request::post("/file_upload")
            .header("content-type", "multipart/form-data; boundary=b")
            .body(form.as_bytes().to_vec());
        assert_eq!(host.send(upload.unwrap()).status, status, "{form}");
    }
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
    let request = Request::post("/")
        .header("x-do", "fetch")
        .header("x-arg", "http://127.0.0.1:9/");
    assert_eq!(
        host.send(request.body(b"body".to_vec()).unwrap()).status,
        502
    );
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

/// Adds attributes to those that were seen before.
fn see(seen: &mut BTreeMap<String, BTreeSet<String>>, attributes: &[KeyValue]) {
    for KeyValue { key, value, .. } in attributes {
        let value = value.as_ref().and_then(|value| value.value.as_ref());
        let value = match value {
            Some(Value::StringValue(text)) => text.clone(),
            Some(Value::IntValue(number)) => number.to_string(),
            other => format!("{other:?}"),
        };
        seen.entry(key.clone()).or_default().insert(value);
    }
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

fn resources(received: &Received) -> Sent {
    let mut sent = Sent::new();
    let traces = received.traces.iter().map(|group| &group.resource);
    let metrics = received.metrics.iter().map(|group| &group.resource);
    let logs = received.logs.iter().map(|group| &group.resource);
    for resource in traces.chain(metrics).chain(logs) {
        let seen = sent.entry(sender(resource.as_ref()).to_owned());
        let resource = resource.as_ref().expect("everything has a resource");
        see(seen.or_default(), &resource.attributes);
    }
    sent
}

fn spans(received: &Received) -> Sent {
    let mut sent = Sent::new();
    for group in &received.traces {
        for span in group.scope_spans.iter().flat_map(|scope| &scope.spans) {
            let kind = format!("{:?}", span.kind()).to_uppercase();
            let name = format!("{} {kind}", sender(group.resource.as_ref()));
            see(sent.entry(name).or_default(), &span.attributes);
        }
    }
    sent
}

fn metrics(received: &Received) -> Sent {
    let mut sent = Sent::new();
    let scopes = received
        .metrics
        .iter()
        .flat_map(|group| &group.scope_metrics);
    for metric in scopes.flat_map(|scope| &scope.metrics) {
        let seen = sent.entry(metric.name.clone()).or_default();
        match metric.data.as_ref().unwrap() {
            Data::Gauge(gauge) => {
                for point in &gauge.data_points {
                    see(seen, &point.attributes);
                }
            }
            Data::Sum(sum) => {
                for point in &sum.data_points {
                    see(seen, &point.attributes);
                }
            }
            Data::Histogram(histogram) => {
                for point in &histogram.data_points {
                    see(seen, &point.attributes);
                }
            }
            other => panic!(
                "{} is of a kind that nothing here sends: {other:?}",
                metric.name
            ),
        }
    }
    sent
}

fn records(received: &Received) -> Sent {
    let mut sent = Sent::new();
    for group in &received.logs {
        let seen = sent.entry(sender(group.resource.as_ref()).to_owned());
        let seen = seen.or_default();
        for record in group.scope_logs.iter().flat_map(|scope| &scope.log_records) {
            see(seen, &record.attributes);
        }
    }
    sent
}

fn groups(all: &[Group], senders: &[Sender]) -> Listed {
    let groups = all.iter().filter(|group| senders.contains(&group.sender));
    let named = groups.map(|group| {
        let name = format!("{:?}", group.sender).to_lowercase();
        let name = format!("{name} {}", group.kind).trim().to_owned();
        (name, group.attributes.to_vec())
    });
    named.collect()
}

fn listed_metrics(senders: &[Sender]) -> Listed {
    let metrics = metric::ALL
        .iter()
        .filter(|metric| metric.senders.iter().any(|sender| senders.contains(sender)));
    let named = metrics.map(|metric| (metric.name.to_owned(), metric.attributes.to_vec()));
    named.collect()
}

/// Compares names, keys and values.
fn assert_listed(tables: &[(Sent, Listed)]) {
    let mut differences = Vec::new();
    for (sent, listed) in tables {
        let names: BTreeSet<&String> = sent.keys().chain(listed.keys()).collect();
        for name in names {
            let (Some(sent), Some(listed)) = (sent.get(name), listed.get(name)) else {
                differences.push(format!(
                    "{name}: sent: {}, listed: {}",
                    sent.contains_key(name),
                    listed.contains_key(name)
                ));
                continue;
            };
            for (key, values) in sent {
                let Some(attribute) = listed.iter().find(|known| known.key == key) else {
                    differences.push(format!("{name}: {key} is not listed"));
                    continue;
                };
                let wrong = values.iter().filter(|value| !attribute.values.allow(value));
                differences.extend(wrong.map(|value| format!("{name}: {key} is {value:?}")));
            }
            let missing = listed.iter().filter(|known| !sent.contains_key(known.key));
            differences.extend(missing.map(|known| format!("{name}: {} is not sent", known.key)));
        }
    }
    assert!(
        differences.is_empty(),
        "the table of spinfo_names and what is sent differ:\n{}",
        differences.join("\n")
    );
}

/// The fields of log records are in the document's table below `heading`. Not all are sent here: most are those of faults.
fn assert_documented(heading: &str, sent: &Sent) {
    let document =
        std::fs::read_to_string(artifacts::workspace().join("docs/telemetry.md")).unwrap();
    let is_heading = |line: &&str| line.starts_with("## ") || line.starts_with("### ");
    let mut lines = document.lines();
    let found =
        lines.find(|line| is_heading(line) && line.trim_start_matches(['#', ' ']) == heading);
    assert!(
        found.is_some(),
        "docs/telemetry.md has no heading \"{heading}\""
    );
    let section = lines.take_while(|line| !is_heading(line));
    let rows: BTreeMap<&str, BTreeSet<&str>> = section
        .filter(|line| line.starts_with("| `"))
        .map(|row| {
            // What stands between backticks.
            let mut code = row.split('`').skip(1).step_by(2);
            (code.next().unwrap(), code.collect())
        })
        .collect();
    assert!(sent.keys().eq(rows.keys()), "{heading}: sent by {sent:?}");
    for (name, fields) in sent {
        let missing = fields
            .keys()
            .find(|field| !rows[&**name].contains(&***field));
        assert_eq!(missing, None, "{heading} of {name}");
    }
}
