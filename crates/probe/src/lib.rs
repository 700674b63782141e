//! `spinfo-probe`: is it up, and is its clock right? One check of a server from outside.
//!
//! In the order in which things happen:
//!
//! - [`cli`]: flags and environment, read once
//! - [`run`]: one check or one after another ([`schedule`]), attempts, and the end
//! - [`check`]: the steps of a check and what they find; [`range`] is a threshold
//! - [`clock`]: the server's clock against ours
//! - [`nagios`], [`json`] and [`prometheus`]: what is said about it; [`quantity`] and [`timestamp`] write numbers
//! - [`telemetry`]: traces and metrics over OTLP

mod cli;
mod run;
mod schedule;

mod check;
pub mod clock;
mod range;

mod json;
mod nagios;
mod prometheus;
mod quantity;
mod timestamp;

mod telemetry;

use std::io::Write as _;
use std::process::ExitCode;

use check::Severity;
use cli::Task;

/// Runs the program: the exit code is that of the Monitoring Plugins guidelines.
#[must_use]
pub fn main() -> ExitCode {
    match carry_out() {
        Ok(code) => code,
        Err(error) => {
            refuse(&format!("{error:#}"), cli::wants_json());
            ExitCode::from(Severity::Unknown.exit_code())
        }
    }
}

fn carry_out() -> anyhow::Result<ExitCode> {
    match Task::from_process()? {
        Task::Generate(what) => {
            what.write(cli::command(), &mut std::io::stdout().lock())?;
            Ok(ExitCode::SUCCESS)
        }
        Task::Probe(job) => Ok(ExitCode::from(run::run(&job)?.exit_code())),
    }
}

/// Says why there was no check. A monitoring system reads the first line of stdout; what follows in the message, such as how flags
/// are used, is for people.
fn refuse(message: &str, json: bool) {
    let (first, rest) = message.split_once("\n\n").unwrap_or((message, ""));
    let first = first.split_whitespace().collect::<Vec<_>>().join(" ");
    let line = if json {
        json::unknown(&first)
    } else {
        nagios::status(Severity::Unknown.name(), &first)
    };
    // Without anybody to tell there is nothing left to be done.
    let _ = writeln!(std::io::stdout(), "{line}");
    if !rest.is_empty() {
        let _ = writeln!(std::io::stderr(), "{rest}");
    }
}
