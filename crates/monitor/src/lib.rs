//! `spinfo-monitor`: what does a client see?
//!
//! In the order in which things happen:
//!
//! - `cli`: flags and environment, read once
//! - [`settings`]: flags and the fleet file turned into targets
//! - `run`: the run as a whole; `signals` end it
//! - [`schedule`]: when requests start
//! - `target`: the life of one target; `request`: one request of it
//! - [`change`]: changes of the server's state; [`document`]: what the server says of it
//! - [`report`]: what there is to say about a request and a change
//! - [`stats`]: the numbers of a target
//! - `output`: JSON lines; [`view`]: the live table, lines and the summary for people
//! - `telemetry`: spans and metrics; `server`: `/metrics` and `/healthz`; `health`: whether the monitor itself is well;
//!   `trouble`: log records for operators

mod cli;
pub mod settings;

mod run;
mod signals;

pub mod schedule;
mod target;

mod request;

pub mod change;
pub mod document;
pub mod report;
pub mod stats;

mod output;
pub mod view;

mod health;
mod server;
mod telemetry;
mod trouble;

use std::io::Write as _;
use std::process::ExitCode;

use clap::{CommandFactory as _, Parser as _};

use crate::cli::Cli;
use crate::run::Verdict;

/// 128 and the number of SIGINT, as shells have it.
const EXIT_INTERRUPTED: u8 = 130;
/// What the parser of flags exits with too.
const EXIT_USAGE: u8 = 2;

/// Runs the program: 0 when all was well, 1 when too many requests failed, 2 for flags and files that make no sense, 130 after a second
/// signal.
#[must_use]
pub fn main() -> ExitCode {
    let cli = Cli::parse();
    let result = match cli.generate.generate {
        Some(what) => what
            .write(Cli::command(), &mut std::io::stdout().lock())
            .map(|()| Verdict::Good)
            .map_err(Into::into),
        None => run::run(&cli),
    };
    match result {
        Ok(Verdict::Good) => ExitCode::SUCCESS,
        Ok(Verdict::Failures) => ExitCode::FAILURE,
        Ok(Verdict::Interrupted) => ExitCode::from(EXIT_INTERRUPTED),
        Err(error) => {
            // Nobody is left to tell when stderr is closed.
            let _ = writeln!(std::io::stderr(), "error: {error:#}");
            ExitCode::from(EXIT_USAGE)
        }
    }
}
