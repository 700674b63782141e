//! Export with a receiver that fails, hangs or is not there.

use std::net::TcpListener;
use std::time::{Duration, Instant};

use http::StatusCode;
use opentelemetry::trace::{Span as _, Tracer as _};
use opentelemetry_proto::tonic::metrics::v1::metric::Data;
use opentelemetry_proto::tonic::metrics::v1::number_data_point;
use spinfo_test_receiver::{Answer, Code, Receiver};

use crate::program::{DEADLINE, GRPC, counter, start, work};

#[test]
fn passing_troubles_are_retried() {
    for (protocol, trouble) in [
        (
            ("X", ""),
            Answer::Status(StatusCode::SERVICE_UNAVAILABLE, Some("0")),
        ),
        (GRPC, Answer::Grpc(Code::Unavailable)),
    ] {
        let receiver = Receiver::start();
        receiver.answer(&[trouble, trouble]);
        let telemetry = start(&[
            protocol,
            (
                "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT",
                &format!("{}/v1/traces", receiver.url()),
            ),
            ("OTEL_BSP_SCHEDULE_DELAY", "1"),
        ]);
        work(&telemetry);
        receiver.wait("the spans", |received| received.spans().len() == 2);
        assert_eq!(
            counter(
                &telemetry,
                r#"spinfo_telemetry_spans_dropped_total{error_type="export_failed""#
            ),
            0
        );
        assert!(receiver.look(|received| received.requests.len()) >= 3);
        assert!(telemetry.shutdown(DEADLINE));
    }
}

#[test]
fn refused_and_rejected_spans_are_counted() {
    for (protocol, refusal) in [
        (("X", ""), Answer::Status(StatusCode::BAD_REQUEST, None)),
        (GRPC, Answer::Grpc(Code::InvalidArgument)),
    ] {
        let receiver = Receiver::start();
        receiver.answer(&[refusal, Answer::RejectSpans(1)]);
        let telemetry = start(&[
            protocol,
            (
                "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT",
                &format!("{}/v1/traces", receiver.url()),
            ),
            (
                "OTEL_EXPORTER_OTLP_METRICS_ENDPOINT",
                &format!("{}/v1/metrics", receiver.url()),
            ),
            ("OTEL_BSP_SCHEDULE_DELAY", "3600000"),
            ("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", "2"),
        ]);
        work(&telemetry);
        receiver.wait("the first batch", |received| received.requests.len() == 1);
        work(&telemetry);
        assert!(telemetry.shutdown(DEADLINE));
        receiver.look(|received| {
            assert_eq!(received.spans().len(), 2);
            let dropped = received.metric("spinfo.telemetry.spans.dropped");
            let Some(Data::Sum(sum)) = &dropped.last().unwrap().data else {
                panic!("{dropped:?}")
            };
            let mut counts: Vec<_> = sum
                .data_points
                .iter()
                .map(|point| {
                    let reason = point.attributes[0].value.clone().unwrap().value.unwrap();
                    (format!("{reason:?}"), point.value)
                })
                .collect();
            counts.sort_by(|one, other| one.0.cmp(&other.0));
            let counts: Vec<_> = counts
                .into_iter()
                .map(|(_, value)| value.unwrap())
                .collect();
            let int = number_data_point::Value::AsInt;
            assert_eq!(
                counts,
                [int(2), int(0), int(1)],
                "export_failed, queue_full, rejected"
            );
        });
    }
}

#[test]
fn without_a_receiver_nothing_waits_and_losses_are_counted() {
    // A port that nobody listens on, and one where connections are taken but never answered.
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let closed = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    for address in [closed, silent.local_addr().unwrap()] {
        for protocol in ["http/protobuf", "grpc"] {
            let telemetry = start(&[
                ("OTEL_EXPORTER_OTLP_ENDPOINT", &format!("http://{address}")),
                ("OTEL_EXPORTER_OTLP_PROTOCOL", protocol),
                ("OTEL_BSP_MAX_QUEUE_SIZE", "8"),
                ("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", "2"),
            ]);
            let tracer = telemetry.tracer();
            let began = Instant::now();
            for _ in 0..1000 {
                tracer.start("busy").end();
            }
            assert!(
                began.elapsed() < Duration::from_secs(2),
                "spans wait for {protocol} at {address}"
            );
            let lost = counter(
                &telemetry,
                r#"spinfo_telemetry_spans_dropped_total{error_type="queue_full""#,
            );
            assert!((900..=992).contains(&lost), "{lost} of 1000 lost");
            let began = Instant::now();
            telemetry.shutdown(Duration::from_millis(500));
            assert!(
                began.elapsed() < Duration::from_secs(2),
                "the end waits for {protocol} at {address}"
            );
        }
    }
}

#[test]
fn a_hanging_trace_receiver_does_not_cost_the_logs() {
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let receiver = Receiver::start();
    let telemetry = start(&[
        ("OTEL_EXPORTER_OTLP_ENDPOINT", &receiver.url()),
        (
            "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT",
            &format!("http://{}", silent.local_addr().unwrap()),
        ),
    ]);
    work(&telemetry);
    telemetry.shutdown(Duration::from_secs(3));
    receiver.look(|received| {
        assert_eq!(received.records().len(), 1);
        assert_eq!(received.metric("jobs").len(), 1);
    });
}
