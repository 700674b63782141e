//! Metrics: at the receiver and on `/metrics`.

use spinfo_tests::receiver::attribute;
use spinfo_tests::{Receiver, Up};

use super::{start, traced};

fn requests_are_measured(protocol: &str) {
    let receiver = Receiver::start();
    let host = start(&receiver, protocol);
    traced(&host, "GET", "/status/503");
    traced(&host, "BREW", "/healthz");
    traced(&host, "GET", "/nothing/here");
    let point = |route: Option<&str>, method: &str, status: &str| {
        receiver.wait_for(
            &format!("the duration of {method} {route:?} {status}"),
            |received| {
                let mut points = received.histogram("http.server.request.duration");
                let found = points.find(|point| {
                    let is = |key: &str| attribute(&point.attributes, key);
                    is("http.route").as_deref() == route
                        && is("http.request.method").as_deref() == Some(method)
                        && is("http.response.status_code").as_deref() == Some(status)
                });
                found.cloned()
            },
        )
    };
    let failed = point(Some("/status/:code"), "GET", "503");
    assert_eq!(failed.count, 1);
    assert_eq!(
        attribute(&failed.attributes, "error.type").as_deref(),
        Some("503")
    );
    assert_eq!(
        attribute(&failed.attributes, "url.scheme").as_deref(),
        Some("http")
    );
    assert_eq!(
        attribute(&failed.attributes, "network.protocol.version").as_deref(),
        Some("1.1")
    );
    let buckets = [
        0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0,
    ];
    assert_eq!(failed.explicit_bounds, buckets);
    point(Some("/healthz"), "_OTHER", "405");
    point(None, "GET", "404");
    receiver.wait_for("the guest's own metrics", |received| {
        let mut points = received.histogram("spinfo.component.request.duration");
        points
            .find(|point| {
                attribute(&point.attributes, "http.route").as_deref() == Some("/status/:code")
            })
            .map(drop)
    });
    let unit = receiver.look(|received| {
        received
            .metric("http.server.request.duration")
            .first()
            .unwrap()
            .unit
            .clone()
    });
    assert_eq!(unit, "s");
    for name in [
        "http.server.active_requests",
        "wasm.instances.created",
        "wasm.instances.live",
        "wasm.instantiation.duration",
    ] {
        receiver.wait_for(name, |received| received.metric(name).first().map(drop));
    }
}

#[test]
fn requests_are_measured_over_http() {
    requests_are_measured("http/protobuf");
}

#[test]
fn requests_are_measured_over_grpc() {
    requests_are_measured("grpc");
}

#[test]
fn host_and_components_are_one_instance_of_one_service() {
    let receiver = Receiver::start();
    let host = start(&receiver, "http/protobuf");
    traced(&host, "GET", "/");
    let resource = |metric: &str| {
        receiver.wait_for(metric, |received| {
            let group = received.metrics.iter().find(|group| {
                let mut metrics = group.scope_metrics.iter().flat_map(|scope| &scope.metrics);
                metrics.any(|other| other.name == metric)
            });
            Some(group?.resource.clone().unwrap().attributes)
        })
    };
    let of_host = resource("http.server.request.duration");
    let of_component = resource("spinfo.component.request.duration");
    for key in ["service.name", "service.namespace", "service.instance.id"] {
        let value = attribute(&of_host, key);
        assert!(value.is_some(), "{of_host:?} has no {key}");
        assert_eq!(attribute(&of_component, key), value);
    }
}

#[test]
fn the_metrics_page_is_open_metrics_with_the_names_of_otlp() {
    let host = Up::spinfo().start();
    traced(&host, "GET", "/status");
    let page = host.admin("/metrics");
    assert!(
        page.header("content-type")
            .starts_with("application/openmetrics-text"),
        "{page:?}"
    );
    let text = page.text();
    assert!(text.ends_with("# EOF\n"));
    let count = |line: &str| {
        line.starts_with("http_server_request_duration_seconds_count{")
            && line.contains("http_route=\"/status\"")
            && line.ends_with(" 1")
    };
    assert!(text.lines().any(count), "{text}");
}
