//! What a receiver of OTLP gets, and what no receiver changes.

use std::time::Instant;

use opentelemetry_proto::tonic::metrics::v1::{metric, number_data_point};
use spinfo_test_receiver::{Received, Receiver, attribute, hex};

use crate::program::{Said, command};
use crate::server::{Reply, Server, answer, well};

fn traced(arguments: &[&str], endpoint: &str) -> Said {
    let mut command = command(arguments);
    command.env("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint);
    Said::of(command.output().unwrap())
}

/// The only value of a gauge, and the URL that it is about.
fn gauge(received: &Received, name: &str) -> Option<(f64, Option<String>)> {
    let metrics = received.metric(name);
    let Some(metric::Data::Gauge(gauge)) = &metrics.first()?.data else {
        panic!("{name} is no gauge: {metrics:?}");
    };
    let [point] = &*gauge.data_points else {
        panic!("one point of {name}: {metrics:?}");
    };
    let value = match point.value {
        Some(number_data_point::Value::AsDouble(value)) => value,
        ref other => panic!("{name}: {other:?}"),
    };
    Some((value, attribute(&point.attributes, "url.full")))
}

#[test]
fn a_check_is_one_trace() {
    let receiver = Receiver::start();
    let server = Server::start(|request| match &*request.path {
        "/" => Reply::Send(answer("302 Found", &["location: /sick"], "")),
        "/sick" => Reply::Send(answer("503 Service Unavailable", &[], "")),
        _ => {
            let now = std::time::UNIX_EPOCH.elapsed().unwrap().as_nanos();
            let body = format!(r#"{{"received_ns":{now},"transmitted_ns":{now}}}"#);
            Reply::Send(answer("200 OK", &[], &body))
        }
    });
    let said = traced(
        &[&server.url("/"), "--json", "--samples", "2"],
        &receiver.url(),
    );
    assert_eq!(said.code, 2, "{}", said.stdout);
    let report = said.json();
    let trace = report["trace_id"].as_str().expect("a trace");
    receiver.wait("the spans", |received| received.spans_of(trace).len() == 4);
    receiver.look(|received| {
        let root = received.span(trace, "probe").expect("the check");
        assert!(root.parent_span_id.is_empty());
        assert_eq!(
            attribute(&root.attributes, "url.full"),
            Some(server.url("/"))
        );
        assert_eq!(
            attribute(&root.attributes, "error.type"),
            Some("status".to_owned())
        );
        assert_eq!(root.status.as_ref().map(|status| status.code), Some(2));
        let resource = &received.resource_of(root).expect("a resource").attributes;
        assert_eq!(
            attribute(resource, "service.name"),
            Some("spinfo-probe".to_owned())
        );
        assert_eq!(
            attribute(resource, "service.namespace"),
            Some("spinfo".to_owned())
        );
        let children = received
            .spans_of(trace)
            .into_iter()
            .filter(|span| span.name != "probe");
        for child in children {
            assert_eq!(child.parent_span_id, root.span_id, "{child:?}");
            assert_eq!(child.kind, 3, "client");
            assert_eq!(
                attribute(&child.attributes, "server.address"),
                Some("127.0.0.1".to_owned())
            );
        }
        // Each request carries the span that it belongs to.
        for request in server.requests() {
            let parent = request.header("traceparent").expect("a parent");
            let (id, span) = (&parent[3..35], &parent[36..52]);
            assert_eq!(id, trace);
            let span = received
                .spans_of(trace)
                .into_iter()
                .find(|found| hex(&found.span_id) == span)
                .expect("the request's span");
            let url = attribute(&span.attributes, "url.full").expect("a URL");
            assert_eq!(url, server.url(&request.path));
        }
        let clock = received.span(trace, "clock").expect("the clock");
        assert!(attribute(&clock.attributes, "spinfo.probe.clock.offset").is_some());
    });
}

#[test]
fn what_was_measured_is_a_gauge_and_nothing_else_is() {
    let receiver = Receiver::start();
    let server = Server::start(well);
    let url = server.url("/?sig=secret");
    let said = traced(&[&url, "--no-clock"], &receiver.url());
    assert_eq!(said.code, 0, "{}", said.stdout);
    let shown = Some(server.url("/?sig=REDACTED"));
    receiver.wait("metrics", |received| {
        !received.metric("probe.success").is_empty()
    });
    receiver.look(|received| {
        assert_eq!(gauge(received, "probe.success"), Some((1.0, shown.clone())));
        assert_eq!(
            gauge(received, "probe.http.status_code"),
            Some((200.0, shown.clone()))
        );
        let (duration, _) = gauge(received, "probe.duration").expect("a duration");
        assert!(duration > 0.0 && duration < 60.0);
        assert_eq!(received.metric("probe.duration")[0].unit, "s");
        assert_eq!(received.metric("probe.success")[0].unit, "");
        for absent in [
            "spinfo.probe.clock.offset",
            "probe.ssl.earliest_cert_expiry",
        ] {
            assert_eq!(gauge(received, absent), None);
        }
    });
}

#[test]
fn without_an_endpoint_there_is_no_trace() {
    let server = Server::start(well);
    let said = crate::program::probe_no_clock(&[&server.url("/"), "--json"]);
    assert!(said.json()["trace_id"].is_null());
    assert_eq!(server.requests()[0].header("traceparent"), None);
}

/// The variables of a container are those of the program in it.
#[test]
fn a_health_check_can_leave_the_variables_alone() {
    let receiver = Receiver::start();
    let server = Server::start(well);
    let arguments = [&*server.url("/"), "--json", "--no-clock", "--no-telemetry"];
    let said = traced(&arguments, &receiver.url());
    assert_eq!(said.code, 0, "{}", said.stdout);
    assert!(said.json()["trace_id"].is_null(), "{}", said.stdout);
    receiver.look(|received| {
        assert!(received.traces.is_empty() && received.metrics.is_empty());
    });
}

#[test]
fn a_receiver_that_is_gone_changes_nothing() {
    let gone = Server::start(well).url("");
    let server = Server::start(well);
    let began = Instant::now();
    let said = traced(&[&server.url("/"), "--no-clock"], &gone);
    said.expect(0, "HTTP 200");
    assert!(began.elapsed().as_secs() < 10, "{:?}", began.elapsed());
}
