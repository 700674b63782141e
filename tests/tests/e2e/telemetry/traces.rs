//! Spans: one trace for each request, with the right parents and names.

use std::collections::HashMap;

use http::Request;
use opentelemetry_proto::tonic::trace::v1::Span;
use opentelemetry_proto::tonic::trace::v1::span::SpanKind;
use serde_json::json;
use spinfo_tests::Receiver;
use spinfo_tests::receiver::{attribute, hex};

use super::{PARENT, TRACE, of, start, traced};

fn one_request_is_one_trace(protocol: &str) {
    let receiver = Receiver::start();
    let host = start(&receiver, protocol);
    let answer = traced(&host, "GET", "/status?a=b&sig=secret");
    assert_eq!(answer.trace_id(), TRACE);

    let (server, component, guest, all) = receiver.wait_for("the trace", |received| {
        let span = |name| received.span(TRACE, name).cloned();
        let all: Vec<Span> = received.spans_of(TRACE).into_iter().cloned().collect();
        Some((
            span("GET /status")?,
            span("status")?,
            span("status GET /status")?,
            all,
        ))
    });
    assert_eq!(hex(&server.parent_span_id), PARENT);
    assert_eq!(server.kind(), SpanKind::Server);
    assert_eq!(server.trace_state, "a=1");
    assert_eq!(component.parent_span_id, server.span_id);
    assert_eq!(guest.parent_span_id, component.span_id);
    assert!(
        guest.start_time_unix_nano >= server.start_time_unix_nano
            && guest.end_time_unix_nano <= server.end_time_unix_nano
    );
    let names: HashMap<_, _> = all.iter().map(|span| (&span.span_id, &span.name)).collect();
    for span in all.iter().filter(|span| span.name != server.name) {
        assert!(
            names.contains_key(&span.parent_span_id),
            "{} has no parent in the trace",
            span.name
        );
    }

    for (key, value) in [
        ("http.request.method", "GET"),
        ("http.route", "/status"),
        ("http.response.status_code", "200"),
        ("url.scheme", "http"),
        ("url.path", "/status"),
        ("url.query", "a=b&sig=REDACTED"),
        ("server.address", "127.0.0.1"),
        ("server.port", &host.address.port().to_string()),
        ("client.address", "127.0.0.1"),
        ("network.peer.address", "127.0.0.1"),
        ("user_agent.original", "tests/1.0"),
    ] {
        assert_eq!(of(&server, key), value, "{key}");
    }
    assert_eq!(of(&guest, "http.route"), "/status");
    assert_eq!(of(&guest, "http.response.status_code"), "200");

    let resources = receiver.look(|received| {
        [&server, &guest].map(|span| received.resource_of(span).unwrap().attributes.clone())
    });
    for attributes in &resources {
        assert_eq!(
            attribute(attributes, "service.name").as_deref(),
            Some("spinfo")
        );
        for key in [
            "service.version",
            "service.instance.id",
            "telemetry.sdk.name",
        ] {
            assert!(
                attribute(attributes, key).is_some_and(|value| !value.is_empty()),
                "{key} in {attributes:?}"
            );
        }
    }
    assert_eq!(
        attribute(&resources[1], "wasm.component").as_deref(),
        Some("status")
    );
}

#[test]
fn one_request_is_one_trace_over_http() {
    one_request_is_one_trace("http/protobuf");
}

#[test]
fn one_request_is_one_trace_over_grpc() {
    one_request_is_one_trace("grpc");
}

#[test]
fn the_guest_is_told_of_the_hosts_span() {
    let receiver = Receiver::start();
    let host = start(&receiver, "http/protobuf");
    let request = Request::get("/headers").header("traceparent", format!("00-{TRACE}-{PARENT}-01"));
    let seen = host
        .send(
            request
                .header("baggage", "user=1")
                .body(Vec::new())
                .unwrap(),
        )
        .json();
    let component = receiver.wait_for("the component's span", |received| {
        received.span(TRACE, "lab").cloned()
    });
    assert_eq!(
        seen["traceparent"],
        json!([format!("00-{TRACE}-{}-01", hex(&component.span_id))])
    );
    assert_eq!(seen["baggage"], json!(["user=1"]));
}

#[test]
fn a_malformed_parent_begins_a_new_trace() {
    let receiver = Receiver::start();
    let host = start(&receiver, "http/protobuf");
    for parent in [
        "",
        "00-0-0-01",
        &format!("00-{}-{PARENT}-01", "0".repeat(32)),
        &format!("ff-{TRACE}-{PARENT}-01"),
    ] {
        let answer = host.send(
            Request::get("/version")
                .header("traceparent", parent)
                .body(Vec::new())
                .unwrap(),
        );
        let trace = answer.trace_id().to_owned();
        assert_ne!(trace, TRACE, "{parent}");
        let server = receiver.wait_for("the new trace", |received| {
            received.span(&trace, "GET /version").cloned()
        });
        assert!(server.parent_span_id.is_empty(), "{parent}");
    }
}

#[test]
fn a_trace_that_the_client_does_not_sample_is_not_recorded() {
    let receiver = Receiver::start();
    let mut host = start(&receiver, "http/protobuf");
    let request = Request::get("/status").header("traceparent", format!("00-{TRACE}-{PARENT}-00"));
    assert_eq!(
        host.send(request.body(Vec::new()).unwrap()).trace_id(),
        TRACE
    );
    assert_eq!(host.stop().code(), Some(0));
    receiver.look(|received| {
        assert!(
            received.spans_of(TRACE).is_empty(),
            "{:?}",
            received.spans_of(TRACE)
        );
        assert_eq!(
            received
                .histogram("http.server.request.duration")
                .map(|point| point.count)
                .max(),
            Some(1),
            "metrics are not sampled"
        );
    });
}
