//! What is shown of a run: a live table, lines for people, or lines for programs.

mod json;
mod sink;

use tokio::sync::mpsc::UnboundedReceiver;
use tokio::time::Instant;

use self::sink::Sink;
use crate::cli::{OutputFlag, Terminal};
use crate::report::Event;
use crate::stats::{Snapshot, TargetStats};
use crate::view;

/// Where the events of a run go.
pub(crate) enum Output {
    Live(Board),
    Lines { sink: Sink, colour: bool },
    Json(Sink),
}

/// The live table and its numbers, which the user may set to zero, unlike those of the summary.
pub(crate) struct Board {
    live: view::Live,
    stats: Vec<TargetStats>,
}

/// Nobody reads any more.
pub(crate) struct Closed;

/// The form that is taken where the flag leaves it open.
pub(crate) fn chosen(
    flag: OutputFlag,
    stdout_is_terminal: bool,
    stdin_is_terminal: bool,
    terminal: &Terminal,
) -> OutputFlag {
    match flag {
        // Keys are read from the same terminal.
        OutputFlag::Auto
            if stdin_is_terminal
                && view::can_draw(stdout_is_terminal, terminal.term.as_deref()) =>
        {
            OutputFlag::Live
        }
        OutputFlag::Auto => OutputFlag::Json,
        chosen => chosen,
    }
}

impl Output {
    /// Opens it, with the commands that the user gives at a live table.
    ///
    /// # Errors
    /// A live table was asked for where there is no terminal.
    pub(crate) fn open(
        form: OutputFlag,
        colour: bool,
        stats: Vec<TargetStats>,
    ) -> anyhow::Result<(Self, Option<UnboundedReceiver<view::Command>>)> {
        Ok(match form {
            OutputFlag::Live => {
                let (live, commands) = view::Live::start(colour)?;
                (Self::Live(Board { live, stats }), Some(commands))
            }
            OutputFlag::Lines => (
                Self::Lines {
                    sink: Sink::stdout()?,
                    colour,
                },
                None,
            ),
            OutputFlag::Auto | OutputFlag::Json => (Self::Json(Sink::stdout()?), None),
        })
    }

    /// Shows one event.
    ///
    /// # Errors
    /// When nobody reads.
    pub(crate) fn show(&mut self, event: &Event, now: Instant) -> Result<(), Closed> {
        match (self, event) {
            (Self::Live(board), event) => {
                count(&mut board.stats, event, now);
                Ok(())
            }
            (Self::Lines { sink, colour }, Event::Report(_, report)) => {
                sink.line(view::lines::report(report, *colour))
            }
            (Self::Lines { sink, colour }, Event::Change(_, change)) => {
                sink.line(view::lines::change(change, *colour))
            }
            (Self::Json(sink), Event::Report(_, report)) => sink.line(json::report(report)),
            (Self::Json(sink), Event::Change(_, change)) => sink.line(json::change(change)),
            // They are in the numbers.
            (_, Event::Missed(..)) => Ok(()),
        }
    }

    /// Draws what has changed since the last time, if anything is drawn.
    pub(crate) fn draw(&self, now: Instant) {
        if let Self::Live(board) = self {
            board.live.draw(
                board
                    .stats
                    .iter()
                    .map(|stats| stats.snapshot(now))
                    .collect(),
            );
        }
    }

    /// Sets the shown numbers to zero.
    pub(crate) fn reset(&mut self, now: Instant) {
        if let Self::Live(board) = self {
            board.stats = board.stats.iter().map(|stats| stats.anew(now)).collect();
        }
    }

    /// Shows that the run is about to end.
    pub(crate) fn stopping(&self) {
        if let Self::Live(board) = self {
            board.live.stopping();
        }
    }

    /// Shows what is to be shown at the end, waits until it is written, and gives the terminal back. Returns the number of lines that were left
    /// out because the reader was too slow.
    pub(crate) fn finish(self, targets: &[Snapshot], worst: f64) -> u64 {
        match self {
            Self::Live(board) => {
                board.live.finish();
                0
            }
            Self::Lines { sink, .. } => sink.finish(),
            Self::Json(sink) => {
                // Whoever reads no more needs no summary either.
                let _ = sink.last(json::summary(targets, worst));
                sink.finish()
            }
        }
    }
}

/// Counts one event in the numbers of its target.
pub(crate) fn count(stats: &mut [TargetStats], event: &Event, now: Instant) {
    match event {
        Event::Report(index, report) => {
            if let Some(stats) = stats.get_mut(*index) {
                stats.report(report, now);
            }
        }
        Event::Change(index, change) => {
            if let Some(stats) = stats.get_mut(*index) {
                stats.change(change);
            }
        }
        Event::Missed(index, ticks) => {
            if let Some(stats) = stats.get_mut(*index) {
                stats.missed(*ticks, now);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_form_follows_what_stdout_is() {
        let terminal = |term: &str| Terminal {
            term: Some(term.into()),
            no_color: None,
        };
        let auto = |stdout, stdin, term| chosen(OutputFlag::Auto, stdout, stdin, &terminal(term));
        assert_eq!(auto(true, true, "xterm"), OutputFlag::Live);
        assert_eq!(auto(true, false, "xterm"), OutputFlag::Json);
        assert_eq!(auto(false, true, "xterm"), OutputFlag::Json);
        assert_eq!(auto(true, true, "dumb"), OutputFlag::Json);
        assert_eq!(
            chosen(OutputFlag::Lines, true, true, &terminal("xterm")),
            OutputFlag::Lines
        );
    }
}
