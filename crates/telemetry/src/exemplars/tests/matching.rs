//! An exemplar comes with the data point that it was counted in, or not at all.

use opentelemetry::{Array, KeyValue, StringValue, Value};
use opentelemetry_sdk::metrics::{Aggregation, Instrument as SdkInstrument, Stream};

use super::*;

/// Attributes of series `number`, of all types, begun with the one at `turn`.
fn attributes(number: u64, turn: usize) -> Vec<KeyValue> {
    let signed = i64::try_from(number).unwrap();
    let mut attributes = vec![
        KeyValue::new("route", format!("/{number}")),
        KeyValue::new("status", signed),
        KeyValue::new("share", number as f64 / 7.0),
        KeyValue::new("even", number > 9),
        KeyValue::new("a", Value::Array(Array::I64(vec![signed, 1]))),
    ];
    attributes.rotate_left(turn);
    attributes
}

/// Each series has one value, which tells whose exemplar a data point got.
#[test]
fn every_series_gets_its_own_in_whatever_order_its_attributes_come() {
    const SERIES: u64 = 200;
    let program = Program::new();
    let histogram = program.histogram();
    let sizes = names::Metric {
        name: "sizes",
        kind: names::Kind::Histogram(&[1e9]),
        ..DURATION
    };
    let sizes = Histogram::u64(&program.place(), &sizes);
    for turn in 0..5 {
        for number in 0..SERIES {
            let attributes = attributes(number, turn);
            histogram.record(number as f64, &attributes, Some(&sampled(number + 1)));
            sizes.record(number, &attributes, Some(&sampled(number + 1)));
        }
    }
    let request = program.export();
    let points = points(&request);
    assert_eq!(points.len() as u64, 2 * SERIES);
    for point in points {
        assert_eq!(point.count, 5);
        let own = point.sum.unwrap() / 5.0;
        assert_eq!(
            all_seen(&point.exemplars),
            [(own, own as u64 + 1)],
            "{point:?}"
        );
    }
}

#[test]
fn equal_attributes_of_other_making_are_one_series() {
    let program = Program::new();
    let histogram = program.histogram();
    let fixed = [KeyValue::new("route", "/now"), KeyValue::new("a", "b")];
    let shared: Arc<str> = "/now".into();
    let shared = [
        KeyValue::new("route", StringValue::from(shared)),
        KeyValue::new("a", "b".to_owned()),
    ];
    let twice = [fixed[0].clone(), fixed[1].clone(), fixed[1].clone()];
    histogram.record(0.01, &fixed, Some(&sampled(1)));
    histogram.record(0.5, &shared, Some(&sampled(2)));
    histogram.record(2.0, &twice, Some(&sampled(3)));
    let request = program.export();
    let [point] = points(&request)[..] else {
        panic!("{request:?}");
    };
    assert_eq!(all_seen(&point.exemplars), [(0.01, 1), (0.5, 2), (2.0, 3)]);
}

#[test]
fn instruments_of_one_name_do_not_mix() {
    let program = Program::new();
    let other_unit = names::Metric {
        unit: "ms",
        ..DURATION
    };
    let other_text = names::Metric {
        help: "Another time.",
        ..DURATION
    };
    let other_case = names::Metric {
        name: "Work.Duration",
        ..DURATION
    };
    // Another scope has it too, without exemplars.
    let elsewhere = program.provider.meter("elsewhere");
    let elsewhere = elsewhere
        .f64_histogram(DURATION.name)
        .with_unit(DURATION.unit)
        .with_description(DURATION.help)
        .with_boundaries(BOUNDS.to_vec());
    elsewhere.build().record(0.5, &[]);

    let seconds = program.histogram();
    seconds.record(0.5, &[], Some(&sampled(1)));
    Histogram::f64(&program.place(), &other_unit).record(0.6, &[], Some(&sampled(2)));
    Histogram::f64(&program.place(), &other_text).record(0.7, &[], Some(&sampled(3)));
    Histogram::u64(&program.place(), &DURATION).record(1, &[], Some(&sampled(4)));
    // The SDK takes this one for the first.
    Histogram::f64(&program.place(), &other_case).record(2.0, &[], Some(&sampled(5)));
    let request = program.export();
    let mut found: Vec<_> = points(&request)
        .iter()
        .map(|point| (point.sum.unwrap(), all_seen(&point.exemplars)))
        .collect();
    found.sort_by(|one, other| one.0.total_cmp(&other.0));
    assert_eq!(
        found,
        [
            (0.5, vec![]),
            (0.6, vec![(0.6, 2)]),
            (0.7, vec![(0.7, 3)]),
            (1.0, vec![(1.0, 4)]),
            (2.5, vec![(0.5, 1), (2.0, 5)]),
        ]
    );
}

/// A view may do to the instrument of these tests what `stream` says.
fn viewed(stream: fn() -> Stream) -> Program {
    Program::with(ExemplarFilter::TraceBased, move |builder| {
        builder.with_view(move |instrument: &SdkInstrument| {
            (instrument.name() == DURATION.name).then(stream)
        })
    })
}

#[test]
fn a_view_that_renames_gives_none_rather_than_wrong_ones() {
    let program = viewed(|| Stream::builder().with_name("other").build().unwrap());
    program.histogram().record(0.5, &[], Some(&sampled(1)));
    let request = program.export();
    let [point] = points(&request)[..] else {
        panic!("{request:?}");
    };
    assert!(point.exemplars.is_empty(), "{point:?}");
}

/// Views that take attributes are not built in, so the SDK's instrument is given the attributes that such a view would leave.
#[test]
fn a_point_that_has_lost_attributes_has_no_exemplars_rather_than_wrong_ones() {
    let program = Program::new();
    let all = [KeyValue::new("route", "/now"), KeyValue::new("status", 200)];
    let histogram = program.histogram();
    histogram.record(0.5, &all[..1], None);
    let slots = program.exemplars.instruments.lock().unwrap()[0].clone();
    slots.offer(0.5, &all, Some(&sampled(1)));
    let request = program.export();
    let [point] = points(&request)[..] else {
        panic!("{request:?}");
    };
    assert!(point.exemplars.is_empty(), "{point:?}");
}

#[test]
fn a_view_of_other_buckets_keeps_each_value_in_its_bucket() {
    let program = viewed(|| {
        let buckets = Aggregation::ExplicitBucketHistogram {
            boundaries: vec![0.5, 5.0],
            record_min_max: false,
        };
        Stream::builder().with_aggregation(buckets).build().unwrap()
    });
    let histogram = program.histogram();
    for (value, trace) in [(0.05, 1), (0.7, 2), (3.0, 3)] {
        histogram.record(value, &[], Some(&sampled(trace)));
    }
    let request = program.export();
    let [point] = points(&request)[..] else {
        panic!("{request:?}");
    };
    assert_eq!(point.bucket_counts, [1, 2, 0]);
    assert_eq!(all_seen(&point.exemplars), [(0.05, 1), (0.7, 2), (3.0, 3)]);
}
