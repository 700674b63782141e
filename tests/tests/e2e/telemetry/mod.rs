//! One request as a receiver sees it: its trace, its metrics and its log lines, joined by one trace id.

mod delivery;
mod documented;
mod exemplars;
mod logs;
mod metrics;
mod traces;

use http::Request;
use opentelemetry_proto::tonic::trace::v1::Span;
use spinfo_tests::receiver::attribute;
use spinfo_tests::{Answer, Host, Receiver, Up};

const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";

const PARENT: &str = "b7ad6b7169203331";

/// Exports at short intervals to a receiver, by the given protocol.
fn start(receiver: &Receiver, protocol: &str) -> Host {
    exporting(receiver, protocol)
        .env("OTEL_BSP_SCHEDULE_DELAY", "100")
        .env("OTEL_BLRP_SCHEDULE_DELAY", "100")
        .env("OTEL_METRIC_EXPORT_INTERVAL", "200")
        .start()
}

fn exporting(receiver: &Receiver, protocol: &str) -> Up {
    exported(Up::exporting(&receiver.url()), receiver, protocol)
}

/// With the host's own telemetry at the receiver.
fn exported(up: Up, receiver: &Receiver, protocol: &str) -> Up {
    up.env("OTEL_EXPORTER_OTLP_ENDPOINT", receiver.url())
        .env("OTEL_EXPORTER_OTLP_PROTOCOL", protocol)
}

fn traced(host: &Host, method: &str, path: &str) -> Answer {
    let request = Request::builder()
        .method(method)
        .uri(path)
        .header("user-agent", "tests/1.0");
    let parent = format!("00-{TRACE}-{PARENT}-01");
    host.send(
        request
            .header("traceparent", parent)
            .header("tracestate", "a=1")
            .body(Vec::new())
            .unwrap(),
    )
}

fn of(span: &Span, key: &str) -> String {
    attribute(&span.attributes, key)
        .unwrap_or_else(|| panic!("{} has no {key}: {:?}", span.name, span.attributes))
}
