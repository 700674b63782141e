//! Log lines: of guests and of the host, each with its trace.

use spinfo_tests::Receiver;
use spinfo_tests::receiver::{attribute, text};

use super::{TRACE, of, start, traced};

fn log_lines_belong_to_their_trace(protocol: &str) {
    let receiver = Receiver::start();
    let host = start(&receiver, protocol);
    // The guest logs the change; its trap is logged by the host.
    assert_eq!(traced(&host, "POST", "/status/change").status, 200);
    assert_eq!(traced(&host, "GET", "/panic").status, 500);
    let lines = receiver.wait_for("lines of guest and host", |received| {
        let lines: Vec<(String, String, bool)> = received
            .records_of(TRACE)
            .into_iter()
            .map(|(record, resource)| {
                let component =
                    resource.and_then(|resource| attribute(&resource.attributes, "wasm.component"));
                let body = record.body.as_ref().map(text).unwrap_or_default();
                (
                    component.unwrap_or_default(),
                    body,
                    !record.span_id.is_empty() && record.severity_number > 0,
                )
            })
            .collect();
        let guest = lines
            .iter()
            .any(|(component, body, _)| component == "status" && body == "status changed");
        let host = lines
            .iter()
            .any(|(component, body, _)| component.is_empty() && body.contains("trapped"));
        (guest && host).then_some(lines)
    });
    assert!(lines.iter().all(|(.., complete)| *complete), "{lines:?}");
    let line = host.log.wait_for_log("the trap on stderr", |line| {
        line["message"].as_str().unwrap().contains("trapped")
    });
    assert_eq!(line["trace_id"], TRACE);

    let server = receiver.wait_for("the span of the trap", |received| {
        received.span(TRACE, "GET /panic").cloned()
    });
    assert_eq!(of(&server, "http.response.status_code"), "500");
    assert_eq!(of(&server, "error.type"), "trap");
    assert_eq!(server.status.unwrap().code, 2, "the status is an error");
}

#[test]
fn log_lines_belong_to_their_trace_over_http() {
    log_lines_belong_to_their_trace("http/protobuf");
}

#[test]
fn log_lines_belong_to_their_trace_over_grpc() {
    log_lines_belong_to_their_trace("grpc");
}
