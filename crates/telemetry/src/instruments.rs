//! Instruments without exemplars, made from the table of metrics.

use opentelemetry::metrics::{AsyncInstrument, Counter, Histogram, Meter, UpDownCounter};
use spinfo_names::{Kind, Metric};

/// A counter of whole numbers.
pub fn counter(meter: &Meter, metric: &Metric) -> Counter<u64> {
    let builder = meter.u64_counter(metric.name);
    builder
        .with_unit(metric.unit)
        .with_description(metric.help)
        .build()
}

/// A number that goes up and down.
pub fn up_down_counter(meter: &Meter, metric: &Metric) -> UpDownCounter<i64> {
    let builder = meter.i64_up_down_counter(metric.name);
    builder
        .with_unit(metric.unit)
        .with_description(metric.help)
        .build()
}

/// A histogram of fractions.
pub fn histogram(meter: &Meter, metric: &Metric) -> Histogram<f64> {
    let builder = meter.f64_histogram(metric.name);
    builder
        .with_unit(metric.unit)
        .with_description(metric.help)
        .with_boundaries(metric.buckets().to_vec())
        .build()
}

/// A counter or gauge of whole numbers that is asked for its values when they are collected.
pub fn observe(
    meter: &Meter,
    metric: &Metric,
    callback: impl Fn(&dyn AsyncInstrument<u64>) + Send + Sync + 'static,
) {
    if metric.kind == Kind::Counter {
        let builder = meter.u64_observable_counter(metric.name);
        builder
            .with_unit(metric.unit)
            .with_description(metric.help)
            .with_callback(callback)
            .build();
    } else {
        let builder = meter.u64_observable_gauge(metric.name);
        builder
            .with_unit(metric.unit)
            .with_description(metric.help)
            .with_callback(callback)
            .build();
    }
}

/// A gauge of fractions that is asked for its values when they are collected.
pub fn observe_f64(
    meter: &Meter,
    metric: &Metric,
    callback: impl Fn(&dyn AsyncInstrument<f64>) + Send + Sync + 'static,
) {
    let builder = meter.f64_observable_gauge(metric.name);
    builder
        .with_unit(metric.unit)
        .with_description(metric.help)
        .with_callback(callback)
        .build();
}
