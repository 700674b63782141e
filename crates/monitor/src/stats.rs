//! The numbers of one target: what the live view shows, and what the summary says.

use std::collections::{BTreeMap, VecDeque};
use std::time::{Duration, SystemTime};

use hdrhistogram::Histogram;
use tokio::time::Instant;

use crate::report::{Change, Outcome, Report, ReportError};

/// How many recent requests are kept for the sparkline: more than the widest terminal has room for.
pub const RECENT: usize = 240;

/// The time over which [`Snapshot::rate`] looks back: long enough for intervals of seconds, short enough to see a stall.
const RATE_WINDOW: Duration = Duration::from_secs(30);

/// Three digits of each latency count, from one microsecond up.
const SIGNIFICANT_DIGITS: u8 = 3;

/// Counts what happens to one target.
#[derive(Debug)]
pub struct TargetStats {
    name: String,
    endpoint: String,
    interval: Duration,
    started: Instant,
    requests: u64,
    failures: u64,
    missed: u64,
    reused: u64,
    latencies: Histogram<u64>,
    errors: BTreeMap<&'static str, u64>,
    last_error: Option<LastError>,
    recent: VecDeque<(Instant, Point)>,
    status: Option<u16>,
    last_ok: Option<bool>,
    state: Option<String>,
    revision: Option<u64>,
    changes: Changes,
}

/// One column of the sparkline.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Point {
    /// A request that succeeded, and how long it took.
    Ok(Duration),
    /// A request that failed, and how long that took.
    Failed(Duration),
    /// A tick without a request, since one was still under way.
    Missed,
}

/// The last failure of a target.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LastError {
    /// When its request was started.
    pub at: SystemTime,
    /// As in [`ReportError::kind`](crate::report::ReportError::kind).
    pub kind: &'static str,
    /// For people.
    pub message: String,
}

/// How many changes had which outcome.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Changes {
    /// [`Outcome::Ok`]
    pub ok: u64,
    /// [`Outcome::Failed`]
    pub failed: u64,
    /// [`Outcome::Mismatch`]
    pub mismatch: u64,
    /// Whether the server has said that it knows no changes.
    pub unsupported: bool,
}

/// The numbers of one target at a moment.
#[derive(Clone, Debug, PartialEq)]
pub struct Snapshot {
    /// The name that the fleet file gives the target, otherwise its URL without secrets.
    pub name: String,
    /// The URL that is requested, without secrets.
    pub endpoint: String,
    /// Since the start of the run.
    pub elapsed: Duration,
    /// Finished requests.
    pub requests: u64,
    /// Those of them that failed.
    pub failures: u64,
    /// Ticks without a request, since one was still under way.
    pub missed: u64,
    /// Requests on a connection that had served one before.
    pub reused: u64,
    /// Finished requests a second, in the last half minute.
    pub rate: f64,
    /// Finished requests a second, over the whole run.
    pub mean_rate: f64,
    /// `failures` of `requests`, from 0 to 1; 0 without requests.
    pub error_share: f64,
    /// Half of the requests took no longer. Like the others: corrected for coordinated omission, and absent as long as nothing was
    /// answered and nothing timed out.
    pub p50: Option<Duration>,
    /// 95 of 100 requests took no longer.
    pub p95: Option<Duration>,
    /// 99 of 100 requests took no longer.
    pub p99: Option<Duration>,
    /// None took longer.
    pub max: Option<Duration>,
    /// Failures by type, the most frequent first.
    pub errors: Vec<(&'static str, u64)>,
    /// The last failure, however long ago.
    pub last_error: Option<LastError>,
    /// The last [`RECENT`] ticks, oldest first.
    pub recent: Vec<Point>,
    /// The code of the last answer, if the last request was answered.
    pub status: Option<u16>,
    /// Whether the last request succeeded; `None` before the first.
    pub last_ok: Option<bool>,
    /// The state that the server showed last.
    pub state: Option<String>,
    /// The revision that the server showed last.
    pub revision: Option<u64>,
    /// What became of changes.
    pub changes: Changes,
}

impl TargetStats {
    /// Nothing has happened yet at `now`. `interval` is the schedule's, by which latencies are corrected.
    pub fn new(name: String, endpoint: String, interval: Duration, now: Instant) -> Self {
        Self {
            name,
            endpoint,
            interval,
            started: now,
            requests: 0,
            failures: 0,
            missed: 0,
            reused: 0,
            latencies: Histogram::new(SIGNIFICANT_DIGITS)
                .expect("three digits are among what there can be"),
            errors: BTreeMap::new(),
            last_error: None,
            recent: VecDeque::with_capacity(RECENT),
            status: None,
            last_ok: None,
            state: None,
            revision: None,
            changes: Changes::default(),
        }
    }

    /// The same target with nothing counted yet.
    pub fn anew(&self, now: Instant) -> Self {
        Self::new(self.name.clone(), self.endpoint.clone(), self.interval, now)
    }

    /// Counts a request that was finished at `now`.
    pub fn report(&mut self, report: &Report, now: Instant) {
        self.requests += 1;
        self.reused += u64::from(report.reused);
        self.status = report.status;
        self.last_ok = Some(report.success);
        if let Some(error) = &report.error {
            *self.errors.entry(error.kind).or_default() += 1;
            self.last_error = Some(LastError {
                at: report.timestamp,
                kind: error.kind,
                message: error.message.clone(),
            });
        }
        if report.success {
            self.point(Point::Ok(report.duration), now);
        } else {
            self.failures += 1;
            self.point(Point::Failed(report.duration), now);
        }
        if has_latency(report) {
            self.latency(report.duration);
        }
        if report.revision.is_some() {
            self.state.clone_from(&report.state);
            self.revision = report.revision;
        }
    }

    /// Counts ticks without a request.
    pub fn missed(&mut self, ticks: u64, now: Instant) {
        self.missed += ticks;
        for _ in 0..ticks.min(RECENT as u64) {
            self.point(Point::Missed, now);
        }
    }

    /// Counts a change.
    pub fn change(&mut self, change: &Change) {
        match change.result {
            Outcome::Ok => self.changes.ok += 1,
            Outcome::Failed => self.changes.failed += 1,
            Outcome::Mismatch => self.changes.mismatch += 1,
            Outcome::Unsupported => self.changes.unsupported = true,
        }
    }

    /// The numbers at `now`.
    pub fn snapshot(&self, now: Instant) -> Snapshot {
        let elapsed = now.saturating_duration_since(self.started);
        Snapshot {
            name: self.name.clone(),
            endpoint: self.endpoint.clone(),
            elapsed,
            requests: self.requests,
            failures: self.failures,
            missed: self.missed,
            reused: self.reused,
            rate: self.rate(now),
            mean_rate: per_second(self.requests, elapsed),
            error_share: share(self.failures, self.requests),
            p50: self.quantile(0.50),
            p95: self.quantile(0.95),
            p99: self.quantile(0.99),
            max: self.quantile(1.0),
            errors: self.errors(),
            last_error: self.last_error.clone(),
            recent: self.recent.iter().map(|(_, point)| *point).collect(),
            status: self.status,
            last_ok: self.last_ok,
            state: self.state.clone(),
            revision: self.revision,
            changes: self.changes,
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

    fn point(&mut self, point: Point, now: Instant) {
        if self.recent.len() == RECENT {
            self.recent.pop_front();
        }
        self.recent.push_back((now, point));
    }

    /// The kept points may not reach back over the whole window, so the time is that of the oldest which counts.
    fn rate(&self, now: Instant) -> f64 {
        let age = |at: &Instant| now.saturating_duration_since(*at);
        let window = RATE_WINDOW.max(self.interval * 3);
        let (mut finished, mut oldest) = (0, None);
        for (at, point) in self.recent.iter().rev() {
            if age(at) > window {
                oldest = Some(window);
                break;
            }
            finished += u64::from(!matches!(point, Point::Missed));
            if self.recent.len() == RECENT {
                oldest = Some(age(at));
            }
        }
        let span = oldest.unwrap_or_else(|| age(&self.started));
        per_second(finished, span)
    }

    fn quantile(&self, quantile: f64) -> Option<Duration> {
        let micros =
            (!self.latencies.is_empty()).then(|| self.latencies.value_at_quantile(quantile));
        micros.map(Duration::from_micros)
    }

    fn errors(&self) -> Vec<(&'static str, u64)> {
        let mut errors: Vec<_> = self.errors.iter().map(|(kind, n)| (*kind, *n)).collect();
        errors.sort_by_key(|(kind, n)| (std::cmp::Reverse(*n), *kind));
        errors
    }
}

/// A connection that is refused at once says nothing about how fast answers are, and would make a broken server look quick. A time-out
/// and a body that broke off do: a good answer would have taken at least as long.
fn has_latency(report: &Report) -> bool {
    let answering = |error: &ReportError| matches!(error.kind, "timeout" | "body");
    report.status.is_some() || report.error.as_ref().is_some_and(answering)
}

fn per_second(count: u64, span: Duration) -> f64 {
    if span.is_zero() {
        0.0
    } else {
        count as f64 / span.as_secs_f64()
    }
}

fn share(part: u64, whole: u64) -> f64 {
    if whole == 0 {
        0.0
    } else {
        part as f64 / whole as f64
    }
}

#[cfg(test)]
mod tests;
