//! How it went, for people, when the run is over.

use super::layout::counted;
use super::number;
use super::style::{Line, Tone};
use crate::report::timestamp;
use crate::stats::Snapshot;

/// A paragraph for each target, and one line over all if there are several. Every line ends with a line end.
pub fn text(targets: &[Snapshot], colour: bool) -> String {
    let mut lines: Vec<Line> = targets.iter().flat_map(paragraph).collect();
    if targets.len() > 1 {
        lines.push(all(targets));
    }
    lines.iter().map(|line| line.paint(colour) + "\n").collect()
}

fn paragraph(target: &Snapshot) -> Vec<Line> {
    let mut head = Line::of(Tone::Strong, &target.name);
    head.push(
        Tone::Plain,
        &format!(": {}", requests(target.requests, target.mean_rate)),
    );
    head.push(
        Tone::Plain,
        &format!(" in {}", number::clock(target.elapsed)),
    );
    push_missed(&mut head, target.missed);

    let mut lines = vec![head, errors(target)];
    lines.extend(latency(target));
    lines.extend(changes(target));
    lines.extend(last_error(target));
    lines
}

fn requests(count: u64, rate: f64) -> String {
    format!("{}, {}", counted(count, "request"), number::rate(rate))
}

fn push_missed(line: &mut Line, missed: u64) {
    if missed > 0 {
        line.push(
            Tone::Warning,
            &format!(", {} missed", number::count(missed)),
        );
    }
}

/// A line below the head of its paragraph.
fn item(title: &str) -> Line {
    Line::of(Tone::Faint, &format!("  {title:<10} "))
}

fn errors(target: &Snapshot) -> Line {
    let mut line = item("errors");
    if target.failures == 0 {
        line.push(Tone::Good, "none");
        return line;
    }
    let total = format!(
        "{} ({})",
        number::count(target.failures),
        number::share(target.error_share)
    );
    line.push(Tone::Bad, &total);
    let kinds: Vec<String> = target
        .errors
        .iter()
        .map(|(kind, count)| format!("{} {kind}", number::count(*count)))
        .collect();
    line.push(Tone::Plain, &format!(": {}", kinds.join(", ")));
    line
}

/// Nothing if nothing was answered.
fn latency(target: &Snapshot) -> Option<Line> {
    let quantiles = [
        ("p50", target.p50?),
        ("p95", target.p95?),
        ("p99", target.p99?),
        ("max", target.max?),
    ];
    let mut line = item("latency");
    for (at, (name, took)) in quantiles.into_iter().enumerate() {
        let gap = if at == 0 { "" } else { ", " };
        line.push(
            Tone::Plain,
            &format!("{gap}{name} {}", number::duration(took)),
        );
    }
    Some(line)
}

/// Nothing if nothing was to be changed.
fn changes(target: &Snapshot) -> Option<Line> {
    let counts = target.changes;
    let mut line = item("changes");
    if counts.ok + counts.failed + counts.mismatch == 0 {
        line.push(Tone::Plain, "the server has no endpoint for them");
        return counts.unsupported.then_some(line);
    }
    line.push(Tone::Plain, &format!("{} seen", number::count(counts.ok)));
    for (count, what) in [(counts.failed, "failed"), (counts.mismatch, "not seen")] {
        if count > 0 {
            line.push(Tone::Bad, &format!(", {} {what}", number::count(count)));
        }
    }
    Some(line)
}

fn last_error(target: &Snapshot) -> Option<Line> {
    let error = target.last_error.as_ref()?;
    let mut line = item("last error");
    line.push(Tone::Faint, &timestamp(error.at));
    line.push(Tone::Plain, &format!(" {}", error.message));
    Some(line)
}

fn all(targets: &[Snapshot]) -> Line {
    let sum = |of: fn(&Snapshot) -> u64| targets.iter().map(of).sum::<u64>();
    let (count, failures) = (sum(|target| target.requests), sum(|target| target.failures));
    let rate = targets.iter().map(|target| target.mean_rate).sum();
    let mut line = Line::of(Tone::Strong, &format!("all {} targets", targets.len()));
    line.push(Tone::Plain, &format!(": {}", requests(count, rate)));
    if count > 0 {
        let tone = if failures > 0 { Tone::Bad } else { Tone::Plain };
        line.push(
            tone,
            &format!(", {} errors", number::share(failures as f64 / count as f64)),
        );
    }
    push_missed(&mut line, sum(|target| target.missed));
    line
}

#[cfg(test)]
mod tests {
    use super::text;
    use crate::view::samples;

    #[test]
    fn one_target() {
        assert_eq!(
            text(&[samples::healthy()], false),
            "http://127.0.0.1:3000: 754 requests, 1.0/s in 0:12:34\n\
             \x20 errors     none\n\
             \x20 latency    p50 3.1 ms, p95 5.2 ms, p99 12 ms, max 41 ms\n\
             \x20 changes    12 seen\n"
        );
    }

    #[test]
    fn several_targets() {
        assert_eq!(
            text(&[samples::failing(), samples::waiting()], false),
            "https://status.eu-central-1.example.com/base: 700 requests, 0.93/s in 0:12:34, 54 missed\n\
             \x20 errors     21 (3.0 %): 19 timeout, 2 reset\n\
             \x20 latency    p50 31 ms, p95 5.00 s, p99 5.00 s, max 5.00 s\n\
             \x20 changes    3 seen, 2 failed, 1 not seen\n\
             \x20 last error 2026-11-21T11:23:48.123456Z no answer within 5s, the server has taken the connection and is silent\n\
             edge-東京: 0 requests, 0/s in 0:12:34\n\
             \x20 errors     none\n\
             all 2 targets: 700 requests, 0.93/s, 3.0 % errors, 54 missed\n"
        );
    }

    #[test]
    fn a_server_without_changes() {
        let mut target = samples::waiting();
        target.changes.unsupported = true;
        assert!(
            text(&[target], false).ends_with("  changes    the server has no endpoint for them\n")
        );
    }

    #[test]
    fn what_a_server_says_stays_text() {
        let mut target = samples::failing();
        if let Some(error) = &mut target.last_error {
            error.message = "\u{1b}[2Jgone\r\nall is well".to_owned();
        }
        let text = text(&[target], false);
        assert!(
            text.contains("123456Z \u{fffd}[2Jgone all is well\n"),
            "{text:?}"
        );
    }
}
