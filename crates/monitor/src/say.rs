//! What is said of a run: lines for people or for programs while it lasts, and the summary at its end.
//!
//! - `lines`, `summary`: for people; `text` makes what servers say fit for their terminals, `number` is how numbers look
//! - `json`: for programs
//! - `sink`: stdout

mod json;
mod lines;
mod number;
mod sink;
pub(crate) mod summary;
mod text;

use std::io;
use std::time::SystemTime;

pub(crate) use self::text::harmless;

use self::json::Object;
use self::sink::Sink;
use crate::cli::OutputFlag;
use crate::report::Event;
use crate::stats::TargetSummary;

/// Where the events of a run go.
pub(crate) struct Output {
    sink: Sink,
    form: Form,
}

enum Form {
    /// For people, in colour or not.
    Lines(bool),
    Json,
}

impl Output {
    /// Opens stdout. `terminal` says whether it is one, and `colour` whether that may be coloured.
    pub(crate) fn open(flag: OutputFlag, terminal: bool, colour: bool) -> anyhow::Result<Self> {
        let form = match flag {
            OutputFlag::Lines => Form::Lines(colour),
            OutputFlag::Auto if terminal => Form::Lines(colour),
            OutputFlag::Auto | OutputFlag::Json => Form::Json,
        };
        Ok(Self {
            sink: Sink::stdout()?,
            form,
        })
    }

    /// Says what has happened.
    ///
    /// # Errors
    /// Stdout can't be written to; with `BrokenPipe` nobody reads any more. Told once.
    pub(crate) fn show(&mut self, event: &Event) -> io::Result<()> {
        let line = match (&self.form, event) {
            (Form::Lines(colour), Event::Report(_, report)) => lines::report(report, *colour),
            (Form::Lines(colour), Event::Change(_, change)) => lines::change(change, *colour),
            (Form::Json, Event::Report(_, report)) => Object::Request(report).line(),
            (Form::Json, Event::Change(_, change)) => Object::Change(change).line(),
            // They are in the summary.
            (_, Event::Missed(..)) => return Ok(()),
        };
        self.sink.line(line)
    }

    /// Says what programs are to be told at the end, and waits until all is written. Returns how many lines were left out because the reader
    /// was too slow, and the error of [`Output::show`] if it comes only now.
    pub(crate) fn finish(self, targets: &[TargetSummary], worst: f64) -> (u64, io::Result<()>) {
        if matches!(self.form, Form::Json) {
            let summary = Object::Summary {
                timestamp: humantime::format_rfc3339_micros(SystemTime::now()).to_string(),
                worst_error_share: worst,
                targets,
            };
            self.sink.last(summary.line());
        }
        self.sink.finish()
    }
}
