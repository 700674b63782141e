//! One client span and one measurement a request, and the counters of changes and of missed ticks.

use std::time::{Duration, SystemTime};

use http::{HeaderMap, Method};
use opentelemetry::global::{BoxedSpan, BoxedTracer};
use opentelemetry::trace::{
    Span as _, SpanBuilder, SpanContext, SpanKind, Status, TraceContextExt as _, TraceFlags,
    TraceId, Tracer as _,
};
use opentelemetry::{Context, ContextGuard, KeyValue};
use spinfo_client::{Answer, Target};
use spinfo_names::values::ChangeResult;
use spinfo_names::{attribute, metric};
use spinfo_program::telemetry::protocol_version;
use spinfo_telemetry::{Counter, Histogram, Propagator, Telemetry};

use crate::report::ReportError;

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
    pub(crate) fn start(&self, method: &Method, target: &Target) -> Call {
        let path = target.url().path();
        let builder = SpanBuilder::from_name(format!("{method} {path}"))
            .with_kind(SpanKind::Client)
            .with_start_time(SystemTime::now());
        let mut span = self.tracer.build_with_context(builder, &Context::new());
        let mut attributes = place(target);
        attributes.push(KeyValue::new(
            attribute::HTTP_REQUEST_METHOD.key,
            method.to_string(),
        ));
        if span.is_recording() {
            span.set_attributes(attributes.iter().cloned());
            span.set_attribute(KeyValue::new(attribute::URL_FULL.key, target.to_string()));
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
    pub(crate) fn finish(&self, mut call: Call, ended: &Ended<'_>) {
        let mut outcome = Vec::new();
        if let Some(answer) = ended.answer {
            let status = i64::from(answer.status.as_u16());
            outcome.push(KeyValue::new(
                attribute::HTTP_RESPONSE_STATUS_CODE.key,
                status,
            ));
            let version = protocol_version(answer.version);
            outcome.push(KeyValue::new(
                attribute::NETWORK_PROTOCOL_VERSION.key,
                version,
            ));
        }
        if let Some(error) = ended.error {
            // The semantic conventions have the code for a wrong code.
            let kind = match ended.answer {
                Some(answer) if error.kind == "status" => answer.status.as_str().to_owned(),
                _ => error.kind.to_owned(),
            };
            outcome.push(KeyValue::new(attribute::CLIENT_ERROR.key, kind));
            call.span.set_status(Status::error(error.message.clone()));
        }
        call.span.set_attributes(outcome.iter().cloned());
        if let Some(peer) = ended.peer {
            let (address, port) = (peer.ip().to_string(), i64::from(peer.port()));
            call.span
                .set_attribute(KeyValue::new(attribute::NETWORK_PEER_ADDRESS.key, address));
            call.span
                .set_attribute(KeyValue::new(attribute::NETWORK_PEER_PORT.key, port));
        }
        call.attributes.extend(outcome);
        self.duration.record(
            ended.duration.as_secs_f64(),
            &call.attributes,
            Some(&call.context),
        );
        call.span.end();
    }

    /// Makes the series of a target's counters, so that their first increase is seen as one.
    pub(crate) fn announce(&self, target: &Target) {
        self.missed(target, 0);
        for result in ChangeResult::ALL {
            self.changed(target, *result, 0);
        }
    }

    /// Counts ticks without a request.
    pub(crate) fn missed(&self, target: &Target, ticks: u64) {
        self.missed.add(ticks, &place(target), None);
    }

    /// Counts changes.
    pub(crate) fn changed(&self, target: &Target, result: ChangeResult, count: u64) {
        let mut attributes = place(target);
        let key = attribute::MONITOR_RESULT.key;
        attributes.push(KeyValue::new(key, result.as_str()));
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
pub(crate) struct Ended<'a> {
    pub(crate) duration: Duration,
    pub(crate) answer: Option<&'a Answer>,
    pub(crate) peer: Option<std::net::SocketAddr>,
    pub(crate) error: Option<&'a ReportError>,
}

/// Which endpoint of which server.
fn place(target: &Target) -> Vec<KeyValue> {
    vec![
        KeyValue::new(attribute::SERVER_ADDRESS.key, target.host().to_owned()),
        KeyValue::new(attribute::SERVER_PORT.key, i64::from(target.port())),
        KeyValue::new(attribute::URL_TEMPLATE.key, target.url().path().to_owned()),
    ]
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
            let call = instruments.start(&Method::GET, &"http://h/status".parse().unwrap());
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
            instruments.announce(&target);
            let call = instruments.start(&Method::GET, &target);
            let now = std::time::Instant::now();
            let answer = Answer {
                status: http::StatusCode::SERVICE_UNAVAILABLE,
                version: http::Version::HTTP_11,
                headers: HeaderMap::new(),
                body: bytes::Bytes::new(),
                sent_at: now,
                head_at: now,
                finished_at: now,
            };
            let error = ReportError {
                kind: "status",
                message: "503 Service Unavailable".into(),
            };
            let ended = Ended {
                duration: Duration::from_millis(30),
                answer: Some(&answer),
                peer: None,
                error: Some(&error),
            };
            instruments.finish(call, &ended);
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
