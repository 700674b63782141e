//! The numbers of one target, from its requests to the summary.

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime};

use hdrhistogram::Histogram;
use serde::Serialize;
use tokio::time::Instant;

use crate::report::{Change, Event, Outcome, Report, ReportError, Sent, rounded};

/// Three digits of each latency count, from one microsecond up.
const SIGNIFICANT_DIGITS: u8 = 3;

/// Counts what happens to one target.
#[derive(Debug)]
pub(crate) struct TargetStats {
    target: String,
    endpoint: String,
    interval: Duration,
    started: Instant,
    counts: Counts,
    latencies: Histogram<u64>,
}

/// What has been counted.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub(crate) struct Counts {
    /// Finished requests.
    pub(crate) requests: u64,
    /// Those of them that failed.
    pub(crate) failures: u64,
    /// Ticks without a request, since one was still under way.
    pub(crate) missed: u64,
    /// Requests on a connection that had served one before.
    pub(crate) reused: u64,
    /// Failures by type.
    pub(crate) errors: BTreeMap<&'static str, u64>,
    /// What became of changes.
    pub(crate) changes: Changes,
    /// The last failure, and when its request was started.
    #[serde(skip)]
    pub(crate) last_error: Option<(SystemTime, ReportError)>,
}

/// How many changes had which outcome.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub(crate) struct Changes {
    /// [`Outcome::Ok`]
    pub(crate) ok: u64,
    /// [`Outcome::Failed`]
    pub(crate) failed: u64,
    /// [`Outcome::Mismatch`]
    pub(crate) mismatch: u64,
    /// Whether the server has said that it knows no changes.
    pub(crate) unsupported: bool,
}

/// The numbers of one target at the end.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct TargetSummary {
    pub(crate) target: String,
    pub(crate) endpoint: String,
    /// Since the start of the run.
    pub(crate) duration_seconds: f64,
    #[serde(flatten)]
    pub(crate) counts: Counts,
    /// Failures of all requests, from 0 to 1; 0 without requests.
    pub(crate) error_share: f64,
    /// Finished requests a second.
    pub(crate) rate: f64,
    pub(crate) latency_seconds: Latency,
}

/// Corrected for coordinated omission; absent as long as nothing was answered and nothing timed out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub(crate) struct Latency {
    /// Half of the requests took no longer.
    pub(crate) p50: Option<f64>,
    pub(crate) p95: Option<f64>,
    pub(crate) p99: Option<f64>,
    pub(crate) max: Option<f64>,
}

impl TargetStats {
    /// Nothing has happened yet at `now`. `interval` is the schedule's, by which latencies are corrected.
    pub(crate) fn new(target: String, endpoint: String, interval: Duration, now: Instant) -> Self {
        Self {
            target,
            endpoint,
            interval,
            started: now,
            counts: Counts::default(),
            latencies: Histogram::new(SIGNIFICANT_DIGITS)
                .expect("three digits are among what there can be"),
        }
    }

    /// Counts what has happened to this target.
    pub(crate) fn count(&mut self, event: &Event) {
        match event {
            Event::Report(_, report) => self.report(report),
            Event::Change(_, change) => self.change(change),
            Event::Missed(_, ticks) => self.counts.missed += ticks,
        }
    }

    fn report(&mut self, report: &Report) {
        let counts = &mut self.counts;
        counts.requests += 1;
        counts.reused += u64::from(report.reused);
        if let Some(error) = &report.sent.error {
            counts.failures += 1;
            *counts.errors.entry(error.kind).or_default() += 1;
            counts.last_error = Some((report.sent.timestamp, error.clone()));
        }
        if has_latency(&report.sent) {
            self.latency(report.sent.duration);
        }
    }

    fn change(&mut self, change: &Change) {
        let changes = &mut self.counts.changes;
        match change.result {
            Outcome::Ok => changes.ok += 1,
            Outcome::Failed => changes.failed += 1,
            Outcome::Mismatch => changes.mismatch += 1,
            Outcome::Unsupported => changes.unsupported = true,
        }
    }

    /// A slow answer also delays the requests that its successors would have been. `record_correct` counts what they would have seen:
    /// the time that was left at each tick that went by.
    fn latency(&mut self, duration: Duration) {
        let micros = |duration: Duration| u64::try_from(duration.as_micros()).unwrap_or(u64::MAX);
        let interval = micros(self.interval).max(1);
        // It fails only for values past what it may resize to, which is thousands of years.
        let _ = self
            .latencies
            .record_correct(micros(duration).max(1), interval);
    }

    /// The numbers at `now`.
    pub(crate) fn summary(&self, now: Instant) -> TargetSummary {
        let elapsed = now.saturating_duration_since(self.started);
        TargetSummary {
            target: self.target.clone(),
            endpoint: self.endpoint.clone(),
            duration_seconds: rounded(elapsed),
            error_share: share(self.counts.failures, self.counts.requests),
            rate: self.rate(elapsed),
            latency_seconds: Latency {
                p50: self.quantile(0.50),
                p95: self.quantile(0.95),
                p99: self.quantile(0.99),
                max: self.quantile(1.0),
            },
            counts: self.counts.clone(),
        }
    }

    /// Each tick stands for a whole interval, the last one too, although a run ends with its request. Otherwise one request in 2 ms would
    /// be 500 a second.
    fn rate(&self, elapsed: Duration) -> f64 {
        let ticks = self.counts.requests + self.counts.missed;
        let span = elapsed
            .as_secs_f64()
            .max(self.interval.as_secs_f64() * ticks as f64);
        let rate = self.counts.requests as f64 / span.max(f64::MIN_POSITIVE);
        (rate * 1e3).round() / 1e3
    }

    fn quantile(&self, quantile: f64) -> Option<f64> {
        let micros =
            (!self.latencies.is_empty()).then(|| self.latencies.value_at_quantile(quantile));
        micros.map(|micros| micros as f64 / 1e6)
    }
}

/// A connection that is refused at once says nothing about how fast answers are, and would make a broken server look quick. A time-out
/// and a body that broke off do: a good answer would have taken at least as long.
fn has_latency(sent: &Sent) -> bool {
    let answering = |error: &ReportError| matches!(error.kind, "timeout" | "body");
    sent.status.is_some() || sent.error.as_ref().is_some_and(answering)
}

/// 0 of nothing.
pub(crate) fn share(part: u64, whole: u64) -> f64 {
    part as f64 / whole.max(1) as f64
}

#[cfg(test)]
mod tests;
