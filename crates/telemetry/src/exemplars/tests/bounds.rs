//! What may not grow and what may not wait.

use std::sync::atomic::{AtomicBool, Ordering};

use opentelemetry::KeyValue;

use super::*;
use crate::exemplars::SERIES_LIMIT;
use crate::exemplars::slots::bucket;

fn series(number: usize) -> [KeyValue; 1] {
    [KeyValue::new("id", i64::try_from(number).unwrap())]
}

fn is_overflow(point: &HistogramDataPoint) -> bool {
    point
        .attributes
        .iter()
        .any(|attribute| attribute.key == "otel.metric.overflow")
}

#[test]
fn beyond_the_limit_of_series_nothing_is_kept() {
    let program = Program::new();
    let histogram = program.histogram();
    for round in 0..2 {
        for number in 0..SERIES_LIMIT + 100 {
            let trace = sampled(round * 10_000 + number as u64 + 1);
            histogram.record(number as f64, &series(number), Some(&trace));
        }
    }
    let request = program.export();
    let (over, own): (Vec<_>, Vec<_>) = points(&request)
        .into_iter()
        .partition(|point| is_overflow(point));
    assert_eq!((own.len(), over.len()), (SERIES_LIMIT, 1), "as in the SDK");
    assert_eq!((over[0].count, over[0].exemplars.len()), (200, 0));
    for point in own {
        let value = point.sum.unwrap() / 2.0;
        assert_eq!(
            all_seen(&point.exemplars),
            [(value, 10_000 + value as u64 + 1)]
        );
    }
}

/// The SDK's series fill up with what is not sampled, so that it counts the sampled ones as overflow.
#[test]
fn a_series_that_the_sdk_does_not_have_shows_nowhere() {
    let program = Program::new();
    let histogram = program.histogram();
    for number in 0..SERIES_LIMIT {
        histogram.record(1.0, &series(number), None);
    }
    histogram.record(1.0, &series(SERIES_LIMIT), Some(&sampled(1)));
    let request = program.export();
    assert!(points(&request).iter().any(|point| is_overflow(point)));
    for point in points(&request) {
        assert!(point.exemplars.is_empty(), "{point:?}");
    }
}

/// Every value has a trace of its own number, so that a torn slot would show.
#[test]
fn many_threads_and_a_reader_see_whole_exemplars_that_have_been_counted() {
    const THREADS: u64 = 4;
    const EACH: u64 = 5_000;
    let program = Program::new();
    let histogram = program.histogram();
    let done = AtomicBool::new(false);
    let check = || {
        let request = program.export();
        for point in points(&request) {
            for exemplar in &point.exemplars {
                let (value, trace) = seen(exemplar);
                assert_eq!(value, trace as f64 / 1000.0);
                assert!(point.bucket_counts[bucket(&BOUNDS, value)] > 0);
                assert!(exemplar.time_unix_nano <= point.time_unix_nano);
            }
        }
        points(&request)
            .iter()
            .map(|point| (point.count, point.exemplars.len()))
            .fold((0, 0), |(count, exemplars), (c, e)| {
                (count + c, exemplars + e)
            })
    };
    let (count, exemplars) = std::thread::scope(|scope| {
        let work = |thread: u64| {
            let histogram = histogram.clone();
            move || {
                for round in 0..EACH {
                    let trace = 1 + thread * EACH + round;
                    let attributes = [KeyValue::new("n", i64::try_from(round % 50).unwrap())];
                    histogram.record(trace as f64 / 1000.0, &attributes, Some(&sampled(trace)));
                }
            }
        };
        let workers: Vec<_> = (0..THREADS)
            .map(|thread| scope.spawn(work(thread)))
            .collect();
        let reader = scope.spawn(|| {
            while !done.load(Ordering::Relaxed) {
                check();
            }
        });
        let failed = workers.into_iter().any(|worker| worker.join().is_err());
        done.store(true, Ordering::Relaxed);
        assert!(!failed && reader.join().is_ok());
        check()
    });
    assert_eq!(count, THREADS * EACH);
    assert!((50..=150).contains(&exemplars), "{exemplars}");
}
