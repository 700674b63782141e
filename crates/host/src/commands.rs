//! The commands, one file each. [`prepare`] is what `up` and `check` share.

mod build;
mod check;
mod prepare;
mod signals;
mod up;

use std::io::Write as _;

use crate::cli::{Cli, Command};

/// Runs one command.
///
/// # Errors
/// With the whole chain of causes, to be printed once.
pub(crate) fn run(cli: Cli) -> anyhow::Result<()> {
    let log = cli.log.options();
    match cli.command {
        Command::Up(up) => up::run(*up, &log),
        Command::Build(command) => {
            spinfo_telemetry::init_logging(&log, None)?;
            build::run(&command.from, &command.component_id)
        }
        Command::Check(command) => {
            spinfo_telemetry::init_logging(&log, None)?;
            check::run(&command)
        }
    }
}

/// Prints a line for people or scripts to stdout.
fn say(line: std::fmt::Arguments<'_>) {
    // A reader that has gone away is no reason to stop serving.
    let _ = writeln!(std::io::stdout(), "{line}");
}
