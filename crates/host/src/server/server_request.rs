//! One request and its response, from the first byte of the head to the last of the body: the one place that measures them.

use std::sync::Arc;
use std::time::Instant;

use http::{HeaderMap, Method, StatusCode, Version, header};
use opentelemetry::{KeyValue, StringValue};
use spinfo_names::values::RejectionReason;
use spinfo_program::telemetry::protocol_version;
use spinfo_telemetry::names;
use wasmtime_wasi_http::Error;

use super::admission::Slot;
use super::body::RequestBytes;
use crate::metrics::Metrics;
use crate::runtime::dispatcher::Run;
use crate::trace::HostSpan;

/// Ends when it is dropped, whatever the reason: then the request is counted and its spans end.
pub(crate) struct ServerRequest {
    pub(crate) span: HostSpan,
    /// The component that answers; its span lasts as long as its body.
    pub(crate) component: Option<Run>,
    pub(crate) request_body: Option<Arc<RequestBytes>>,
    metrics: Arc<Metrics>,
    begun: Instant,
    method: &'static str,
    scheme: &'static str,
    version: &'static str,
    route: Option<Arc<str>>,
    status: Option<StatusCode>,
    error: Option<&'static str>,
    /// Of the response's body, where its head says it.
    length: Option<u64>,
    sent: u64,
    body: BodyState,
    limit: Option<RejectionReason>,
    slot: Option<Slot>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum BodyState {
    /// The response has no body to wait for.
    Complete,
    Sending,
    Failed,
}

/// What is known when a request arrives.
pub(crate) struct Arrival {
    pub(crate) method: &'static str,
    pub(crate) scheme: &'static str,
    pub(crate) version: Version,
    pub(crate) route: Option<Arc<str>>,
}

impl ServerRequest {
    pub(crate) fn begin(metrics: Arc<Metrics>, arrival: Arrival, span: HostSpan) -> Self {
        let request = Self {
            span,
            component: None,
            request_body: None,
            metrics,
            begun: Instant::now(),
            method: arrival.method,
            scheme: arrival.scheme,
            version: protocol_version(arrival.version),
            route: arrival.route,
            status: None,
            error: None,
            length: None,
            sent: 0,
            body: BodyState::Complete,
            limit: None,
            slot: None,
        };
        request
            .metrics
            .active_requests
            .add(1, &request.active_attributes());
        request
    }

    /// Holds a place among the requests under way until the request ends.
    pub(crate) fn hold(&mut self, slot: Slot) {
        self.slot = Some(slot);
    }

    /// The request met a limit, which will be counted.
    pub(crate) fn refused(&mut self, limit: RejectionReason) {
        self.limit = Some(limit);
    }

    /// The head of the response is on its way. `error` is the host's reason when the answer is not the component's.
    pub(crate) fn answered(&mut self, status: StatusCode, error: Option<&'static str>) {
        self.status = Some(status);
        self.error = error;
    }

    /// A body of the component follows, of the length that the response's head says. The response to HEAD has none on
    /// the wire (RFC 9110 section 9.3.2).
    pub(crate) fn expect_body(&mut self, method: &Method, headers: &HeaderMap) {
        if *method == Method::HEAD {
            return;
        }
        let length = headers
            .get(header::CONTENT_LENGTH)
            .and_then(|length| length.to_str().ok()?.parse().ok());
        self.length = length;
        if length != Some(0) {
            self.body = BodyState::Sending;
        }
    }

    /// hyper asks for nothing more once it has as many bytes as the head announced.
    pub(crate) fn sending(&mut self, bytes: usize) {
        self.sent += bytes as u64;
        if self.length.is_some_and(|length| self.sent >= length) {
            self.body_sent();
        }
    }

    /// Whether the end of the body is one that the component meant.
    ///
    /// # Errors
    /// When the component failed before.
    pub(crate) fn end_of_body(&self) -> Result<(), Error> {
        self.component.as_ref().map_or(Ok(()), Run::end)
    }

    pub(crate) fn body_sent(&mut self) {
        self.body = BodyState::Complete;
        self.component = None;
    }

    pub(crate) fn body_failed(&mut self, error: &Error) {
        self.body = BodyState::Failed;
        self.error = Some("incomplete_response");
        if let Error::HttpResponseTimeout = error {
            self.refused(RejectionReason::RequestTimeout);
        }
        if let Some(run) = &mut self.component {
            run.span
                .set(KeyValue::new(names::ERROR_TYPE, "incomplete_response"));
            run.span.fail(error.to_string());
        }
        let _attached = crate::trace::attach(self.span.context().clone());
        tracing::warn!(%error, "a response ended before it was complete");
    }

    fn active_attributes(&self) -> [KeyValue; 2] {
        [
            KeyValue::new(names::HTTP_REQUEST_METHOD, self.method),
            KeyValue::new(names::URL_SCHEME, self.scheme),
        ]
    }
}

impl Drop for ServerRequest {
    fn drop(&mut self) {
        let error = match (self.status, self.body) {
            // Dropped while the guest worked or while the body was sent: the client has gone.
            (None, _) | (_, BodyState::Sending) => Some("client_disconnected"),
            _ => self.error,
        };
        self.metrics
            .active_requests
            .add(-1, &self.active_attributes());

        let mut attributes = Vec::with_capacity(6);
        attributes.push(KeyValue::new(names::HTTP_REQUEST_METHOD, self.method));
        attributes.push(KeyValue::new(names::URL_SCHEME, self.scheme));
        attributes.push(KeyValue::new(names::NETWORK_PROTOCOL_VERSION, self.version));
        if let Some(route) = &self.route {
            attributes.push(KeyValue::new(
                names::HTTP_ROUTE,
                StringValue::from(route.clone()),
            ));
        }
        if let Some(status) = self.status {
            let code = KeyValue::new(names::HTTP_RESPONSE_STATUS_CODE, i64::from(status.as_u16()));
            self.span.set(code.clone());
            attributes.push(code);
        }
        let error = error.map(StringValue::from).or_else(|| {
            self.status
                .filter(StatusCode::is_server_error)
                .map(|status| StringValue::from(status.as_str().to_owned()))
        });
        if let Some(error) = error {
            let error = KeyValue::new(names::ERROR_TYPE, error);
            self.span.set(error.clone());
            attributes.push(error);
            if self.status.is_none_or(|status| status.is_server_error())
                || self.body == BodyState::Failed
            {
                self.span.fail("");
            }
        }
        let span = Some(self.span.context());
        self.metrics
            .request_duration
            .record(self.begun.elapsed().as_secs_f64(), &attributes, span);
        self.metrics
            .response_body_size
            .record(self.sent, &attributes, span);
        let exceeded = self
            .request_body
            .as_ref()
            .is_some_and(|body| body.exceeded());
        let too_large = exceeded.then_some(RejectionReason::BodyTooLarge);
        if let Some(limit) = self.limit.or(too_large) {
            self.metrics.rejected(limit);
        }
        if let Some(body) = &self.request_body {
            self.metrics
                .request_body_size
                .record(body.read(), &attributes, span);
        }
    }
}
