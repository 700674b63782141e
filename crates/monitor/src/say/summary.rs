//! How it went, for people, when the run is over.

use super::number;
use super::text::{Line, Tone};
use crate::stats::{TargetSummary, share};

/// A paragraph for each target, and one line over all if there are several. Every line ends with a line end.
pub(crate) fn text(targets: &[TargetSummary], colour: bool) -> String {
    let mut lines: Vec<String> = targets
        .iter()
        .flat_map(|target| paragraph(target, colour))
        .collect();
    if targets.len() > 1 {
        lines.push(all(targets, colour));
    }
    lines.iter().map(|line| line.to_owned() + "\n").collect()
}

fn paragraph(target: &TargetSummary, colour: bool) -> Vec<String> {
    let counts = &target.counts;
    let mut head = Line::new(colour);
    head.push(Tone::Strong, &target.target);
    push_requests(&mut head, counts.requests, target.rate);
    let clock = number::clock(target.duration_seconds);
    head.push(Tone::Plain, &format!(" in {clock}"));
    push_missed(&mut head, counts.missed);

    let mut lines = vec![head, errors(target, colour)];
    lines.extend(latency(target, colour));
    lines.extend(changes(target, colour));
    if let Some((at, error)) = &counts.last_error {
        let mut line = item("last error", colour);
        let at = humantime::format_rfc3339_millis(*at).to_string();
        line.push(Tone::Faint, &at);
        line.push(Tone::Plain, &format!(" {}", error.message));
        lines.push(line);
    }
    lines.into_iter().map(Line::finish).collect()
}

fn push_requests(line: &mut Line, count: u64, rate: f64) {
    let s = if count == 1 { "" } else { "s" };
    let rate = number::rate(rate);
    line.push(Tone::Plain, &format!(": {count} request{s}, {rate}"));
}

fn push_missed(line: &mut Line, missed: u64) {
    if missed > 0 {
        line.push(Tone::Warning, &format!(", {missed} missed"));
    }
}

/// A line below the head of its paragraph.
fn item(title: &str, colour: bool) -> Line {
    let mut line = Line::new(colour);
    line.push(Tone::Faint, &format!("  {title:<10} "));
    line
}

fn errors(target: &TargetSummary, colour: bool) -> Line {
    let mut line = item("errors", colour);
    let counts = &target.counts;
    if counts.failures == 0 {
        line.push(Tone::Good, "none");
        return line;
    }
    let share = number::share(target.error_share);
    line.push(Tone::Bad, &format!("{} ({share})", counts.failures));
    let mut kinds: Vec<_> = counts.errors.iter().collect();
    kinds.sort_by_key(|(_, count)| std::cmp::Reverse(**count));
    let kinds: Vec<_> = kinds
        .iter()
        .map(|(kind, count)| format!("{count} {kind}"))
        .collect();
    line.push(Tone::Plain, &format!(": {}", kinds.join(", ")));
    line
}

/// Nothing if nothing was answered.
fn latency(target: &TargetSummary, colour: bool) -> Option<Line> {
    let latency = target.latency_seconds;
    let [p50, p95, p99, max] =
        [latency.p50?, latency.p95?, latency.p99?, latency.max?].map(number::duration);
    let mut line = item("latency", colour);
    line.push(
        Tone::Plain,
        &format!("p50 {p50}, p95 {p95}, p99 {p99}, max {max}"),
    );
    Some(line)
}

/// Nothing if nothing was to be changed.
fn changes(target: &TargetSummary, colour: bool) -> Option<Line> {
    let counts = target.counts.changes;
    let mut line = item("changes", colour);
    if counts.ok + counts.failed + counts.mismatch == 0 {
        line.push(Tone::Plain, "the server has no endpoint for them");
        return counts.unsupported.then_some(line);
    }
    line.push(Tone::Plain, &format!("{} seen", counts.ok));
    for (count, what) in [(counts.failed, "failed"), (counts.mismatch, "not seen")] {
        if count > 0 {
            line.push(Tone::Bad, &format!(", {count} {what}"));
        }
    }
    Some(line)
}

fn all(targets: &[TargetSummary], colour: bool) -> String {
    let sum = |of: fn(&TargetSummary) -> u64| targets.iter().map(of).sum::<u64>();
    let requests = sum(|target| target.counts.requests);
    let failures = sum(|target| target.counts.failures);
    let mut line = Line::new(colour);
    line.push(Tone::Strong, &format!("all {} targets", targets.len()));
    push_requests(
        &mut line,
        requests,
        targets.iter().map(|target| target.rate).sum(),
    );
    let tone = if failures > 0 { Tone::Bad } else { Tone::Plain };
    let errors = number::share(share(failures, requests));
    line.push(tone, &format!(", {errors} errors"));
    push_missed(&mut line, sum(|target| target.counts.missed));
    line.finish()
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, SystemTime};

    use super::*;
    use crate::report::ReportError;
    use crate::stats::{Changes, Counts, Latency};

    /// Answers, and changes when it is told to.
    fn healthy() -> TargetSummary {
        TargetSummary {
            target: "http://127.0.0.1:3000".to_owned(),
            endpoint: "http://127.0.0.1:3000/status".to_owned(),
            duration_seconds: 754.0,
            counts: Counts {
                requests: 754,
                reused: 753,
                changes: Changes {
                    ok: 12,
                    ..Changes::default()
                },
                ..Counts::default()
            },
            error_share: 0.0,
            rate: 1.0,
            latency_seconds: Latency {
                p50: Some(0.003_14),
                p95: Some(0.005_2),
                p99: Some(0.012_3),
                max: Some(0.041),
            },
        }
    }

    /// Times out.
    fn failing(message: &str) -> TargetSummary {
        let error = ReportError {
            kind: "timeout",
            message: message.to_owned(),
        };
        TargetSummary {
            target: "https://example.com/base".to_owned(),
            counts: Counts {
                requests: 700,
                failures: 21,
                missed: 54,
                errors: [("reset", 2), ("timeout", 19)].into(),
                changes: Changes {
                    ok: 3,
                    failed: 2,
                    mismatch: 1,
                    unsupported: false,
                },
                last_error: Some((SystemTime::UNIX_EPOCH + Duration::from_millis(1500), error)),
                ..Counts::default()
            },
            rate: 0.928,
            error_share: 0.03,
            ..healthy()
        }
    }

    /// Has not been asked yet.
    fn waiting() -> TargetSummary {
        TargetSummary {
            target: "http://edge-東京".to_owned(),
            counts: Counts::default(),
            rate: 0.0,
            latency_seconds: Latency::default(),
            ..healthy()
        }
    }

    #[test]
    fn one_target() {
        assert_eq!(
            text(&[healthy()], false),
            "http://127.0.0.1:3000: 754 requests, 1.0/s in 0:12:34\n\
             \x20 errors     none\n\
             \x20 latency    p50 3.1 ms, p95 5.2 ms, p99 12 ms, max 41 ms\n\
             \x20 changes    12 seen\n"
        );
    }

    #[test]
    fn several_targets() {
        assert_eq!(
            text(&[failing("no answer within 5s"), waiting()], false),
            "https://example.com/base: 700 requests, 0.93/s in 0:12:34, 54 missed\n\
             \x20 errors     21 (3.0 %): 19 timeout, 2 reset\n\
             \x20 latency    p50 3.1 ms, p95 5.2 ms, p99 12 ms, max 41 ms\n\
             \x20 changes    3 seen, 2 failed, 1 not seen\n\
             \x20 last error 1970-01-01T00:00:01.500Z no answer within 5s\n\
             http://edge-東京: 0 requests, 0/s in 0:12:34\n\
             \x20 errors     none\n\
             all 2 targets: 700 requests, 0.93/s, 3.0 % errors, 54 missed\n"
        );
    }

    #[test]
    fn a_server_without_changes() {
        let mut target = waiting();
        target.counts.changes.unsupported = true;
        assert!(
            text(&[target], false).ends_with("  changes    the server has no endpoint for them\n")
        );
    }

    #[test]
    fn what_a_server_says_stays_text() {
        let text = text(&[failing("\u{1b}[2Jgone\r\nall is well")], false);
        assert!(
            text.contains("500Z \u{fffd}[2Jgone all is well\n"),
            "{text:?}"
        );
    }
}
