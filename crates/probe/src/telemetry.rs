//! Traces and metrics over OTLP: a span for each check with one for each request in it, and the latest outcome as gauges.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use http::HeaderMap;
use opentelemetry::trace::{SpanBuilder, SpanKind, Status, TraceContextExt as _, Tracer as _};
use opentelemetry::{Context, KeyValue};
use spinfo_client::{Answer, Connection, Failure, Target};
use spinfo_names::Metric;
use spinfo_telemetry::names::{
    CLOCK_ERROR_BOUND, CLOCK_OFFSET, ERROR_TYPE, HTTP_REQUEST_METHOD, HTTP_RESPONSE_STATUS_CODE,
    NETWORK_PEER_ADDRESS, NETWORK_PEER_PORT, NETWORK_PROTOCOL_VERSION, SERVER_ADDRESS, SERVER_PORT,
    URL_FULL, metric,
};
use spinfo_telemetry::{Propagator, ServiceDefaults, Settings, instruments};

use crate::check::{Outcome, Severity};
use crate::clock::{ClockError, Measurement};
use crate::timestamp::{seconds_between, unix_seconds};
use crate::{cli, run};

/// What is exported. There is none without an endpoint.
pub(crate) struct Telemetry {
    inner: spinfo_telemetry::Telemetry,
    latest: Latest,
}

/// The latest outcome and the URL it is about, for who collects metrics.
type Latest = Arc<Mutex<Option<(String, Outcome)>>>;

impl Telemetry {
    /// What the `OTEL_*` variables ask for; `None` when they name no endpoint.
    ///
    /// # Errors
    /// When they ask for what cannot be done.
    pub(crate) fn from_environment() -> anyhow::Result<Option<Self>> {
        let defaults = ServiceDefaults {
            name: "spinfo-probe".to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            namespace: Some("spinfo".to_owned()),
            endpoint: None,
        };
        let mut settings = Settings::from_env(&cli::environment, defaults)?;
        // What there is to say about a check is its output.
        settings.logs = None;
        if settings.traces.is_none() && settings.metrics.is_none() {
            return Ok(None);
        }
        for warning in &settings.warnings {
            run::complain(&anyhow::Error::msg(warning.clone()));
        }
        let telemetry = Self {
            inner: spinfo_telemetry::Telemetry::start(&settings)?,
            latest: Latest::default(),
        };
        telemetry.observe();
        Ok(Some(telemetry))
    }

    /// Gauges that are asked for their value: what the latest check could not measure is not exported again.
    fn observe(&self) {
        type Value = fn(&Outcome) -> Option<f64>;
        let gauges: [(&Metric, Value); 7] = [
            (&metric::PROBE_SUCCESS, |outcome| {
                Some(f64::from(u8::from(outcome.is_success())))
            }),
            (&metric::PROBE_DURATION, |outcome| {
                Some(outcome.time.as_secs_f64())
            }),
            (&metric::PROBE_HTTP_STATUS_CODE, |outcome| {
                Some(f64::from(outcome.http.as_ref()?.status.as_u16()))
            }),
            (&metric::PROBE_EARLIEST_CERT_EXPIRY, |outcome| {
                Some(unix_seconds(outcome.certificate.as_ref()?.not_after))
            }),
            (&metric::PROBE_EARLIEST_CERT_LIFETIME, |outcome| {
                let seen = outcome.certificate.as_ref()?;
                Some(seconds_between(seen.not_before, seen.not_after))
            }),
            (&metric::PROBE_CLOCK_OFFSET, |outcome| {
                Some(outcome.clock.as_ref()?.offset)
            }),
            (&metric::PROBE_CLOCK_ERROR_BOUND, |outcome| {
                Some(outcome.clock.as_ref()?.bound)
            }),
        ];
        let meter = self.inner.meter();
        for (metric, value) in gauges {
            let latest = self.latest.clone();
            instruments::observe_f64(&meter, metric, move |observer| {
                let latest = latest.lock().unwrap_or_else(PoisonError::into_inner);
                let Some((url, outcome)) = &*latest else {
                    return;
                };
                if let Some(value) = value(outcome) {
                    observer.observe(value, &[KeyValue::new(URL_FULL, url.clone())]);
                }
            });
        }
    }

    /// Makes this the latest outcome.
    pub(crate) fn record(&self, url: &Target, outcome: &Outcome) {
        let mut latest = self.latest.lock().unwrap_or_else(PoisonError::into_inner);
        *latest = Some((url.to_string(), outcome.clone()));
    }

    /// Sends what is left, for at most this long.
    pub(crate) fn shutdown(self, deadline: Duration) {
        // What is lost is told by nobody: the check itself was well, and its output is out.
        let _ = self.inner.shutdown(deadline);
    }
}

/// The span of a check, when there is tracing.
pub(crate) struct CheckSpan(Option<Recording>);

struct Recording {
    tracer: opentelemetry_sdk::trace::SdkTracer,
    propagator: Propagator,
    context: Context,
}

impl CheckSpan {
    /// Begins the span of a check, in a trace of its own.
    pub(crate) fn begin(telemetry: Option<&Telemetry>, target: &Target) -> Self {
        let tracing = telemetry.filter(|telemetry| telemetry.inner.is_tracing_enabled());
        Self(tracing.map(|telemetry| {
            let tracer = telemetry.inner.tracer();
            let builder = tracer
                .span_builder("probe")
                .with_kind(SpanKind::Client)
                .with_attributes(about(target));
            let span = tracer.build_with_context(builder, &Context::new());
            Recording {
                context: Context::new().with_span(span),
                propagator: telemetry.inner.propagator(),
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

    /// Ends the span with what the check has found.
    pub(crate) fn end(self, outcome: &Outcome) {
        let Some(recording) = self.0 else { return };
        let span = recording.context.span();
        if let Some(http) = &outcome.http {
            span.set_attribute(status(http.status));
        }
        if outcome.severity() == Severity::Critical {
            let types = outcome
                .findings
                .iter()
                .filter_map(|finding| finding.error_type);
            let error_type = types.into_iter().next().unwrap_or("check");
            span.set_attribute(KeyValue::new(ERROR_TYPE, error_type));
            span.set_status(Status::error(outcome.message()));
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
                span.set_attribute(status(answer.status));
                let version = match answer.version {
                    http::Version::HTTP_2 => "2",
                    http::Version::HTTP_10 => "1.0",
                    _ => "1.1",
                };
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
                    (CLOCK_OFFSET, estimate.offset_s()),
                    (CLOCK_ERROR_BOUND, estimate.bound_s()),
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

fn status(status: http::StatusCode) -> KeyValue {
    KeyValue::new(HTTP_RESPONSE_STATUS_CODE, i64::from(status.as_u16()))
}
