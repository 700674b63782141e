//! The whole screen as lines: pure, from numbers and a size.

use std::time::SystemTime;

use super::number;
use super::style::{Line, Tone};
use super::table::{Table, last_error, longest};
use super::text::short_names;
use crate::stats::Snapshot;

/// A screen lower than this has no empty lines.
const AIRY: usize = 10;

/// What is to be drawn.
#[derive(Debug, Clone)]
pub(super) struct Frame {
    pub(super) targets: Vec<Snapshot>,
    /// No more requests are begun; those under way are waited for.
    pub(super) stopping: bool,
    pub(super) now: SystemTime,
}

/// Columns and rows of a terminal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Size {
    pub(super) columns: usize,
    pub(super) rows: usize,
}

/// At most `size.rows` lines of at most `size.columns`.
pub(super) fn screen(frame: &Frame, size: Size) -> Vec<Line> {
    let gap = || (size.rows >= AIRY).then(Line::default);
    let mut lines = vec![title(frame), totals(frame)];
    lines.extend(gap());
    let below = usize::from(gap().is_some()) + 1;
    // One line is the table's head.
    let room = size.rows.saturating_sub(lines.len() + 1 + below);
    lines.extend(table(frame, size.columns, room));
    lines.extend(gap());
    lines.push(keys());

    lines.truncate(size.rows);
    lines
        .into_iter()
        .map(|line| line.cut(size.columns))
        .collect()
}

fn title(frame: &Frame) -> Line {
    let targets = &frame.targets;
    let elapsed = targets
        .iter()
        .map(|target| target.elapsed)
        .max()
        .unwrap_or_default();
    let failing = targets.iter().filter(|target| is_failing(target)).count();
    let mut line = Line::of(Tone::Strong, "spinfo-monitor");
    line.push(Tone::Plain, &format!("  {}", number::clock(elapsed)));
    if failing > 0 {
        let share = format!("  {failing} of {} failing", targets.len());
        line.push(Tone::Bad, &share);
    } else {
        let all = counted(targets.len() as u64, "target");
        line.push(Tone::Plain, &format!("  {all}"));
    }
    if frame.stopping {
        line.push(Tone::Warning, "  stopping");
    }
    line
}

fn totals(frame: &Frame) -> Line {
    let sum = |of: fn(&Snapshot) -> u64| frame.targets.iter().map(of).sum::<u64>();
    let (requests, failures) = (sum(|target| target.requests), sum(|target| target.failures));
    let rate: f64 = frame.targets.iter().map(|target| target.rate).sum();
    let mut line = Line::of(
        Tone::Plain,
        &format!("{}  {}", counted(requests, "request"), number::rate(rate)),
    );
    if requests > 0 {
        let tone = if failures > 0 { Tone::Bad } else { Tone::Plain };
        line.push(
            tone,
            &format!(
                "  {} errors",
                number::share(failures as f64 / requests as f64)
            ),
        );
    }
    let missed = sum(|target| target.missed);
    if missed > 0 {
        line.push(
            Tone::Warning,
            &format!("  {} missed", number::count(missed)),
        );
    }
    let made = sum(|target| target.changes.ok);
    let failed = sum(|target| target.changes.failed + target.changes.mismatch);
    if made + failed > 0 {
        line.push(
            Tone::Plain,
            &format!("  {}", counted(made + failed, "change")),
        );
    }
    if failed > 0 {
        line.push(Tone::Bad, &format!(", {} failed", number::count(failed)));
    }
    line
}

/// `1 target`, `2 targets`.
pub(super) fn counted(count: u64, what: &str) -> String {
    let plural = if count == 1 { "" } else { "s" };
    format!("{} {what}{plural}", number::count(count))
}

fn is_failing(target: &Snapshot) -> bool {
    target.last_ok == Some(false)
}

/// The head and then at most `room` lines.
fn table(frame: &Frame, columns: usize, room: usize) -> Vec<Line> {
    let names: Vec<String> = frame
        .targets
        .iter()
        .map(|target| target.name.clone())
        .collect();
    let names = short_names(&names);
    let table = Table::fit(columns, longest(&names));
    let shown = fitting(&frame.targets, room);
    let explained = explained(&frame.targets, &table, room);

    let mut lines = vec![table.head()];
    for (at, (target, name)) in frame.targets.iter().zip(&names).enumerate() {
        if !shown.contains(&at) {
            continue;
        }
        lines.push(table.row(name, target, frame.now));
        if explained.contains(&at) {
            let mut line = Line::of(Tone::Faint, "  └ ");
            line.append(last_error(target, frame.now));
            lines.push(line);
        }
    }
    let hidden = frame.targets.len() - shown.len();
    if hidden > 0 && room > 0 {
        let failing = (0..frame.targets.len())
            .filter(|at| !shown.contains(at) && is_failing(&frame.targets[*at]))
            .count();
        let mut line = Line::of(Tone::Faint, &format!("and {hidden} more"));
        if failing > 0 {
            line.push(Tone::Bad, &format!(", {failing} failing"));
        }
        lines.push(line);
    }
    lines
}

/// Which targets have a line, where there is not one for each: first those that fail. The last line says how many are hidden.
fn fitting(targets: &[Snapshot], room: usize) -> Vec<usize> {
    let mut order: Vec<usize> = (0..targets.len()).collect();
    if targets.len() > room {
        order.sort_by_key(|&at| !is_failing(&targets[at]));
        order.truncate(room.saturating_sub(1));
    }
    order
}

/// Which targets have a second line for their last error: all that had one, or else those that fail, or else none.
fn explained(targets: &[Snapshot], table: &Table, room: usize) -> Vec<usize> {
    if table.has_errors() {
        return Vec::new();
    }
    let those = |wanted: fn(&Snapshot) -> bool| -> Vec<usize> {
        (0..targets.len())
            .filter(|&at| targets[at].last_error.is_some() && wanted(&targets[at]))
            .collect()
    };
    [those(|_| true), those(is_failing)]
        .into_iter()
        .find(|chosen| targets.len() + chosen.len() <= room)
        .unwrap_or_default()
}

fn keys() -> Line {
    let mut line = Line::of(Tone::Strong, "q");
    line.push(Tone::Faint, " quit  ");
    line.push(Tone::Strong, "r");
    line.push(Tone::Faint, " reset the numbers");
    line
}

#[cfg(test)]
mod tests;
