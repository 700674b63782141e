//! How a program ends.

use std::io::Write as _;
use std::process::ExitCode;

/// What was asked for failed.
pub const FAILURE: u8 = 1;
/// Flags, files or variables make no sense. clap exits with the same.
pub const USAGE: u8 = 2;
/// Ended by a second signal: 128 and the number of SIGINT, as shells have it.
pub const INTERRUPTED: u8 = 130;

/// Prints an error with its causes to stderr, and gives the exit code `code`.
pub fn report(error: &anyhow::Error, code: u8) -> ExitCode {
    // Nobody is left to tell when stderr is closed.
    let _ = writeln!(std::io::stderr(), "error: {}", chain(error));
    ExitCode::from(code)
}

/// An error and its causes in one line. A cause that the text before it ends with is not told again.
#[must_use]
pub fn chain(error: &anyhow::Error) -> String {
    error.chain().fold(String::new(), |mut text, cause| {
        let cause = cause.to_string();
        if !text.ends_with(&cause) {
            if !text.is_empty() {
                text.push_str(": ");
            }
            text.push_str(&cause);
        }
        text
    })
}

#[cfg(test)]
mod tests {
    use anyhow::anyhow;

    use super::*;

    #[test]
    fn a_cause_is_told_once() {
        let error = anyhow!("no such file").context("cannot read a: no such file");
        assert_eq!(
            chain(&error.context("cannot start")),
            "cannot start: cannot read a: no such file"
        );
    }
}
