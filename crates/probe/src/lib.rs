//! `spinfo-probe`: is it up, and is its clock right? One check of a server from outside.
//!
//! In the order in which things happen:
//!
//! - [`cli`]: flags and environment, read once
//! - [`run`]: one check or one after another ([`schedule`]), attempts, and the end
//! - [`check`]: the steps of a check and what they find; [`range`] is a threshold; [`span`] traces them
//! - [`clock`]: the server's clock against ours
//! - [`measurement`]: every number of a check, once
//! - [`nagios`], [`json`] and [`prometheus`]: what is said about it; [`quantity`] and [`timestamp`] write numbers
//! - [`telemetry`]: traces and metrics over OTLP

mod cli;
mod run;
mod schedule;

mod check;
mod clock;
mod range;
mod span;

mod measurement;

mod json;
mod nagios;
mod prometheus;
mod quantity;
mod timestamp;

mod telemetry;

use std::io::Write as _;
use std::process::ExitCode;

use check::Severity;
use cli::Job;
use spinfo_program::exit;

/// Runs the program: the exit code is that of the Monitoring Plugins guidelines.
#[must_use]
pub fn main() -> ExitCode {
    let severity = Job::from_process().and_then(|job| run::run(&job));
    let severity = severity.unwrap_or_else(|error| {
        refuse(&exit::chain(&error), cli::wants_json());
        Severity::Unknown
    });
    ExitCode::from(severity.exit_code())
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
