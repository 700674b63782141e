//! `spinfo-monitor`: what does a client see?
//!
//! In the order in which things happen:
//!
//! - `cli`: flags and environment, read once; `settings`: what they mean for each target
//! - `run`: the run as a whole
//! - `schedule`: when requests start
//! - `target`: the life of one target; `request`: one request of it
//! - `document`: what the server says of its state; `change`: changes of that
//! - `report`: what there is to say about a request and a change; `stats`: the numbers of a target
//! - `say`: lines for people and programs, and the summary
//! - `telemetry`: spans and metrics; `health`: whether the monitor itself is well

mod cli;
mod settings;

mod run;

mod schedule;
mod target;

mod request;

mod change;
mod document;

mod report;
mod stats;

mod say;

mod health;
mod telemetry;

use std::process::ExitCode;

use spinfo_program::{command_line, exit};

use crate::run::Verdict;

/// Stdout could not be written to: `EX_IOERR` of sysexits(3).
const EXIT_OUTPUT: u8 = 74;

/// Runs the program: 0 when all was well, 1 when too many requests failed, 2 for flags and files that make no sense, 74 when stdout
/// can't be written to, 130 after a second signal.
#[must_use]
pub fn main() -> ExitCode {
    match run::run(command_line::parse()) {
        Ok(Verdict::Good) => ExitCode::SUCCESS,
        Ok(Verdict::Failures) => ExitCode::from(exit::FAILURE),
        Ok(Verdict::Unwritten(error)) => exit::report(
            &anyhow::Error::new(error).context("cannot write to stdout"),
            EXIT_OUTPUT,
        ),
        Ok(Verdict::Interrupted) => ExitCode::from(exit::INTERRUPTED),
        Err(error) => exit::report(&error, exit::USAGE),
    }
}
