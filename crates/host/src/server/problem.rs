//! The host's own answers. Errors are problem documents (RFC 9457).

use bytes::Bytes;
use http::{Response, StatusCode};
use opentelemetry::trace::SpanContext;
use serde::Serialize;
use spinfo_program::server::response;

use crate::trace::{TRACERESPONSE, header_value};

/// An answer of the host.
pub(crate) type HostResponse = Response<Bytes>;

/// RFC 9457 section 3.1, and the trace to look for.
#[derive(Serialize)]
struct Document<'a> {
    r#type: &'static str,
    title: &'static str,
    status: u16,
    detail: &'a str,
    trace_id: String,
}

/// A problem document. `detail` is a sentence for the client, without causes that only concern the operator.
pub(crate) fn problem(status: StatusCode, detail: &str, span: &SpanContext) -> HostResponse {
    let document = Document {
        r#type: "about:blank",
        title: status.canonical_reason().unwrap_or("Error"),
        status: status.as_u16(),
        detail,
        trace_id: span.trace_id().to_string(),
    };
    // Text and a number always make JSON.
    let body = serde_json::to_vec(&document).unwrap_or_default();
    let mut response = response(status, "application/problem+json", body);
    if let Some(value) = header_value(span) {
        response.headers_mut().insert(TRACERESPONSE, value);
    }
    response
}
