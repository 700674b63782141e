//! The process's arguments.

use std::ffi::OsString;
use std::io::Write as _;

use clap::{Command, Parser};

use crate::generate::{self, Generate};

/// Parses the process's arguments. For `--help`, `--version`, `--generate` and for what is wrong it prints that and ends the process: with 0, or
/// with [`USAGE`](crate::exit::USAGE).
#[must_use]
pub fn parse<P: Parser>() -> P {
    try_parse(std::env::args_os()).unwrap_or_else(|error| error.exit())
}

/// Parses arguments, of which the first is the program's name. `--generate` prints what it asks for and ends the process.
///
/// # Errors
/// clap's. When its `exit_code()` is 0 it is help or the version, to be printed by `exit()`.
pub fn try_parse<P: Parser>(
    arguments: impl IntoIterator<Item = OsString>,
) -> Result<P, clap::Error> {
    let arguments: Vec<_> = arguments.into_iter().collect();
    let command = generate::with_flag(P::command());
    if let Some(what) = Generate::requested(&command, &arguments) {
        // Nobody is left to tell when stdout is closed.
        let _ = std::io::stdout().write_all(&what.of(command));
        std::process::exit(0);
    }
    let mut matches = without_empty_variables(command).try_get_matches_from(arguments)?;
    P::from_arg_matches_mut(&mut matches)
}

/// An empty variable is as good as none, which clap sees differently.
fn without_empty_variables(command: Command) -> Command {
    command
        .mut_args(|argument| {
            let is_empty = argument
                .get_env()
                .and_then(std::env::var_os)
                .is_some_and(|value| value.is_empty());
            if is_empty {
                argument.env(None::<&'static str>)
            } else {
                argument
            }
        })
        .mut_subcommands(without_empty_variables)
}
