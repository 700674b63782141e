//! Deltas, and two readers at once.

use super::*;

/// A program whose metrics a second reader takes as deltas.
fn with_deltas() -> (Program, Arc<ManualReader>) {
    let deltas = reader(Temporality::Delta);
    let second = deltas.clone();
    let program = Program::with(ExemplarFilter::TraceBased, |builder| {
        builder.with_reader(SharedReader(second))
    });
    (program, deltas)
}

fn exemplars(request: &ExportMetricsServiceRequest) -> Vec<(f64, u64)> {
    let points = points(request);
    let all = points.iter().flat_map(|point| &point.exemplars);
    all.map(seen).collect()
}

#[test]
fn a_delta_has_the_exemplars_of_its_own_interval() {
    let (program, deltas) = with_deltas();
    let histogram = program.histogram();
    histogram.record(0.5, &[], Some(&sampled(1)));
    histogram.record(2.0, &[], Some(&sampled(2)));
    assert_eq!(
        exemplars(&program.export_from(&deltas)),
        [(0.5, 1), (2.0, 2)]
    );
    histogram.record(0.6, &[], Some(&sampled(3)));
    histogram.record(3.0, &[], None);
    let second = program.export_from(&deltas);
    assert_eq!(points(&second)[0].bucket_counts, [0, 1, 1]);
    assert_eq!(exemplars(&second), [(0.6, 3)]);
    assert!(points(&program.export_from(&deltas)).is_empty());
}

#[test]
fn no_reader_takes_from_another() {
    let (program, deltas) = with_deltas();
    let histogram = program.histogram();
    histogram.record(0.5, &[], Some(&sampled(1)));
    for _ in 0..3 {
        assert_eq!(
            exemplars(&program.export()),
            [(0.5, 1)],
            "what is cumulative stays until it is replaced"
        );
    }
    assert_eq!(exemplars(&program.export_from(&deltas)), [(0.5, 1)]);
    assert_eq!(exemplars(&program.export()), [(0.5, 1)]);
    histogram.record(0.7, &[], Some(&sampled(2)));
    assert_eq!(exemplars(&program.export()), [(0.7, 2)]);
    assert_eq!(exemplars(&program.export_from(&deltas)), [(0.7, 2)]);
}

/// The collection came between the count and the slot.
#[test]
fn an_exemplar_that_comes_after_its_count_was_sent_is_left_out() {
    let (program, deltas) = with_deltas();
    let histogram = program.histogram();
    histogram.record(0.5, &[], None);
    program.export_from(&deltas);
    let slots = program.exemplars.instruments.lock().unwrap()[0].clone();
    slots.offer(0.5, &[], Some(&sampled(1)));
    histogram.record(2.0, &[], Some(&sampled(2)));
    let request = program.export_from(&deltas);
    assert_eq!(points(&request)[0].bucket_counts, [0, 0, 1]);
    assert_eq!(exemplars(&request), [(2.0, 2)]);
}
