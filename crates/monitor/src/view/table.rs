//! The table of targets: which columns there is room for, and what stands in them.

use std::borrow::Cow;
use std::time::SystemTime;

use super::number;
use super::spark::sparkline;
use super::style::{Line, Tone};
use super::text::{cut_middle, width};
use crate::stats::Snapshot;

/// Between two columns.
const GAP: usize = 2;

/// A target's name begins with this much room (a loopback address with its port fits), or less if a third of the screen is less …
const TARGET_AT_FIRST: usize = 18;
/// … and gets what it needs up to this, before others get more.
const TARGET_AT_MOST: usize = 40;

/// Past this the history is older than what one looks at a live view for.
const HISTORY_AT_MOST: usize = 60;

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Column {
    State,
    Rate,
    Errors,
    P50,
    P95,
    P99,
    Missed,
    Changes,
    History,
    LastError,
}

/// In the order of importance: a column that finds no room falls away with all that follow. In 80 columns there is room up to the history;
/// where the last error has no column it has a line of its own.
const BY_IMPORTANCE: [Column; 10] = [
    Column::State,
    Column::Errors,
    Column::P95,
    Column::Rate,
    Column::P50,
    Column::P99,
    Column::History,
    Column::Missed,
    Column::LastError,
    Column::Changes,
];

impl Column {
    const fn title(self) -> &'static str {
        match self {
            Self::State => "STATE",
            Self::Rate => "RATE",
            Self::Errors => "ERRORS",
            Self::P50 => "P50",
            Self::P95 => "P95",
            Self::P99 => "P99",
            Self::Missed => "MISSED",
            Self::Changes => "CHANGES",
            Self::History => "HISTORY",
            Self::LastError => "LAST ERROR",
        }
    }

    const fn least_width(self) -> usize {
        match self {
            Self::Rate | Self::Errors | Self::P50 | Self::P95 | Self::P99 | Self::Missed => 6,
            Self::Changes => 7,
            Self::State => 8,
            Self::History => 10,
            // Less would cut every message; the line below a target has more.
            Self::LastError => 40,
        }
    }

    /// Numbers end at the right, under one another.
    const fn is_number(self) -> bool {
        !matches!(self, Self::State | Self::History | Self::LastError)
    }
}

/// Which columns there are, and how wide.
#[derive(Debug)]
pub(super) struct Table {
    target: usize,
    /// As they stand, from left to right.
    columns: Vec<(Column, usize)>,
}

impl Table {
    /// For a screen of `columns`, and names of which the longest has `longest_name`.
    pub(super) fn fit(columns: usize, longest_name: usize) -> Self {
        let mut target = TARGET_AT_FIRST.min(columns / 3);
        let mut left = columns.saturating_sub(target);
        let mut chosen = Vec::new();
        for column in BY_IMPORTANCE {
            let Some(rest) = left.checked_sub(GAP + column.least_width()) else {
                break;
            };
            left = rest;
            chosen.push((column, column.least_width()));
        }
        chosen.sort_unstable();

        let more = longest_name.clamp(target, TARGET_AT_MOST.max(target)) - target;
        target += take(&mut left, more);
        let has_error = chosen
            .iter()
            .any(|(column, _)| *column == Column::LastError);
        for (column, wide) in &mut chosen {
            match column {
                Column::History => {
                    let fair = if has_error { left / 3 } else { left };
                    *wide += take(&mut left, fair.min(HISTORY_AT_MOST - *wide));
                }
                Column::LastError => *wide += take(&mut left, usize::MAX),
                _ => {}
            }
        }
        target += take(&mut left, longest_name.saturating_sub(target));
        Self {
            target,
            columns: chosen,
        }
    }

    /// Whether the last error is on the target's own line.
    pub(super) fn has_errors(&self) -> bool {
        self.columns
            .iter()
            .any(|(column, _)| *column == Column::LastError)
    }

    pub(super) fn head(&self) -> Line {
        let titles = self
            .columns
            .iter()
            .map(|(column, _)| Line::of(Tone::Faint, column.title()));
        self.line(Line::of(Tone::Faint, "TARGET"), titles)
    }

    pub(super) fn row(&self, name: &str, target: &Snapshot, now: SystemTime) -> Line {
        let cells = self.columns.iter().map(|&(column, wide)| match column {
            Column::History => sparkline(&target.recent, wide),
            Column::LastError => last_error(target, now),
            _ => {
                let (tone, text) = cell(column, target);
                Line::of(tone, &text)
            }
        });
        self.line(
            Line::of(Tone::Strong, &cut_middle(name, self.target)),
            cells,
        )
    }

    fn line(&self, target: Line, cells: impl Iterator<Item = Line>) -> Line {
        let mut line = target.cut(self.target);
        let mut end = self.target;
        for (&(column, wide), cell) in self.columns.iter().zip(cells) {
            let cell = cell.cut(wide);
            end += GAP;
            let start = if column.is_number() {
                end + wide - cell.width()
            } else {
                end
            };
            // Filled before a cell, so that no line ends in spaces.
            if cell.width() > 0 {
                line.fill(start);
            }
            line.append(cell);
            end += wide;
        }
        line
    }
}

/// Takes `wanted` of what is `left`, or all of it.
fn take(left: &mut usize, wanted: usize) -> usize {
    let taken = wanted.min(*left);
    *left -= taken;
    taken
}

fn cell(column: Column, target: &Snapshot) -> (Tone, Cow<'_, str>) {
    let none = (Tone::Faint, Cow::Borrowed("-"));
    let plain = |text: String| (Tone::Plain, Cow::Owned(text));
    let latency =
        |quantile: Option<_>| quantile.map_or(none.clone(), |took| plain(number::duration(took)));
    match column {
        Column::State => state(target),
        Column::Rate => plain(number::rate(target.rate)),
        Column::Errors if target.requests == 0 => none,
        Column::Errors => (
            errors_tone(target),
            Cow::Owned(number::share(target.error_share)),
        ),
        Column::P50 => latency(target.p50),
        Column::P95 => latency(target.p95),
        Column::P99 => latency(target.p99),
        Column::Missed if target.missed == 0 => plain("0".to_owned()),
        Column::Missed => (
            Tone::Warning,
            Cow::Owned(number::short_count(target.missed)),
        ),
        Column::Changes => changes(target),
        Column::History | Column::LastError => (Tone::Plain, Cow::Borrowed("")),
    }
}

/// What the target says of itself when it answers as it should, otherwise what is wrong.
fn state(target: &Snapshot) -> (Tone, Cow<'_, str>) {
    match (target.last_ok, &target.state, &target.last_error) {
        (None, ..) => (Tone::Faint, Cow::Borrowed("waiting")),
        (Some(true), Some(state), _) if state == "ok" => (Tone::Good, Cow::Borrowed("ok")),
        (Some(true), Some(state), _) => (Tone::Warning, Cow::Borrowed(state)),
        (Some(true), None, _) => (Tone::Good, Cow::Borrowed("up")),
        (Some(false), _, error) => {
            let kind = error.as_ref().map_or("failed", |error| error.kind);
            let status = target.status.filter(|_| kind == "status");
            let text = status.map_or(Cow::Borrowed(kind), |status| {
                Cow::Owned(format!("HTTP {status}"))
            });
            (Tone::Bad, text)
        }
    }
}

fn errors_tone(target: &Snapshot) -> Tone {
    match (target.failures, target.last_ok) {
        (_, Some(false)) => Tone::Bad,
        (0, _) => Tone::Plain,
        _ => Tone::Warning,
    }
}

fn changes(target: &Snapshot) -> (Tone, Cow<'_, str>) {
    let changes = target.changes;
    let all = changes.ok + changes.failed + changes.mismatch;
    if all == 0 {
        (
            Tone::Faint,
            Cow::Borrowed(if changes.unsupported { "n/a" } else { "-" }),
        )
    } else if all == changes.ok {
        (Tone::Plain, Cow::Owned(number::short_count(all)))
    } else {
        (
            Tone::Bad,
            Cow::Owned(format!(
                "{}/{}",
                number::short_count(changes.ok),
                number::short_count(all)
            )),
        )
    }
}

/// How long ago, and what it was. Empty without an error.
pub(super) fn last_error(target: &Snapshot, now: SystemTime) -> Line {
    let Some(error) = &target.last_error else {
        return Line::default();
    };
    // The clock may have been set back since.
    let ago = now.duration_since(error.at).unwrap_or_default();
    let tone = if target.last_ok == Some(false) {
        Tone::Bad
    } else {
        Tone::Faint
    };
    let mut line = Line::of(Tone::Faint, &format!("{} ago ", number::age(ago)));
    line.push(tone, &error.message);
    line
}

/// The longest of these names.
pub(super) fn longest(names: &[String]) -> usize {
    names.iter().map(|name| width(name)).max().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::{Column, Table};

    fn fitted(columns: usize, longest_name: usize) -> (usize, Vec<(Column, usize)>) {
        let table = Table::fit(columns, longest_name);
        (table.target, table.columns)
    }

    #[test]
    fn no_screen_is_overrun() {
        for columns in 0..400 {
            for longest_name in [0, 14, 30, 90, 300] {
                let (target, chosen) = fitted(columns, longest_name);
                let all = target + chosen.iter().map(|(_, wide)| wide + 2).sum::<usize>();
                assert!(all <= columns, "{all} of {columns} with {longest_name}");
            }
        }
    }

    #[test]
    fn a_wider_screen_never_shows_less() {
        for columns in 0..400 {
            let (narrow, wide) = (fitted(columns, 30).1, fitted(columns + 1, 30).1);
            assert!(
                narrow
                    .iter()
                    .all(|(column, _)| wide.iter().any(|(other, _)| other == column)),
                "{columns}"
            );
        }
    }

    #[test]
    fn what_falls_away() {
        use Column::{Changes, Errors, History, LastError, Missed, P50, P95, P99, Rate, State};
        let shown = |columns| {
            fitted(columns, 14)
                .1
                .into_iter()
                .map(|(column, _)| column)
                .collect::<Vec<_>>()
        };
        assert_eq!(shown(40), [State, Errors, P95]);
        assert_eq!(shown(80), [State, Rate, Errors, P50, P95, P99, History]);
        assert_eq!(
            shown(120),
            [State, Rate, Errors, P50, P95, P99, Missed, History]
        );
        assert_eq!(
            shown(200),
            [
                State, Rate, Errors, P50, P95, P99, Missed, Changes, History, LastError
            ]
        );
    }
}
