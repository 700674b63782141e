//! Pushing metrics: a collection at every interval, and one at the end.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use opentelemetry_sdk::metrics::ManualReader;
use prost::Message as _;
use tokio::sync::watch;
use tokio::time::{Instant, MissedTickBehavior, interval_at};

use super::report::Report;
use crate::exemplars::Exemplars;
use crate::exporter::Exporter;
use crate::settings::Signal;

/// The periodic export of metrics.
pub(crate) struct MetricPush {
    pub(crate) exporter: Exporter,
    pub(crate) reader: Arc<ManualReader>,
    pub(crate) exemplars: Arc<Exemplars>,
    pub(crate) interval: Duration,
    /// Most time for one export.
    pub(crate) limit: Duration,
    /// Exports that failed, shared with the instrument that shows them.
    pub(crate) failures: Arc<AtomicU64>,
}

impl MetricPush {
    pub(super) async fn run(self, mut stop: watch::Receiver<bool>) {
        let mut report = Report::new(Signal::Metrics, self.exporter.receiver());
        let mut ticks = interval_at(Instant::now() + self.interval, self.interval);
        // After an export that took longer than the interval, the rhythm starts anew.
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let stopping = tokio::select! {
                _ = ticks.tick() => false,
                _ = stop.wait_for(|stop| *stop) => true,
            };
            self.push(&mut report, &stop).await;
            if stopping {
                return;
            }
        }
    }

    async fn push(&self, report: &mut Report, stop: &watch::Receiver<bool>) {
        let collected = match self.exemplars.collect(&self.reader) {
            Ok(collected) => collected,
            Err(why) => return report.failed(&why.to_string()),
        };
        if collected.metrics.scope_metrics().next().is_none() {
            return;
        }
        let request = collected.request().encode_to_vec();
        match self.exporter.send(request, self.limit, stop).await {
            Ok(rejected) if rejected.items == 0 => report.delivered(),
            Ok(rejected) => report.failed(&format!(
                "the receiver refuses {} points: {}",
                rejected.items, rejected.message
            )),
            Err(reason) => {
                self.failures.fetch_add(1, Ordering::Relaxed);
                report.failed(&reason);
            }
        }
    }
}
