//! Which measurement is the exemplar of a bucket.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use opentelemetry::KeyValue;
use opentelemetry_proto::tonic::metrics::v1::exemplar::Value;

use super::*;

#[test]
fn each_bucket_has_the_last_measurement_of_a_sampled_trace() {
    let program = Program::new();
    let histogram = program.histogram();
    let route = [KeyValue::new("route", "/now")];
    let begun = SystemTime::now();
    for (value, trace) in [(0.02, 1), (3.0, 2), (0.05, 3), (0.1, 4), (7.0, 5), (2.0, 6)] {
        histogram.record(value, &route, Some(&sampled(trace)));
    }
    let ended = SystemTime::now();
    let request = program.export();
    let [point] = points(&request)[..] else {
        panic!("{request:?}");
    };
    assert_eq!(point.bucket_counts, [3, 0, 3]);
    // An upper bound belongs to its bucket. In order of the values, as Prometheus expects them.
    assert_eq!(all_seen(&point.exemplars), [(0.1, 4), (2.0, 6)]);
    for exemplar in &point.exemplars {
        let time = UNIX_EPOCH + Duration::from_nanos(exemplar.time_unix_nano);
        assert!((begun..=ended).contains(&time));
        assert!(exemplar.time_unix_nano >= point.start_time_unix_nano);
        assert!(exemplar.time_unix_nano <= point.time_unix_nano);
        assert!(exemplar.filtered_attributes.is_empty());
    }
}

#[test]
fn what_is_not_sampled_leaves_nothing() {
    let program = Program::new();
    let histogram = program.histogram();
    histogram.record(0.5, &[], Some(&sampled(1)));
    for context in [
        None,
        Some(&context(2, TraceFlags::NOT_SAMPLED)),
        Some(&SpanContext::NONE),
        // Sampled, but of no trace.
        Some(&context(0, TraceFlags::SAMPLED)),
    ] {
        histogram.record(0.6, &[], context);
        histogram.record(0.01, &[], context);
    }
    let request = program.export();
    let [point] = points(&request)[..] else {
        panic!("{request:?}");
    };
    assert_eq!(point.bucket_counts, [4, 5, 0]);
    assert_eq!(all_seen(&point.exemplars), [(0.5, 1)]);
}

#[test]
fn the_filter_may_let_all_pass_or_none() {
    let unsampled = context(7, TraceFlags::NOT_SAMPLED);
    let record = |filter| {
        let program = Program::with(filter, |builder| builder);
        let histogram = program.histogram();
        histogram.record(0.01, &[], None);
        histogram.record(0.5, &[], Some(&unsampled));
        histogram.record(2.0, &[], Some(&sampled(8)));
        points(&program.export())[0].exemplars.clone()
    };
    assert!(record(ExemplarFilter::AlwaysOff).is_empty());
    let all = record(ExemplarFilter::AlwaysOn);
    assert_eq!(number(&all[0]), 0.01);
    assert!(all[0].trace_id.is_empty() && all[0].span_id.is_empty());
    assert_eq!(all_seen(&all[1..]), [(0.5, 7), (2.0, 8)]);
    assert_eq!(
        all_seen(&record(ExemplarFilter::TraceBased)),
        [(2.0, 8)],
        "the same measurements by the default"
    );
}

#[test]
fn whole_numbers_stay_whole() {
    let program = Program::new();
    let size = names::Metric {
        kind: names::Kind::Histogram(&[1024.0]),
        ..DURATION
    };
    let histogram = Histogram::u64(&program.place(), &size);
    histogram.record(1 << 40, &[], Some(&sampled(1)));
    let request = program.export();
    let exemplar = &points(&request)[0].exemplars[0];
    assert_eq!(exemplar.value, Some(Value::AsInt(1 << 40)));
}

#[test]
fn a_counter_has_the_last_addition_of_each_series() {
    let program = Program::new();
    let counter = Counter::u64(&program.place(), &names::metric::TRAPS);
    let kind = |kind: &'static str| [KeyValue::new("kind", kind)];
    counter.add(1, &kind("a"), Some(&sampled(1)));
    counter.add(2, &kind("a"), Some(&sampled(2)));
    counter.add(3, &kind("a"), None);
    counter.add(1, &kind("b"), None);
    let request = program.export();
    let mut found: Vec<_> = sums(&request)
        .iter()
        .map(|point| (point.value, all_seen(&point.exemplars)))
        .collect();
    found.sort_by_key(|(_, exemplars)| exemplars.len());
    use opentelemetry_proto::tonic::metrics::v1::number_data_point::Value;
    assert_eq!(
        found,
        [
            (Some(Value::AsInt(1)), vec![]),
            (Some(Value::AsInt(6)), vec![(2.0, 2)])
        ]
    );
}

#[test]
fn what_the_sdk_does_not_count_is_no_exemplar() {
    let program = Program::new();
    let histogram = program.histogram();
    histogram.record(0.5, &[], Some(&sampled(1)));
    for value in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
        histogram.record(value, &[], Some(&sampled(2)));
    }
    let request = program.export();
    let [point] = points(&request)[..] else {
        panic!("{request:?}");
    };
    assert_eq!(
        (point.count, all_seen(&point.exemplars)),
        (1, vec![(0.5, 1)])
    );
}
