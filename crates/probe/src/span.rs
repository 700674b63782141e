//! The trace of a check: a span for each, with one for each request in it.

use http::{HeaderMap, StatusCode};
use opentelemetry::trace::{SpanBuilder, SpanKind, Status, TraceContextExt as _, Tracer as _};
use opentelemetry::{Context, KeyValue};
use opentelemetry_sdk::trace::SdkTracer;
use spinfo_client::{Answer, Connection, Failure, Target};
use spinfo_names::attribute;
use spinfo_program::telemetry::protocol_version;
use spinfo_telemetry::Propagator;
use spinfo_telemetry::names::{
    ERROR_TYPE, HTTP_REQUEST_METHOD, HTTP_RESPONSE_STATUS_CODE, NETWORK_PEER_ADDRESS,
    NETWORK_PEER_PORT, NETWORK_PROTOCOL_VERSION, SERVER_ADDRESS, SERVER_PORT, URL_FULL,
};

use crate::clock::{ClockError, Measurement};

/// What makes spans and passes them on.
pub(crate) struct Tracing {
    pub(crate) tracer: SdkTracer,
    pub(crate) propagator: Propagator,
}

/// The span of a check, when there is tracing.
pub(crate) struct CheckSpan(Option<Recording>);

struct Recording {
    tracer: SdkTracer,
    propagator: Propagator,
    context: Context,
}

impl CheckSpan {
    /// Begins the span of a check, in a trace of its own.
    pub(crate) fn begin(tracing: Option<Tracing>, target: &Target) -> Self {
        Self(tracing.map(|Tracing { tracer, propagator }| {
            let builder = tracer
                .span_builder("probe")
                .with_kind(SpanKind::Client)
                .with_attributes(about(target));
            let span = tracer.build_with_context(builder, &Context::new());
            Recording {
                context: Context::new().with_span(span),
                propagator,
                tracer,
            }
        }))
    }

    /// The trace, when it is exported.
    pub(crate) fn trace_id(&self) -> Option<String> {
        let recording = self.0.as_ref()?;
        let span = recording.context.span();
        let context = span.span_context();
        context.is_sampled().then(|| context.trace_id().to_string())
    }

    /// Begins the span of a request and writes it into the request's headers.
    pub(crate) fn request(&self, target: &Target, headers: &mut HeaderMap) -> ChildSpan {
        let method = KeyValue::new(HTTP_REQUEST_METHOD, "GET");
        self.child("GET", Some(method), target, headers)
    }

    /// The same for the measurement of the clock, which is several requests.
    pub(crate) fn clock(&self, target: &Target, headers: &mut HeaderMap) -> ChildSpan {
        self.child("clock", None, target, headers)
    }

    fn child(
        &self,
        name: &'static str,
        method: Option<KeyValue>,
        target: &Target,
        headers: &mut HeaderMap,
    ) -> ChildSpan {
        ChildSpan(self.0.as_ref().map(|recording| {
            let mut attributes = about(target);
            attributes.extend(method);
            let builder: SpanBuilder = recording
                .tracer
                .span_builder(name)
                .with_kind(SpanKind::Client)
                .with_attributes(attributes);
            let span = recording
                .tracer
                .build_with_context(builder, &recording.context);
            let context = recording.context.with_span(span);
            recording.propagator.inject(&context, headers);
            context
        }))
    }

    /// Ends the span with the status of the last answer, and for a check that failed with the sort of failure and the reason.
    pub(crate) fn end(self, status: Option<StatusCode>, failure: Option<(&'static str, String)>) {
        let Some(recording) = self.0 else { return };
        let span = recording.context.span();
        if let Some(status) = status {
            span.set_attribute(status_code(status));
        }
        if let Some((error_type, message)) = failure {
            fail(&recording.context, error_type, &message);
        }
        span.end();
    }
}

/// The span of one request, or of the clock's requests, when there is tracing.
pub(crate) struct ChildSpan(Option<Context>);

impl ChildSpan {
    /// Ends the span of a request.
    pub(crate) fn end_request(
        self,
        connection: Option<&Connection>,
        asked: &Result<Answer, Failure>,
    ) {
        let Some(context) = self.0 else { return };
        let span = context.span();
        if let Some(connection) = connection {
            let peer = connection.peer();
            span.set_attribute(KeyValue::new(NETWORK_PEER_ADDRESS, peer.ip().to_string()));
            span.set_attribute(KeyValue::new(NETWORK_PEER_PORT, i64::from(peer.port())));
        }
        match asked {
            Ok(answer) => {
                span.set_attribute(status_code(answer.status));
                let version = protocol_version(answer.version);
                span.set_attribute(KeyValue::new(NETWORK_PROTOCOL_VERSION, version));
                if answer.status.is_client_error() || answer.status.is_server_error() {
                    let status = answer.status.as_u16().to_string();
                    span.set_attribute(KeyValue::new(ERROR_TYPE, status));
                    span.set_status(Status::error(""));
                }
            }
            Err(failure) => fail(&context, failure.error_type(), &failure.message),
        }
        span.end();
    }

    /// Ends the span of a measurement.
    pub(crate) fn end_clock(self, measured: &Result<Measurement, ClockError>) {
        let Some(context) = self.0 else { return };
        let span = context.span();
        match measured {
            Ok(measurement) => {
                let estimate = &measurement.estimate;
                let values = [
                    (attribute::CLOCK_OFFSET.key, estimate.offset_s()),
                    (attribute::CLOCK_ERROR_BOUND.key, estimate.bound_s()),
                ];
                for (name, value) in values {
                    span.set_attribute(KeyValue::new(name, value));
                }
            }
            Err(ClockError::Failed(failure)) => {
                fail(&context, failure.error_type(), &failure.message);
            }
            Err(error) => fail(&context, "clock", &error.to_string()),
        }
        span.end();
    }
}

fn fail(context: &Context, error_type: &'static str, message: &str) {
    let span = context.span();
    span.set_attribute(KeyValue::new(ERROR_TYPE, error_type));
    span.set_status(Status::error(message.to_owned()));
}

fn about(target: &Target) -> Vec<KeyValue> {
    vec![
        KeyValue::new(URL_FULL, target.to_string()),
        KeyValue::new(SERVER_ADDRESS, target.host().to_owned()),
        KeyValue::new(SERVER_PORT, i64::from(target.port())),
    ]
}

fn status_code(status: StatusCode) -> KeyValue {
    KeyValue::new(HTTP_RESPONSE_STATUS_CODE, i64::from(status.as_u16()))
}
