//! The context of one request: what a handler can ask for and what it can tell the operator.

use std::borrow::Cow;
use std::rc::Rc;
use std::time::{Duration, SystemTime};

use http::HeaderMap;
use opentelemetry::logs::Severity;
use opentelemetry::trace::{Span as _, SpanContext, SpanKind, Status, TraceContextExt};
use opentelemetry::{Context, KeyValue, Value};
use opentelemetry_sdk::trace::{IdGenerator, RandomIdGenerator, Span as Recorder};
use spinfo_names::Metric;
use spinfo_names::attribute::COMPONENT_ERROR;
use spinfo_names::values::ComponentError;

use crate::instance::Instance;
use crate::problem::Problem;
use crate::telemetry::Begun;
use crate::telemetry::log::Entry;
use crate::trace;

/// Variables, stores, time, and the request's trace. Cheap to clone; background work may keep a clone.
#[derive(Clone)]
pub struct Cx(Rc<Scope>);

struct Scope {
    instance: Rc<Instance>,
    received: SystemTime,
    // The span that new spans and log records belong to, and the caller's baggage.
    context: Context,
    // Whether that span will be exported.
    recorded: bool,
}

impl Cx {
    /// The context within the span `begun`, with the baggage of `parent`.
    pub(crate) fn new(
        instance: Rc<Instance>,
        received: SystemTime,
        parent: &Context,
        begun: &Begun,
    ) -> Self {
        Self(Rc::new(Scope {
            instance,
            received,
            context: parent.with_remote_span_context(begun.context.clone()),
            recorded: begun.recorder.is_some(),
        }))
    }

    /// A variable of the component, asked for once per instance.
    ///
    /// # Errors
    /// 500 when the component's manifest doesn't give it the variable.
    pub async fn variable(&self, name: &'static str) -> Result<Rc<str>, Problem> {
        self.known_variable(name).await?.ok_or_else(|| {
            let component = self.component();
            Problem::internal(format!(
                "add {name} to [component.{component}.variables] in spin.toml"
            ))
        })
    }

    /// Like [`Cx::variable`], for a variable that may be left out of the manifest.
    ///
    /// # Errors
    /// 500 when the host's variables provider fails.
    pub async fn variable_or(&self, name: &'static str, default: &str) -> Result<Rc<str>, Problem> {
        let value = self.known_variable(name).await?;
        Ok(value.unwrap_or_else(|| Rc::from(default)))
    }

    async fn known_variable(&self, name: &'static str) -> Result<Option<Rc<str>>, Problem> {
        let value = self.0.instance.variable(name).await;
        value.map_err(Problem::internal)
    }

    /// The component's id in spin.toml.
    pub fn component(&self) -> &'static str {
        self.0.instance.identity.component
    }

    /// The component's version.
    pub fn version(&self) -> &'static str {
        self.0.instance.identity.version
    }

    /// 16 random hex digits for the life of this WebAssembly instance.
    pub fn instance_id(&self) -> &str {
        &self.0.instance.identity.instance
    }

    /// When the component saw the request.
    pub fn received(&self) -> SystemTime {
        self.0.received
    }

    /// The wall clock.
    pub fn now(&self) -> SystemTime {
        self.0.instance.platform.now()
    }

    /// Lets other requests of the instance run for `duration`.
    pub async fn sleep(&self, duration: Duration) {
        self.0.instance.platform.sleep(duration).await;
    }

    /// 64 random bits; not for secrets.
    pub fn random(&self) -> u64 {
        u64::from_be_bytes(RandomIdGenerator::default().new_span_id().to_bytes())
    }

    /// 32 hex digits.
    pub fn trace_id(&self) -> String {
        self.span_context().trace_id().to_string()
    }

    /// Adds `traceparent`, `tracestate` and `baggage` to an outgoing request.
    pub fn inject(&self, headers: &mut HeaderMap) {
        trace::inject(&self.0.context, headers);
    }

    /// A log record of this request.
    pub fn log(
        &self,
        severity: Severity,
        message: &str,
        attributes: impl IntoIterator<Item = KeyValue>,
    ) {
        let entry = Entry {
            time: self.now(),
            severity,
            message: message.into(),
            attributes: attributes.into_iter().collect(),
        };
        if let Some(telemetry) = self.0.instance.known_telemetry() {
            telemetry.log(&self.span_context(), entry);
        }
    }

    /// Adds to a counter. Attributes are of low cardinality: no ids, no names that clients choose.
    pub fn count(&self, metric: &Metric, increment: u64, attributes: &[KeyValue]) {
        if let Some(telemetry) = self.0.instance.known_telemetry() {
            telemetry.count(metric, increment, attributes);
        }
    }

    /// Adds a value to a histogram; attributes as in [`Cx::count`].
    pub fn record(&self, metric: &Metric, value: f64, attributes: &[KeyValue]) {
        if let Some(telemetry) = self.0.instance.known_telemetry() {
            telemetry.record(metric, value, attributes);
        }
    }

    /// Begins a span for a part of the work; it ends when it is dropped.
    pub fn span(&self, name: impl Into<Cow<'static, str>>) -> Span {
        self.span_of_kind(SpanKind::Internal, name, Vec::new())
    }

    pub(crate) fn span_of_kind(
        &self,
        kind: SpanKind,
        name: impl Into<Cow<'static, str>>,
        attributes: Vec<KeyValue>,
    ) -> Span {
        let telemetry = self
            .0
            .instance
            .known_telemetry()
            .filter(|_| self.0.recorded);
        let Some(telemetry) = telemetry else {
            return Span {
                recorder: None,
                cx: self.clone(),
            };
        };
        let mut begun = telemetry.begin(|| name.into(), kind, self.now(), &self.0.context);
        if let Some(recorder) = &mut begun.recorder {
            recorder.set_attributes(attributes);
        }
        let instance = Rc::clone(&self.0.instance);
        let cx = Self::new(instance, self.0.received, &self.0.context, &begun);
        Span {
            recorder: begun.recorder,
            cx,
        }
    }

    pub(crate) fn instance(&self) -> &Instance {
        &self.0.instance
    }

    fn span_context(&self) -> SpanContext {
        self.0.context.span().span_context().clone()
    }
}

/// A running span. Nothing is recorded when the trace isn't sampled or no receiver is set.
pub struct Span {
    recorder: Option<Recorder>,
    cx: Cx,
}

impl Span {
    /// The context within the span: its spans and log records are the span's children.
    pub fn cx(&self) -> &Cx {
        &self.cx
    }

    /// Sets an attribute.
    pub fn set(&mut self, key: &'static str, value: impl Into<Value>) {
        if let Some(recorder) = &mut self.recorder {
            recorder.set_attribute(KeyValue::new(key, value));
        }
    }

    /// Marks the span as failed; `message` may say anything.
    pub fn fail(&mut self, error: ComponentError, message: &str) {
        if let Some(recorder) = &mut self.recorder {
            recorder.set_attribute(KeyValue::new(COMPONENT_ERROR.key, error.as_str()));
            recorder.set_status(Status::error(message.to_owned()));
        }
    }
}

impl Drop for Span {
    fn drop(&mut self) {
        if let Some(recorder) = &mut self.recorder {
            recorder.end_with_timestamp(self.cx.now());
        }
    }
}
