//! The process's subscriber. There is one per process, so this is the only test that sets it up.

use std::time::Duration;

use opentelemetry::Context;
use opentelemetry::trace::{Span as _, TraceContextExt as _, Tracer as _};
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use spinfo_telemetry::{Error, LogOptions, ServiceDefaults, Settings, Telemetry, init_logging};
use spinfo_test_receiver::{Answer, Receiver};

#[test]
fn events_reach_otlp_with_their_trace_and_the_exporters_own_do_not() {
    let receiver = Receiver::start();
    // The first export of logs fails, which the telemetry thread reports: that line must not come back as a record.
    receiver.answer(&[Answer::Status(http::StatusCode::BAD_REQUEST, None)]);
    let url = receiver.url();
    let vars = |name: &str| match name {
        "OTEL_EXPORTER_OTLP_ENDPOINT" => Some(url.clone()),
        "OTEL_BLRP_SCHEDULE_DELAY" => Some("1".to_owned()),
        _ => None,
    };
    let defaults = ServiceDefaults {
        name: "spinfo".into(),
        version: "1".into(),
        ..ServiceDefaults::default()
    };
    let telemetry = Telemetry::start(&Settings::from_env(&vars, defaults).unwrap()).unwrap();
    let options = LogOptions {
        filter: Some("warn,spinfo=info".to_owned()),
        ..LogOptions::default()
    };
    init_logging(&options, Some(&telemetry)).unwrap();
    assert!(matches!(
        init_logging(&options, None),
        Err(Error::LoggingAlreadySet)
    ));

    tracing::warn!("lost with the first export");
    receiver.wait("the first export", |received| {
        received.requests.iter().any(|(path, _)| path == "/v1/logs")
    });

    let span = telemetry.tracer().start("request");
    let trace_id = span.span_context().trace_id();
    let guard = Context::new().with_span(span).attach();
    tracing::warn!(target: "spinfo::server", status = 500, "guest failed");
    tracing::error!(target: "hyper::proto", "noise");
    tracing::error!(target: "opentelemetry_sdk", "noise");
    drop(guard);
    assert!(telemetry.shutdown(Duration::from_secs(10)));

    receiver.look(|received| {
        let records = received.records();
        let bodies: Vec<_> = records
            .iter()
            .map(|record| record.body.clone().unwrap().value)
            .collect();
        assert_eq!(
            bodies,
            [Some(Value::StringValue("guest failed".to_owned()))]
        );
        assert_eq!(records[0].trace_id, trace_id.to_bytes());
        assert_eq!(records[0].severity_text, "WARN");
        assert_eq!(records[0].attributes[0].key, "status");
        assert_eq!(
            received.logs[0].scope_logs[0].scope.as_ref().unwrap().name,
            "spinfo::server"
        );
    });
}
