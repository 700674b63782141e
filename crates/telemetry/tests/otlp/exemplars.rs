//! Exemplars, pushed and on the page of the same program.

use opentelemetry::KeyValue;
use opentelemetry::trace::{Span as _, SpanContext, Tracer as _};
use spinfo_names::{Kind, Metric};
use spinfo_telemetry::{Histogram, Telemetry};
use spinfo_test_receiver::{Receiver, hex};

use crate::program::{DEADLINE, GRPC, start};

const DURATION: Metric = Metric {
    name: "work.duration",
    unit: "s",
    help: "",
    kind: Kind::Histogram(&[1.0]),
    senders: &[],
    attributes: &[],
};

fn span(telemetry: &Telemetry) -> SpanContext {
    let span = telemetry.tracer().start("work");
    span.span_context().clone()
}

fn measure(histogram: &Histogram<f64>, span: &SpanContext) {
    let attributes = [KeyValue::new("kind", "a")];
    histogram.record(0.5, &attributes, Some(span));
    histogram.record(2.0, &attributes, None);
}

/// Also that a push of deltas leaves the page its exemplars.
fn both_have_the_trace(vars: &[(&str, &str)]) {
    let receiver = Receiver::start();
    let url = receiver.url();
    let mut vars = vars.to_vec();
    vars.extend([
        ("OTEL_EXPORTER_OTLP_ENDPOINT", url.as_str()),
        ("OTEL_METRIC_EXPORT_INTERVAL", "50"),
    ]);
    let telemetry = start(&vars);
    let histogram = telemetry.f64_histogram(&DURATION);
    let span = span(&telemetry);
    measure(&histogram, &span);
    let exemplar = receiver.wait_for("an exemplar", |received| {
        let points: Vec<_> = received.histogram("work.duration").collect();
        assert!(points.iter().all(|point| point.exemplars.len() <= 1));
        let exemplar = points.iter().find_map(|point| point.exemplars.first());
        exemplar.cloned()
    });
    assert_eq!(hex(&exemplar.trace_id), span.trace_id().to_string());
    assert_eq!(hex(&exemplar.span_id), span.span_id().to_string());
    let on_page = format!(
        " # {{trace_id=\"{}\",span_id=\"{}\"}} 0.5 ",
        span.trace_id(),
        span.span_id()
    );
    let page = telemetry.open_metrics();
    assert_eq!(page.matches(&on_page).count(), 1, "{page}");
    assert_eq!(page.matches(" # {").count(), 1, "{page}");
    assert!(telemetry.shutdown(DEADLINE));
}

#[test]
fn an_exemplar_reaches_the_receiver_and_the_page() {
    both_have_the_trace(&[]);
    both_have_the_trace(&[GRPC]);
    both_have_the_trace(&[("OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE", "delta")]);
}

#[test]
fn traces_that_are_not_sampled_leave_none() {
    let receiver = Receiver::start();
    let url = receiver.url();
    let telemetry = start(&[
        ("OTEL_EXPORTER_OTLP_ENDPOINT", url.as_str()),
        ("OTEL_TRACES_SAMPLER", "always_off"),
    ]);
    let histogram = telemetry.f64_histogram(&DURATION);
    measure(&histogram, &span(&telemetry));
    assert!(!telemetry.open_metrics().contains(" # {"));
    assert!(telemetry.shutdown(DEADLINE));
    receiver.look(|received| {
        let points: Vec<_> = received.histogram("work.duration").collect();
        assert_eq!(points.len(), 1);
        assert!(points[0].exemplars.is_empty(), "{points:?}");
    });
}
