//! The instruments that show what telemetry itself has lost.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use opentelemetry::KeyValue;
use opentelemetry::metrics::{Meter, MeterProvider as _};
use opentelemetry_sdk::metrics::SdkMeterProvider;
use spinfo_names::Metric;
use spinfo_names::values::LossReason;

use crate::instruments;
use crate::names::{ERROR_TYPE, metric};
use crate::pipeline::{Losses, Queue, Work};

/// Registers a counter for each signal that is exported.
pub(super) fn observe(provider: &SdkMeterProvider, work: &Work) {
    let meter = provider.meter("spinfo-telemetry");
    if let Some((_, queue)) = &work.spans {
        count_losses(&meter, &metric::SPANS_DROPPED, queue.clone());
    }
    if let Some((_, queue)) = &work.logs {
        count_losses(&meter, &metric::LOGS_DROPPED, queue.clone());
    }
    if let Some(push) = &work.metrics {
        let failures = push.failures.clone();
        instruments::observe(&meter, &metric::METRIC_EXPORTS_FAILED, move |observer| {
            let failed = failures.load(Ordering::Relaxed);
            observer.observe(failed, &[reason(LossReason::ExportFailed)]);
        });
    }
}

fn count_losses<T: Send + 'static>(meter: &Meter, metric: &Metric, queue: Arc<Queue<T>>) {
    instruments::observe(meter, metric, move |observer| {
        for known in LossReason::ALL {
            let count = count(queue.losses(), *known).load(Ordering::Relaxed);
            observer.observe(count, &[reason(*known)]);
        }
    });
}

const fn count(losses: &Losses, reason: LossReason) -> &AtomicU64 {
    match reason {
        LossReason::QueueFull => &losses.queue_full,
        LossReason::ExportFailed => &losses.export_failed,
        LossReason::Rejected => &losses.rejected,
    }
}

fn reason(reason: LossReason) -> KeyValue {
    KeyValue::new(ERROR_TYPE, reason.as_str())
}
