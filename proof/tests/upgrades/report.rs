//! The table of phases.

use std::fmt::Write as _;
use std::time::{Duration, Instant};

use crate::load::{RATE, Sample};
use crate::mix::Kind;

/// A phase and when it began.
pub(crate) struct Phase {
    pub(crate) name: &'static str,
    pub(crate) begun: Instant,
}

/// A row of the table.
pub(crate) struct Row {
    pub(crate) name: &'static str,
    pub(crate) requests: usize,
    /// Requests a second.
    pub(crate) rate: f64,
    pub(crate) failed: usize,
    /// Times of what isn't slow on purpose.
    p50: Duration,
    p99: Duration,
    max: Duration,
}

/// A row for each phase. `end` is when the last one ended.
pub(crate) fn rows(phases: &[Phase], end: Instant, samples: &[Sample]) -> Vec<Row> {
    let ends = phases.iter().skip(1).map(|phase| phase.begun).chain([end]);
    let row = |(number, (phase, end)): (usize, (&Phase, Instant))| {
        let mine = samples.iter().filter(|sample| sample.phase == number);
        let quick = mine.clone().filter(|sample| sample.kind() != Kind::Delay);
        let mut times: Vec<_> = quick.map(|sample| sample.took).collect();
        times.sort_unstable();
        Row {
            name: phase.name,
            requests: mine.clone().count(),
            rate: mine.clone().count() as f64 / (end - phase.begun).as_secs_f64(),
            failed: mine.filter(|sample| sample.failure.is_some()).count(),
            p50: quantile(&times, 50),
            p99: quantile(&times, 99),
            max: quantile(&times, 100),
        }
    };
    phases.iter().zip(ends).enumerate().map(row).collect()
}

/// Of sorted values the one that so many percent of all don't exceed.
fn quantile(sorted: &[Duration], percent: usize) -> Duration {
    let rank = (sorted.len() * percent).div_ceil(100);
    let found = sorted.get(rank.saturating_sub(1));
    found.copied().unwrap_or_default()
}

/// The table in Markdown.
pub(crate) fn table(rows: &[Row]) -> String {
    let mut table = String::from(
        "| phase | requests | requests/s | failed | p50 ms | p99 ms | max ms |\n|---|---:|---:|---:|---:|---:|---:|\n",
    );
    let ms = |time: Duration| time.as_secs_f64() * 1000.0;
    for row in rows {
        let (name, requests, rate, failed) = (row.name, row.requests, row.rate, row.failed);
        let [p50, p99, max] = [row.p50, row.p99, row.max].map(ms);
        // Writing to a string can't fail.
        let _ = writeln!(
            table,
            "| {name} | {requests} | {rate:.0} | {failed} | {p50:.1} | {p99:.1} | {max:.1} |"
        );
    }
    let slow = rows.iter().any(|row| row.rate < f64::from(RATE) * 0.98);
    let remark = if slow {
        "this machine was too slow for some of it"
    } else {
        "each phase had them"
    };
    let _ = writeln!(
        table,
        "\n{RATE} requests a second were to be sent; {remark}. The times are those of all routes but /delay/1."
    );
    table
}

/// Says something past the harness, which would keep it.
pub(crate) fn tell(text: &str) {
    use std::io::Write as _;
    let _ = writeln!(std::io::stderr(), "{text}");
}
