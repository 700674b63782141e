//! One client span and one measurement a request, and the counters of changes and of missed ticks.

use std::time::{Duration, SystemTime};

use http::{HeaderMap, Version};
use opentelemetry::global::{BoxedSpan, BoxedTracer};
use opentelemetry::trace::{
    Span as _, SpanBuilder, SpanContext, SpanKind, Status, TraceContextExt as _, TraceFlags,
    TraceId, Tracer as _,
};
use opentelemetry::{Context, ContextGuard, KeyValue};
use spinfo_client::Target;
use spinfo_telemetry::names::{self, metric};
use spinfo_telemetry::{Counter, Histogram, Propagator, Telemetry};

use crate::report::Outcome;

/// Where all measurements of this program are made.
pub(crate) struct Instruments {
    tracer: BoxedTracer,
    /// The share of traces to ask servers to record when this program exports none itself.
    unexported: Option<f64>,
    propagator: Propagator,
    duration: Histogram<f64>,
    changes: Counter,
    missed: Counter,
}

impl Instruments {
    /// `ratio` is the sampler's share of traces.
    pub(crate) fn new(telemetry: &Telemetry, ratio: f64) -> Self {
        Self {
            tracer: BoxedTracer::new(Box::new(telemetry.tracer())),
            unexported: (!telemetry.is_tracing_enabled()).then_some(ratio),
            propagator: telemetry.propagator(),
            duration: telemetry.f64_histogram(&metric::HTTP_CLIENT_REQUEST_DURATION),
            changes: telemetry.u64_counter(&metric::MONITOR_CHANGES),
            missed: telemetry.u64_counter(&metric::MONITOR_MISSED),
        }
    }

    /// Starts the root span of a request.
    pub(crate) fn start(&self, method: &'static str, target: &Target, path: &str) -> Call {
        let builder = SpanBuilder::from_name(format!("{method} {path}"))
            .with_kind(SpanKind::Client)
            .with_start_time(SystemTime::now());
        let mut span = self.tracer.build_with_context(builder, &Context::new());
        let mut attributes = place(target, path);
        attributes.push(KeyValue::new(names::HTTP_REQUEST_METHOD, method));
        if span.is_recording() {
            span.set_attributes(attributes.iter().cloned());
            span.set_attribute(KeyValue::new(names::URL_FULL, target.to_string()));
        }
        let mut context = span.span_context().clone();
        if let Some(ratio) = self.unexported {
            // Spans that go nowhere are not sampled, and servers follow that. But their part of the trace is worth having, and the report
            // names its id.
            let flags = if is_sampled(context.trace_id(), ratio) {
                TraceFlags::SAMPLED
            } else {
                TraceFlags::NOT_SAMPLED
            };
            context = SpanContext::new(
                context.trace_id(),
                context.span_id(),
                flags,
                false,
                context.trace_state().clone(),
            );
        }
        Call {
            span,
            context,
            attributes,
        }
    }

    /// Makes the request carry its span.
    pub(crate) fn inject(&self, call: &Call, headers: &mut HeaderMap) {
        let context = Context::new().with_remote_span_context(call.context.clone());
        self.propagator.inject(&context, headers);
    }

    /// Ends a request's span and records its duration.
    pub(crate) fn finish(&self, mut call: Call, result: &CallResult<'_>) {
        let status = result
            .status
            .map(|status| KeyValue::new(names::HTTP_RESPONSE_STATUS_CODE, i64::from(status)));
        let version = result.version.and_then(version_name);
        let version =
            version.map(|version| KeyValue::new(names::NETWORK_PROTOCOL_VERSION, version));
        let error = result
            .error
            .map(|error| KeyValue::new(names::ERROR_TYPE, error.kind.clone()));
        let outcome: Vec<_> = [status, version, error].into_iter().flatten().collect();
        if call.span.is_recording() {
            call.span.set_attributes(outcome.iter().cloned());
            if let Some(peer) = result.peer {
                call.span.set_attribute(KeyValue::new(
                    names::NETWORK_PEER_ADDRESS,
                    peer.ip().to_string(),
                ));
                call.span.set_attribute(KeyValue::new(
                    names::NETWORK_PEER_PORT,
                    i64::from(peer.port()),
                ));
            }
            if let Some(error) = result.error {
                call.span.set_status(Status::error(error.message.clone()));
            }
        }
        call.attributes.extend(outcome);
        self.duration.record(
            result.duration.as_secs_f64(),
            &call.attributes,
            Some(&call.context),
        );
        call.span.end();
    }

    /// Makes the series of a target's counters, so that their first increase is seen as one.
    pub(crate) fn announce(&self, target: &Target, path: &str) {
        self.missed(target, path, 0);
        for outcome in [Outcome::Ok, Outcome::Failed, Outcome::Mismatch] {
            self.changed(target, path, outcome, 0);
        }
    }

    /// Counts ticks without a request.
    pub(crate) fn missed(&self, target: &Target, path: &str, ticks: u64) {
        self.missed.add(ticks, &place(target, path), None);
    }

    /// Counts changes. That a server knows none is no change.
    pub(crate) fn changed(&self, target: &Target, path: &str, outcome: Outcome, count: u64) {
        if outcome == Outcome::Unsupported {
            return;
        }
        let mut attributes = place(target, path);
        attributes.push(KeyValue::new(names::MONITOR_RESULT, outcome.name()));
        self.changes.add(count, &attributes, None);
    }
}

/// A request under way.
pub(crate) struct Call {
    span: BoxedSpan,
    context: SpanContext,
    attributes: Vec<KeyValue>,
}

impl Call {
    pub(crate) fn attach(&self) -> ContextGuard {
        Context::new()
            .with_remote_span_context(self.context.clone())
            .attach()
    }

    pub(crate) fn trace_id(&self) -> Option<String> {
        let id = self.context.trace_id();
        (id != TraceId::INVALID).then(|| id.to_string())
    }
}

/// How a request ended.
pub(crate) struct CallResult<'a> {
    pub(crate) duration: Duration,
    pub(crate) status: Option<u16>,
    pub(crate) version: Option<Version>,
    pub(crate) peer: Option<std::net::SocketAddr>,
    pub(crate) error: Option<&'a CallError>,
}

/// Why a request failed, in the terms of the semantic conventions.
pub(crate) struct CallError {
    /// The status code for an answer with the wrong one, otherwise as in reports.
    pub(crate) kind: String,
    pub(crate) message: String,
}

/// Which endpoint of which server.
fn place(target: &Target, path: &str) -> Vec<KeyValue> {
    vec![
        KeyValue::new(names::SERVER_ADDRESS, target.host().to_owned()),
        KeyValue::new(names::SERVER_PORT, i64::from(target.port())),
        KeyValue::new(names::URL_TEMPLATE, path.to_owned()),
    ]
}

/// `network.protocol.version`.
fn version_name(version: Version) -> Option<&'static str> {
    match version {
        Version::HTTP_10 => Some("1.0"),
        Version::HTTP_11 => Some("1.1"),
        Version::HTTP_2 => Some("2"),
        _ => None,
    }
}

/// Decides as `TraceIdRatioBased` does: by the trace's random bits, so that each of its spans would be decided alike.
fn is_sampled(trace: TraceId, ratio: f64) -> bool {
    let [.., a, b, c, d, e, f, g, h] = trace.to_bytes();
    let random = u64::from_be_bytes([a, b, c, d, e, f, g, h]) >> 1;
    ratio >= 1.0 || (random as f64) < ratio * (1_u64 << 63) as f64
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use spinfo_telemetry::{ServiceDefaults, Settings};

    use super::*;

    fn with<T>(variables: &[(&str, &str)], work: impl FnOnce(&Telemetry, &Instruments) -> T) -> T {
        let variables: HashMap<_, _> = variables.iter().copied().collect();
        let defaults = ServiceDefaults {
            name: "spinfo-monitor".into(),
            ..ServiceDefaults::default()
        };
        let settings = Settings::from_env(
            &|name| variables.get(name).map(ToString::to_string),
            defaults,
        )
        .unwrap();
        let telemetry = Telemetry::start(&settings).unwrap();
        work(
            &telemetry,
            &Instruments::new(&telemetry, settings.sampler.ratio),
        )
    }

    fn traceparent(variables: &[(&str, &str)]) -> String {
        with(variables, |_, instruments| {
            let call = instruments.start("GET", &"http://h/status".parse().unwrap(), "/status");
            let mut headers = HeaderMap::new();
            instruments.inject(&call, &mut headers);
            let value = headers["traceparent"].to_str().unwrap().to_owned();
            assert_eq!(Some(&value[3..35]), call.trace_id().as_deref());
            value
        })
    }

    #[test]
    fn servers_record_their_part_even_if_nothing_is_exported_here() {
        assert!(traceparent(&[]).ends_with("-01"));
        assert!(traceparent(&[("OTEL_TRACES_SAMPLER", "always_off")]).ends_with("-00"));
        let none = [
            ("OTEL_TRACES_SAMPLER", "traceidratio"),
            ("OTEL_TRACES_SAMPLER_ARG", "0"),
        ];
        assert!(traceparent(&none).ends_with("-00"));
    }

    #[test]
    fn the_share_of_sampled_traces_is_as_asked() {
        let ids = (0..1000_u64).map(|n| {
            let mut bytes = [1; 16];
            bytes[8..].copy_from_slice(&(n << 54).to_be_bytes());
            TraceId::from_bytes(bytes)
        });
        let sampled = ids.filter(|id| is_sampled(*id, 0.25)).count();
        assert_eq!(sampled, 256);
    }

    #[test]
    fn the_page_has_the_duration_with_an_exemplar_and_the_counters_from_the_start() {
        let page = with(&[], |telemetry, instruments| {
            let target = "http://h:81/status".parse().unwrap();
            instruments.announce(&target, "/status");
            let call = instruments.start("GET", &target, "/status");
            let error = CallError {
                kind: "503".into(),
                message: "503 Service Unavailable".into(),
            };
            let result = CallResult {
                duration: Duration::from_millis(30),
                status: Some(503),
                version: Some(Version::HTTP_11),
                peer: None,
                error: Some(&error),
            };
            instruments.finish(call, &result);
            telemetry.open_metrics()
        });
        let labels = r#"error_type="503",http_request_method="GET",http_response_status_code="503",network_protocol_version="1.1",otel_scope_name="spinfo-monitor",server_address="h",server_port="81",url_template="/status""#;
        let bucket =
            format!("http_client_request_duration_seconds_bucket{{{labels},le=\"0.05\"}} 1 # {{");
        assert!(page.contains(&bucket), "{page}");
        for zero in [
            "spinfo_monitor_missed_total{",
            "spinfo_monitor_result=\"mismatch\"",
        ] {
            assert!(
                page.lines()
                    .any(|line| line.contains(zero) && line.ends_with(" 0")),
                "{zero}\n{page}"
            );
        }
    }
}
