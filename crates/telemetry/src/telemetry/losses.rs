//! The instruments that show what telemetry itself has lost.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use opentelemetry::KeyValue;
use opentelemetry::metrics::{Meter, MeterProvider as _};
use opentelemetry_sdk::metrics::SdkMeterProvider;

use crate::names::{ERROR_TYPE, metric};
use crate::pipeline::{Losses, Queue, Work};

/// Registers a counter for each signal that is exported.
pub(super) fn observe(provider: &SdkMeterProvider, work: &Work) {
    let meter = provider.meter("spinfo-telemetry");
    if let Some((_, queue)) = &work.spans {
        let about = (
            metric::SPANS_DROPPED,
            "{span}",
            "Spans lost before they reached a receiver.",
        );
        count_losses(&meter, about, queue.clone());
    }
    if let Some((_, queue)) = &work.logs {
        let about = (
            metric::LOGS_DROPPED,
            "{log_record}",
            "Log records lost before they reached a receiver.",
        );
        count_losses(&meter, about, queue.clone());
    }
    if let Some(push) = &work.metrics {
        let failures = push.failures.clone();
        meter
            .u64_observable_counter(metric::METRIC_EXPORTS_FAILED)
            .with_unit("{export}")
            .with_description("Exports of metrics that failed.")
            .with_callback(move |observer| {
                observer.observe(
                    failures.load(Ordering::Relaxed),
                    &[KeyValue::new(ERROR_TYPE, "export_failed")],
                );
            })
            .build();
    }
}

fn count_losses<T: Send + 'static>(
    meter: &Meter,
    (name, unit, description): (&'static str, &'static str, &'static str),
    queue: Arc<Queue<T>>,
) {
    type Reason = (&'static str, fn(&Losses) -> &AtomicU64);
    const REASONS: [Reason; 3] = [
        ("queue_full", |losses| &losses.queue_full),
        ("export_failed", |losses| &losses.export_failed),
        ("rejected", |losses| &losses.rejected),
    ];
    meter
        .u64_observable_counter(name)
        .with_unit(unit)
        .with_description(description)
        .with_callback(move |observer| {
            for (reason, count) in REASONS {
                let count = count(queue.losses()).load(Ordering::Relaxed);
                observer.observe(count, &[KeyValue::new(ERROR_TYPE, reason)]);
            }
        })
        .build();
}
