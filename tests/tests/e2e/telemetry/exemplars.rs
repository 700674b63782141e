//! Exemplars: from a bucket or a count to the trace of one of its requests.

use http::Request;
use opentelemetry_proto::tonic::metrics::v1::exemplar::Value;
use opentelemetry_proto::tonic::metrics::v1::metric::Data;
use opentelemetry_proto::tonic::metrics::v1::{Exemplar, Metric};
use spinfo_tests::receiver::{Received, hex};
use spinfo_tests::{Host, Receiver, deadline};

use super::{PARENT, TRACE, start, traced};

/// All exemplars of one metric.
fn exemplars(metric: &Metric) -> Vec<&Exemplar> {
    match &metric.data {
        Some(Data::Histogram(data)) => {
            let points = data.data_points.iter();
            points.flat_map(|point| &point.exemplars).collect()
        }
        Some(Data::Sum(data)) => {
            let points = data.data_points.iter();
            points.flat_map(|point| &point.exemplars).collect()
        }
        _ => Vec::new(),
    }
}

fn first(received: &Received, metric: &str) -> Option<Exemplar> {
    let metrics = received.metric(metric).into_iter();
    metrics.flat_map(exemplars).next().cloned()
}

/// The page, once a request to `route` has been measured.
fn page(host: &Host, route: &str) -> String {
    let route = format!("http_route=\"{route}\"");
    deadline::until("the request on the page", || {
        let page = host.admin("/metrics").text().to_owned();
        let count = |line: &str| {
            line.starts_with("http_server_request_duration_seconds_count{") && line.contains(&route)
        };
        page.lines().any(count).then_some(page)
    })
}

fn a_request_is_the_exemplar_of_its_measurements(protocol: &str) {
    let receiver = Receiver::start();
    let host = start(&receiver, protocol);
    let answer = traced(&host, "GET", "/status");
    let (server, duration, size) = receiver.wait_for("the span and its exemplars", |received| {
        Some((
            received.span(TRACE, "GET /status")?.clone(),
            first(received, "http.server.request.duration")?,
            first(received, "http.server.response.body.size")?,
        ))
    });
    for exemplar in [&duration, &size] {
        assert_eq!(hex(&exemplar.trace_id), TRACE);
        assert_eq!(exemplar.span_id, server.span_id);
        assert!(exemplar.time_unix_nano >= server.start_time_unix_nano);
    }
    let length = i64::try_from(answer.text().len()).unwrap();
    assert_eq!(size.value, Some(Value::AsInt(length)));
    receiver.look(|received| {
        let counted = received.histogram("http.server.request.duration");
        let counted = counted.filter(|point| !point.exemplars.is_empty());
        for point in counted {
            let value = point.sum.map(Value::AsDouble);
            let values: Vec<_> = point.exemplars.iter().map(|e| e.value).collect();
            assert_eq!(values, [value], "{point:?}");
        }
    });

    let page = page(&host, "/status");
    let span = hex(&server.span_id);
    let expected = format!(" # {{trace_id=\"{TRACE}\",span_id=\"{span}\"}} ");
    for family in [
        "http_server_request_duration_seconds_bucket{",
        "http_server_response_body_size_bytes_bucket{",
    ] {
        let lines = page.lines().filter(|line| line.starts_with(family));
        let found: Vec<_> = lines.filter(|line| line.contains(" # ")).collect();
        assert!(
            found.len() == 1 && found[0].contains(&expected),
            "{found:?}"
        );
    }
}

#[test]
fn a_request_is_the_exemplar_of_its_measurements_over_http() {
    a_request_is_the_exemplar_of_its_measurements("http/protobuf");
}

#[test]
fn a_request_is_the_exemplar_of_its_measurements_over_grpc() {
    a_request_is_the_exemplar_of_its_measurements("grpc");
}

#[test]
fn a_trap_is_counted_with_the_trace_that_it_ended() {
    let receiver = Receiver::start();
    let host = start(&receiver, "http/protobuf");
    assert_eq!(traced(&host, "GET", "/panic").status, 500);
    let (component, exemplar) = receiver.wait_for("the trap's exemplar", |received| {
        let component = received.span(TRACE, "lab")?.clone();
        Some((component, first(received, "wasm.traps")?))
    });
    assert_eq!(hex(&exemplar.trace_id), TRACE);
    assert_eq!(exemplar.span_id, component.span_id);
}

#[test]
fn a_trace_that_is_not_sampled_leaves_no_exemplar() {
    let receiver = Receiver::start();
    let mut host = start(&receiver, "http/protobuf");
    let request = Request::get("/status").header("traceparent", format!("00-{TRACE}-{PARENT}-00"));
    assert_eq!(host.send(request.body(Vec::new()).unwrap()).status, 200);
    let page = page(&host, "/status");
    assert!(!page.contains(" # {"), "{page}");
    assert_eq!(host.stop().code(), Some(0));
    receiver.look(|received| {
        assert!(received.histogram("http.server.request.duration").count() > 0);
        let resources = received.metrics.iter();
        let scopes = resources.flat_map(|resource| &resource.scope_metrics);
        for metric in scopes.flat_map(|scope| &scope.metrics) {
            assert!(exemplars(metric).is_empty(), "{metric:?}");
        }
    });
}
