//! The program whose telemetry is looked at.

use std::time::Duration;

use opentelemetry::logs::{AnyValue, LogRecord as _, Logger as _, Severity};
use opentelemetry::trace::{SpanKind, TraceContextExt as _, Tracer as _};
use opentelemetry::{Context, KeyValue};
use spinfo_telemetry::{ServiceDefaults, Settings, Telemetry};

/// Time for a flush that is expected to work.
pub(crate) const DEADLINE: Duration = Duration::from_secs(10);

pub(crate) fn start(vars: &[(&str, &str)]) -> Telemetry {
    let lookup = |name: &str| {
        vars.iter()
            .find(|(known, _)| *known == name)
            .map(|(_, value)| (*value).to_owned())
    };
    let defaults = ServiceDefaults {
        name: "spinfo".into(),
        version: "1.2.3".into(),
        ..ServiceDefaults::default()
    };
    Telemetry::start(&Settings::from_env(&lookup, defaults).unwrap()).unwrap()
}

/// One span with a child, one measurement and one log line within the child.
pub(crate) fn work(telemetry: &Telemetry) {
    let tracer = telemetry.tracer();
    let root = tracer
        .span_builder("GET /now")
        .with_kind(SpanKind::Server)
        .start_with_context(&tracer, &Context::new());
    let parent = Context::new().with_span(root);
    let child = tracer.start_with_context("now", &parent);
    let context = parent.with_span(child);
    telemetry
        .meter()
        .u64_counter("jobs")
        .build()
        .add(2, &[KeyValue::new("kind", "a")]);
    let logger = telemetry.logger();
    let _guard = context.attach();
    let mut record = logger.create_log_record();
    record.set_severity_number(Severity::Warn);
    record.set_body(AnyValue::from("hello"));
    logger.emit(record);
}

pub(crate) fn counter(telemetry: &Telemetry, start: &str) -> u64 {
    let page = telemetry.open_metrics();
    let line = page
        .lines()
        .find(|line| line.starts_with(start))
        .unwrap_or_else(|| panic!("{start} in {page}"));
    line.rsplit_once(' ').unwrap().1.parse().unwrap()
}

/// The variable that chooses gRPC.
pub(crate) const GRPC: (&str, &str) = ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc");
