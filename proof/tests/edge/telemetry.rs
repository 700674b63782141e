//! Spans, metrics and the access log.

use http::Request;
use opentelemetry_proto::tonic::trace::v1::span::SpanKind;
use spinfo_proof::edge::caddy::get;
use spinfo_proof::edge::{Replicas, Settings};
use spinfo_tests::receiver::{attribute, hex};
use spinfo_tests::{Client, Receiver, Up};

const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";

#[test]
#[ignore = "needs Caddy; see proof/backends/install"]
fn edge_host_and_component_are_one_trace() {
    let receiver = Receiver::start();
    let mut replicas = Replicas::none(1);
    let host = Up::exporting(&receiver.url())
        .env("OTEL_EXPORTER_OTLP_ENDPOINT", receiver.url())
        .env("OTEL_EXPORTER_OTLP_PROTOCOL", "http/protobuf")
        .env("OTEL_BSP_SCHEDULE_DELAY", "100");
    replicas.hosts.push(replicas.host(0, host));
    let edge = Settings::before(&replicas, 1)
        .without_env("OTEL_TRACES_EXPORTER")
        .env("OTEL_SERVICE_NAME", "edge")
        .env("OTEL_EXPORTER_OTLP_ENDPOINT", receiver.url())
        .env("OTEL_EXPORTER_OTLP_PROTOCOL", "http/protobuf")
        .env("OTEL_BSP_SCHEDULE_DELAY", "100")
        .start()
        .with_certificates();

    // The client's trace goes on.
    let parent = format!("00-{TRACE}-b7ad6b7169203331-01");
    let request = Request::get("/status?traced").header("traceparent", parent);
    let answer = edge.send(request.body(Vec::new()).unwrap());
    assert_eq!(answer.trace_id(), TRACE);
    // A client without one gets the edge's.
    let own = edge.get("/status?own").trace_id().to_owned();
    for (trace, parent) in [(TRACE, "b7ad6b7169203331"), (&*own, "")] {
        let (edge, server, component, guest) = receiver.wait_for("the trace", |received| {
            let span = |name: &str| received.span(trace, name).cloned();
            Some((
                span("GET")?,
                span("GET /status")?,
                span("status")?,
                span("status GET /status")?,
            ))
        });
        assert_eq!(hex(&edge.parent_span_id), parent);
        assert_eq!(edge.kind(), SpanKind::Server);
        assert_eq!(server.parent_span_id, edge.span_id);
        assert_eq!(component.parent_span_id, server.span_id);
        assert_eq!(guest.parent_span_id, component.span_id);
        let name = receiver.look(|received| {
            let resource = received.resource_of(&edge).unwrap();
            attribute(&resource.attributes, "service.name")
        });
        assert_eq!(name.as_deref(), Some("edge"));
    }
    // A method that nobody knows is no name for a span.
    let odd = Request::builder().method("ODD").uri("/status?odd");
    let trace = edge
        .send(odd.body(Vec::new()).unwrap())
        .trace_id()
        .to_owned();
    receiver.wait("a span named HTTP", |received| {
        received.span(&trace, "HTTP").is_some()
    });
}

#[test]
#[ignore = "needs Caddy; see proof/backends/install"]
fn the_access_log_names_the_trace_and_no_secret() {
    let replicas = Replicas::start(1);
    let edge = Settings::before(&replicas, 1).start().with_certificates();
    let request = Request::get("/status?access_token=SECRET1&sig=SECRET2&kept=yes")
        .header("authorization", "Bearer SECRET3")
        .header("proxy-authorization", "Basic SECRET4")
        .header("cookie", "session=SECRET5")
        .header("x-api-key", "SECRET6")
        .header("user-agent", "tests/1.0");
    let answer = edge.send(request.body(Vec::new()).unwrap());
    let entry = edge.entry("kept=yes");
    assert_eq!(entry.0["trace_id"], answer.trace_id());
    assert_eq!(entry.0["span_id"].as_str().map(str::len), Some(16));
    assert_eq!(entry.0["status"], 200);
    assert_eq!(entry.0["request"]["method"], "GET");
    assert_eq!(entry.0["request"]["headers"]["User-Agent"][0], "tests/1.0");
    assert_eq!(entry.upstream(), replicas.upstream(0));
    assert!(
        entry.0["duration"]
            .as_f64()
            .is_some_and(|duration| duration > 0.0)
    );
    // The same on port 80, where a client may have sent them by mistake.
    let request = Request::get("/status?access_token=SECRET1&redirected=yes")
        .header("authorization", "Bearer SECRET3");
    Client::connect(edge.http).send(request.body(Vec::new()).unwrap());
    edge.entry("redirected=yes");
    for line in edge.log.so_far() {
        assert!(
            serde_json::from_str::<serde_json::Value>(&line).is_ok_and(|line| line.is_object()),
            "not JSON: {line}"
        );
        assert!(!line.contains("SECRET"), "{line}");
    }
}

#[test]
#[ignore = "needs Caddy; see proof/backends/install"]
fn metrics_have_a_listener_of_their_own() {
    let replicas = Replicas::start(1);
    let edge = Settings::before(&replicas, 1).start().with_certificates();
    assert_eq!(edge.get("/version").status, 200);
    let metrics = Client::connect(edge.metrics).send(get("/metrics"));
    for name in [
        "caddy_http_requests_total{",
        "caddy_http_request_duration_seconds_bucket{",
        "caddy_http_requests_in_flight{",
        &format!(
            "caddy_reverse_proxy_upstreams_healthy{{upstream=\"{}\"}} 1",
            replicas.upstream(0)
        ),
    ] {
        assert!(
            metrics.text().contains(name),
            "no {name}: {}",
            metrics.text()
        );
    }
    let health = Client::connect(edge.metrics).send(get("/healthz"));
    assert_eq!((health.status.as_u16(), health.text()), (200, "ok\n"));
    assert_eq!(edge.get("/metrics").status, 404, "clients get none");
}
