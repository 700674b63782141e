//! What arrives at a receiver, over both protocols.

use std::process::Command;
use std::time::Duration;

use opentelemetry::logs::{Logger as _, Severity};
use opentelemetry::trace::{Span as _, Tracer as _};
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::metrics::v1::metric::Data;
use opentelemetry_proto::tonic::metrics::v1::number_data_point;
use opentelemetry_proto::tonic::resource::v1::Resource;
use spinfo_test_receiver::Receiver;

use crate::program::{DEADLINE, GRPC, counter, start, work};

fn attribute(resource: Option<&Resource>, key: &str) -> Option<String> {
    let attributes = &resource.unwrap().attributes;
    let value = attributes
        .iter()
        .find(|attribute| attribute.key == key)?
        .value
        .clone()?
        .value?;
    match value {
        Value::StringValue(text) => Some(text),
        other => panic!("{key}: {other:?}"),
    }
}

/// All three signals with all their parts; the long defaults of the intervals mean that only the flush can have sent them.
fn all_signals_arrive(vars: &[(&str, &str)], paths: [&str; 3]) {
    let receiver = Receiver::start();
    let url = receiver.url();
    let mut vars = vars.to_vec();
    vars.extend([
        ("OTEL_EXPORTER_OTLP_ENDPOINT", url.as_str()),
        ("OTEL_EXPORTER_OTLP_HEADERS", "x-token=a%20b"),
        (
            "OTEL_RESOURCE_ATTRIBUTES",
            "deployment.environment.name=test",
        ),
        ("OTEL_BLRP_SCHEDULE_DELAY", "3600000"),
        ("OTEL_BSP_SCHEDULE_DELAY", "3600000"),
    ]);
    let telemetry = start(&vars);
    assert!(telemetry.is_tracing_enabled() && telemetry.is_logging_enabled());
    work(&telemetry);
    assert!(telemetry.shutdown(DEADLINE));

    receiver.look(|received| {
        let seen: Vec<_> = received
            .requests
            .iter()
            .map(|(path, _)| path.as_str())
            .collect();
        assert_eq!(
            seen, paths,
            "traces, logs and metrics are flushed in this order"
        );
        for (_, headers) in &received.requests {
            assert_eq!(headers["x-token"], "a b");
            assert!(
                headers["user-agent"]
                    .to_str()
                    .unwrap()
                    .starts_with("OTel-OTLP-Exporter")
            );
        }
        let resources = [
            received.traces[0].resource.as_ref(),
            received.metrics[0].resource.as_ref(),
            received.logs[0].resource.as_ref(),
        ];
        for resource in resources {
            assert_eq!(
                attribute(resource, "service.name").as_deref(),
                Some("spinfo")
            );
            assert_eq!(
                attribute(resource, "service.version").as_deref(),
                Some("1.2.3")
            );
            assert_eq!(
                attribute(resource, "deployment.environment.name").as_deref(),
                Some("test")
            );
            assert_eq!(
                attribute(resource, "service.instance.id"),
                attribute(resources[0], "service.instance.id")
            );
        }
        let spans = received.spans();
        let by_name = |name: &str| *spans.iter().find(|span| span.name == name).unwrap();
        let (root, child) = (by_name("GET /now"), by_name("now"));
        assert_eq!(spans.len(), 2);
        assert_eq!(child.parent_span_id, root.span_id);
        assert_eq!(child.trace_id, root.trace_id);
        let records = received.records();
        assert_eq!(records.len(), 1);
        assert_eq!(
            (&records[0].trace_id, &records[0].span_id),
            (&child.trace_id, &child.span_id)
        );
        assert_eq!(records[0].severity_number, 13);
        assert!(records[0].time_unix_nano > 0);
        let jobs = received.metric("jobs");
        let Some(Data::Sum(sum)) = &jobs[0].data else {
            panic!("{jobs:?}")
        };
        assert_eq!(
            sum.data_points[0].value,
            Some(number_data_point::Value::AsInt(2))
        );
    });
}

const HTTP_PATHS: [&str; 3] = ["/v1/traces", "/v1/logs", "/v1/metrics"];
const GRPC_PATHS: [&str; 3] = [
    "/opentelemetry.proto.collector.trace.v1.TraceService/Export",
    "/opentelemetry.proto.collector.logs.v1.LogsService/Export",
    "/opentelemetry.proto.collector.metrics.v1.MetricsService/Export",
];
const GZIP: (&str, &str) = ("OTEL_EXPORTER_OTLP_COMPRESSION", "gzip");

#[test]
fn all_signals_arrive_over_http() {
    all_signals_arrive(&[], HTTP_PATHS);
}

#[test]
fn all_signals_arrive_over_grpc() {
    all_signals_arrive(&[GRPC], GRPC_PATHS);
}

#[test]
fn all_signals_arrive_compressed() {
    all_signals_arrive(&[GZIP], HTTP_PATHS);
    all_signals_arrive(&[GZIP, GRPC], GRPC_PATHS);
}

#[test]
fn the_environment_of_the_process_changes_nothing() {
    let status = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "delivery::all_signals_arrive_over_http"])
        .envs([
            ("OTEL_SDK_DISABLED", "true"),
            ("OTEL_SERVICE_NAME", "wrong"),
            (
                "OTEL_RESOURCE_ATTRIBUTES",
                "service.version=wrong,service.name=wrong",
            ),
            ("OTEL_TRACES_SAMPLER", "always_off"),
            ("OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT", "0"),
            ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:1"),
            ("OTEL_EXPORTER_OTLP_HEADERS", "x-token=wrong"),
            ("OTEL_EXPORTER_OTLP_COMPRESSION", "gzip"),
            ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc"),
            ("OTEL_BSP_MAX_QUEUE_SIZE", "1"),
            ("http_proxy", "http://127.0.0.1:1"),
        ])
        .output()
        .unwrap();
    assert!(
        status.status.success(),
        "{}",
        String::from_utf8_lossy(&status.stdout)
    );
}

#[test]
fn a_full_batch_does_not_wait_for_the_flush() {
    let receiver = Receiver::start();
    let telemetry = start(&[
        ("OTEL_EXPORTER_OTLP_ENDPOINT", &receiver.url()),
        ("OTEL_BSP_SCHEDULE_DELAY", "3600000"),
        ("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", "4"),
        ("OTEL_BLRP_SCHEDULE_DELAY", "1"),
        ("OTEL_METRIC_EXPORT_INTERVAL", "1"),
    ]);
    work(&telemetry);
    work(&telemetry);
    receiver.wait("a batch, log lines and metrics", |received| {
        received.spans().len() == 4
            && received.records().len() == 2
            && received.metric("jobs").len() > 1
    });
    assert!(telemetry.shutdown(DEADLINE));
}

#[test]
fn dropping_flushes_too() {
    let receiver = Receiver::start();
    let telemetry = start(&[("OTEL_EXPORTER_OTLP_ENDPOINT", &receiver.url())]);
    work(&telemetry);
    drop(telemetry);
    assert_eq!(receiver.look(|received| received.spans().len()), 2);
}

#[test]
fn the_flush_works_inside_of_a_runtime() {
    let receiver = Receiver::start();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    runtime.block_on(async {
        let telemetry = start(&[("OTEL_EXPORTER_OTLP_ENDPOINT", &receiver.url())]);
        work(&telemetry);
        assert!(telemetry.shutdown(DEADLINE));
    });
    assert_eq!(receiver.look(|received| received.spans().len()), 2);
}

#[test]
fn delta_over_otlp_leaves_the_page_cumulative() {
    let receiver = Receiver::start();
    let telemetry = start(&[
        (
            "OTEL_EXPORTER_OTLP_METRICS_ENDPOINT",
            &format!("{}/v1/metrics", receiver.url()),
        ),
        ("OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE", "delta"),
        ("OTEL_METRIC_EXPORT_INTERVAL", "20"),
    ]);
    assert!(!telemetry.is_tracing_enabled() && !telemetry.is_logging_enabled());
    let jobs = telemetry.meter().u64_counter("jobs").build();
    jobs.add(2, &[]);
    receiver.wait("the first delta", |received| {
        !received.metric("jobs").is_empty()
    });
    jobs.add(3, &[]);
    assert_eq!(counter(&telemetry, "jobs_total"), 5);
    assert!(telemetry.shutdown(DEADLINE));
    receiver.look(|received| {
        let deltas: Vec<_> = received
            .metric("jobs")
            .iter()
            .map(|metric| match &metric.data {
                Some(Data::Sum(sum)) => (sum.aggregation_temporality, sum.data_points[0].value),
                other => panic!("{other:?}"),
            })
            .collect();
        let int = |value| Some(number_data_point::Value::AsInt(value));
        assert_eq!(deltas, [(1, int(2)), (1, int(3))]);
    });
}

#[test]
fn nothing_is_made_when_nothing_is_exported() {
    let telemetry = start(&[]);
    assert!(!telemetry.is_tracing_enabled());
    assert!(!telemetry.tracer().start("x").is_recording());
    assert!(!telemetry.logger().event_enabled(Severity::Error, "t", None));
    telemetry.meter().u64_counter("jobs").build().add(1, &[]);
    assert_eq!(counter(&telemetry, "jobs_total"), 1);
    assert!(telemetry.shutdown(Duration::ZERO));
}
