//! Spans of the host: one for the request as the client sees it, below it one for each component that works on it.

use std::time::SystemTime;

use http::{HeaderMap, HeaderName, HeaderValue};
use opentelemetry::trace::{
    Span as _, SpanBuilder, SpanContext, SpanId, SpanKind, Status, TraceContextExt as _,
    TraceFlags, TraceId, Tracer as _,
};
use opentelemetry::{Context, ContextGuard, KeyValue};
use opentelemetry_sdk::trace::{IdGenerator as _, RandomIdGenerator, SdkTracer, Span};
use spinfo_telemetry::Propagator;

const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");
const TRACESTATE: HeaderName = HeaderName::from_static("tracestate");
/// <https://www.w3.org/TR/trace-context-2/#traceresponse-header>
pub(crate) const TRACERESPONSE: HeaderName = HeaderName::from_static("traceresponse");

/// Makes a span current on this thread, so that log lines carry its ids.
pub(crate) fn attach(span: SpanContext) -> ContextGuard {
    Context::new().with_remote_span_context(span).attach()
}

/// Starts the host's spans, or passes on the client's trace when spans are switched off.
#[derive(Clone)]
pub(crate) struct Tracing {
    tracer: Option<SdkTracer>,
    propagator: Propagator,
}

impl Tracing {
    pub(crate) fn new(tracer: Option<SdkTracer>, propagator: Propagator) -> Self {
        Self { tracer, propagator }
    }

    /// The trace that a request belongs to, from its header fields.
    pub(crate) fn extract(&self, headers: &HeaderMap) -> Context {
        self.propagator.extract(headers)
    }

    /// Starts a span; `name` and `attributes` are only called when somebody will see them.
    pub(crate) fn start(
        &self,
        parent: &Context,
        kind: SpanKind,
        name: impl FnOnce() -> String,
        attributes: impl FnOnce() -> Vec<KeyValue>,
    ) -> HostSpan {
        let Some(tracer) = &self.tracer else {
            return HostSpan {
                span: None,
                context: parent.span().span_context().clone(),
            };
        };
        let builder = SpanBuilder::from_name(name())
            .with_kind(kind)
            .with_start_time(SystemTime::now());
        let mut span = tracer.build_with_context(builder, parent);
        if span.is_recording() {
            span.set_attributes(attributes());
        }
        HostSpan {
            context: span.span_context().clone(),
            span: Some(span),
        }
    }
}

/// A span of the host, ended when it is dropped.
pub(crate) struct HostSpan {
    span: Option<Span>,
    context: SpanContext,
}

impl HostSpan {
    pub(crate) fn context(&self) -> &SpanContext {
        &self.context
    }

    pub(crate) fn set(&mut self, attribute: KeyValue) {
        if let Some(span) = &mut self.span {
            span.set_attribute(attribute);
        }
    }

    pub(crate) fn fail(&mut self, message: impl Into<std::borrow::Cow<'static, str>>) {
        if let Some(span) = &mut self.span {
            span.set_status(Status::error(message));
        }
    }

    /// Writes the span into a request's header fields in the place of the client's. `baggage` is the client's own and stays.
    pub(crate) fn inject(&self, headers: &mut HeaderMap) {
        if self.span.is_none() {
            return;
        }
        if let Some(value) = header_value(&self.context) {
            headers.insert(TRACEPARENT, value);
        }
        let state = self.context.trace_state().header();
        match HeaderValue::from_str(&state) {
            Ok(value) if !state.is_empty() => headers.insert(TRACESTATE, value),
            _ => headers.remove(TRACESTATE),
        };
    }

    /// The ids to tell the client: of this span, or where nothing is traced new ones, so that an answer and a log line
    /// can still be matched.
    pub(crate) fn or_fresh(&self) -> SpanContext {
        if self.context.is_valid() {
            return self.context.clone();
        }
        let ids = RandomIdGenerator::default();
        SpanContext::new(
            ids.new_trace_id(),
            ids.new_span_id(),
            TraceFlags::NOT_SAMPLED,
            false,
            Default::default(),
        )
    }
}

/// `00-TRACEID-SPANID-FLAGS`, the form of `traceparent` and `traceresponse`.
pub(crate) fn header_value(span: &SpanContext) -> Option<HeaderValue> {
    if span.trace_id() == TraceId::INVALID || span.span_id() == SpanId::INVALID {
        return None;
    }
    HeaderValue::from_str(&format!(
        "00-{}-{}-{:02x}",
        span.trace_id(),
        span.span_id(),
        span.trace_flags().to_u8()
    ))
    .ok()
}
