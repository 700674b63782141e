//! What a receiver of telemetry gets, and what the server gets to know of it.

use spinfo_test_receiver::{Receiver, attribute, attributes, hex, text};

use crate::program::Program;
use crate::server::{Server, answer};

#[test]
fn each_request_is_the_root_of_a_trace_that_the_server_can_join() {
    let receiver = Receiver::start();
    let server = Server::start(|_| answer(200, ""));
    let endpoint = receiver.url();
    let environment = [("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint.as_str())];
    let ended = Program::start_with(&[&server.url(), "-n", "2", "-i", "20ms"], &environment).wait();
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);

    let port = server.port();
    for (request, report) in server.requests().iter().zip(ended.requests()) {
        let parent: Vec<_> = request.header("traceparent").unwrap().split('-').collect();
        let [version, trace, span, flags] = parent[..] else {
            panic!("{parent:?}")
        };
        assert_eq!((version, flags), ("00", "01"));
        assert_eq!(report["trace_id"], trace);
        receiver.look(|received| {
            let exported = received.span(trace, "GET /status").unwrap();
            assert_eq!(hex(&exported.span_id), span);
            assert!(exported.parent_span_id.is_empty(), "it is a root");
            assert_eq!(exported.kind, 3, "a client's");
            let expected = [
                "http.request.method=GET".to_owned(),
                "http.response.status_code=200".to_owned(),
                "network.peer.address=127.0.0.1".to_owned(),
                format!("network.peer.port={port}"),
                "network.protocol.version=1.1".to_owned(),
                "server.address=127.0.0.1".to_owned(),
                format!("server.port={port}"),
                format!("url.full=http://127.0.0.1:{port}/status"),
                "url.template=/status".to_owned(),
            ];
            assert_eq!(attributes(&exported.attributes), expected);
            let resource = &received.resource_of(exported).unwrap().attributes;
            assert_eq!(
                attribute(resource, "service.name").as_deref(),
                Some("spinfo-monitor")
            );
            assert_eq!(
                attribute(resource, "service.namespace").as_deref(),
                Some("spinfo")
            );
        });
    }
    receiver.look(|received| {
        let point = received
            .histogram("http.client.request.duration")
            .last()
            .unwrap();
        assert_eq!(point.count, 2);
        let traces: Vec<_> = ended
            .requests()
            .iter()
            .map(|report| report["trace_id"].clone())
            .collect();
        assert!(
            point
                .exemplars
                .iter()
                .all(|exemplar| traces.contains(&hex(&exemplar.trace_id).into())),
            "{point:?}"
        );
        assert!(!point.exemplars.is_empty());
        assert!(!received.metric("spinfo.monitor.missed").is_empty());
    });
}

#[test]
fn a_failure_is_told_in_the_span_and_once_in_the_log() {
    let receiver = Receiver::start();
    let server =
        Server::start(|request| answer(if request.connection < 2 { 503 } else { 200 }, ""));
    let endpoint = receiver.url();
    let ended = Program::start_with(
        &[&server.url(), "-n", "3", "-i", "20ms", "--no-keepalive"],
        &[("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint.as_str())],
    )
    .wait();
    let trace = ended.requests()[0]["trace_id"].as_str().unwrap().to_owned();
    receiver.look(|received| {
        let span = received.span(&trace, "GET /status").unwrap();
        assert_eq!(
            attribute(&span.attributes, "error.type").as_deref(),
            Some("503")
        );
        let status = span.status.as_ref().unwrap();
        assert_eq!(
            (status.code, status.message.as_str()),
            (2, "503 Service Unavailable")
        );

        let said = |body: &str| {
            let mut records = received.records();
            records.retain(|record| record.body.as_ref().map(text).as_deref() == Some(body));
            assert_eq!(records.len(), 1, "{body}");
            records.remove(0)
        };
        let worse = said("requests fail");
        assert_eq!(
            (worse.severity_number, hex(&worse.trace_id)),
            (13, trace.clone())
        );
        let of = |key| attribute(&worse.attributes, key);
        assert_eq!(of("target"), Some(server.url()));
        assert_eq!(of("error.type").as_deref(), Some("status"));
        assert_eq!(of("error").as_deref(), Some("503 Service Unavailable"));
        let better = said("requests succeed again");
        assert_eq!(
            attribute(&better.attributes, "failed").as_deref(),
            Some("2")
        );
    });
}

#[test]
fn a_receiver_that_is_not_there_costs_nothing_but_telemetry() {
    let server = Server::start(|_| answer(200, ""));
    let environment = [("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:9")];
    let ended = Program::start_with(
        &[&server.url(), "-n", "2", "-i", "20ms", "--fail-over", "0"],
        &environment,
    )
    .wait();
    assert_eq!(
        (ended.code, ended.requests().len()),
        (Some(0), 2),
        "{}",
        ended.stderr
    );
}

#[test]
fn without_telemetry_a_traceparent_is_sent_all_the_same() {
    let server = Server::start(|_| answer(200, ""));
    let start = |environment: &[(&str, &str)]| {
        Program::start_with(&[&server.url(), "-n", "1"], environment).wait()
    };
    let ended = start(&[]);
    start(&[("OTEL_TRACES_SAMPLER", "always_off")]);
    let requests = server.requests();
    let sent = |index: usize| requests[index].header("traceparent").unwrap();
    assert!(
        sent(0).ends_with("-01") && sent(1).ends_with("-00"),
        "{requests:?}"
    );
    assert!(sent(0).contains(ended.requests()[0]["trace_id"].as_str().unwrap()));
}
