//! Spans, metrics and logs of a component.
//!
//! There are no threads in a component, so nothing runs by itself: spans and log records wait in bounded buffers,
//! metrics in a reader that is asked, and a task that outlives the answer sends them (see `flush`).

use std::borrow::Cow;
use std::rc::Rc;
use std::time::{Duration, SystemTime};

use opentelemetry::logs::Severity;
use opentelemetry::trace::{
    Span as _, SpanBuilder, SpanContext, SpanKind, TraceContextExt, TraceFlags, TraceState, Tracer,
};
use opentelemetry::{Context, KeyValue};
use opentelemetry_sdk::trace::{IdGenerator, RandomIdGenerator, Span};

pub(crate) mod buffer;
pub(crate) mod flush;
pub(crate) mod log;
pub(crate) mod metrics;
pub(crate) mod pipeline;
pub(crate) mod resource;
#[cfg(test)]
mod tests;

use spinfo_names::Metric;

use crate::platform::Platform;
use log::Entry;
use pipeline::Pipeline;
use resource::Identity;

/// The component variable with the receiver's base URL; empty or missing turns the export off.
pub(crate) const ENDPOINT: &str = "otlp_endpoint";

/// A span that has begun: its identity, and the recorder when it will be exported.
pub(crate) struct Begun {
    pub(crate) context: SpanContext,
    pub(crate) recorder: Option<Span>,
}

/// With a pipeline everything is exported, without one only trace ids exist and logs go to standard error.
pub(crate) struct Telemetry {
    component: &'static str,
    platform: Rc<dyn Platform>,
    pub(crate) pipeline: Option<Rc<Pipeline>>,
}

impl Telemetry {
    /// `endpoint` is the receiver's base URL. Without one, or with an empty one, nothing is exported; one that is no URL is
    /// also reported.
    pub(crate) fn start(
        identity: &Identity,
        platform: Rc<dyn Platform>,
        endpoint: Option<&str>,
    ) -> Self {
        let pipeline = endpoint
            .filter(|url| !url.is_empty())
            .map(|url| Pipeline::new(url, identity, &platform.http_client()))
            .transpose();
        let (pipeline, error) = match pipeline {
            Ok(pipeline) => (pipeline.map(Rc::new), None),
            Err(error) => (None, Some(error)),
        };
        let telemetry = Self {
            component: identity.component,
            platform,
            pipeline,
        };
        if let Some(error) = error {
            let message = format!("variable {ENDPOINT:?} is not the URL of a receiver: {error}");
            let entry = Entry {
                time: telemetry.platform.now(),
                severity: Severity::Warn,
                message: message.into(),
                attributes: Vec::new(),
            };
            telemetry.log(&SpanContext::NONE, entry);
        }
        telemetry
    }

    /// Begins a span below the one in `parent`, or a new trace.
    pub(crate) fn begin(
        &self,
        name: impl FnOnce() -> Cow<'static, str>,
        kind: SpanKind,
        start: SystemTime,
        parent: &Context,
    ) -> Begun {
        let Some(pipeline) = &self.pipeline else {
            return Begun {
                context: unrecorded(parent),
                recorder: None,
            };
        };
        let builder = SpanBuilder::from_name(name())
            .with_kind(kind)
            .with_start_time(start);
        let span = pipeline.tracer.build_with_context(builder, parent);
        let context = span.span_context().clone();
        Begun {
            context,
            recorder: span.is_recording().then_some(span),
        }
    }

    /// Whether spans would be lost now, because the last export failed a moment ago. `now` is monotonic.
    pub(crate) fn is_silent(&self, now: Duration) -> bool {
        self.pipeline
            .as_ref()
            .is_some_and(|pipeline| pipeline.is_silent(now))
    }

    /// In place of [`Telemetry::begin`] while it is silent: the span is only counted.
    pub(crate) fn skip(&self, parent: &Context) -> Begun {
        let context = unrecorded(parent);
        let wanted = context.is_sampled() || !parent.span().span_context().is_valid();
        if let (Some(pipeline), true) = (&self.pipeline, wanted) {
            pipeline.count_skipped();
        }
        Begun {
            context,
            recorder: None,
        }
    }

    pub(crate) fn log(&self, span: &SpanContext, entry: Entry<'_>) {
        match &self.pipeline {
            Some(pipeline) => log::to_otlp(&pipeline.logger, span, entry),
            None => self
                .platform
                .log_line(&log::to_line(self.component, span, &entry)),
        }
    }

    pub(crate) fn count(&self, metric: &Metric, increment: u64, attributes: &[KeyValue]) {
        if let Some(pipeline) = &self.pipeline {
            pipeline.metrics.count(metric, increment, attributes);
        }
    }

    pub(crate) fn record(&self, metric: &Metric, value: f64, attributes: &[KeyValue]) {
        if let Some(pipeline) = &self.pipeline {
            pipeline.metrics.record(metric, value, attributes);
        }
    }
}

/// Ids for a request that nobody records here: the caller's, as Trace Context asks of whoever takes no part (section
/// 4.3), so that log records and outgoing requests name a span that exists; else those of a new, unsampled trace.
fn unrecorded(parent: &Context) -> SpanContext {
    let span = parent.span();
    if span.span_context().is_valid() {
        return span.span_context().clone();
    }
    let ids = RandomIdGenerator::default();
    SpanContext::new(
        ids.new_trace_id(),
        ids.new_span_id(),
        TraceFlags::NOT_SAMPLED,
        false,
        TraceState::NONE,
    )
}
