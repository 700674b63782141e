//! Running the program.

use std::process::{Command, Output, Stdio};

use crate::perfdata::PluginOutput;

/// What the program has said.
pub(crate) struct Said {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

/// The program with these arguments and nothing of the environment that changes what it does.
pub(crate) fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_spinfo-probe"));
    command.args(arguments).env_clear().stdin(Stdio::null());
    command
}

/// Runs it to its end.
pub(crate) fn probe(arguments: &[&str]) -> Said {
    Said::of(command(arguments).output().expect("the program runs"))
}

/// Runs it without a look at the clock.
pub(crate) fn probe_no_clock(arguments: &[&str]) -> Said {
    probe(&[arguments, &["--no-clock"]].concat())
}

impl Said {
    pub(crate) fn of(output: Output) -> Self {
        Self {
            code: output.status.code().expect("it ends by itself"),
            stdout: String::from_utf8(output.stdout).expect("text"),
            stderr: String::from_utf8(output.stderr).expect("text"),
        }
    }

    /// The output as a monitoring system reads it; its status has to be that of the exit code.
    pub(crate) fn plugin_output(&self) -> PluginOutput {
        let output = PluginOutput::parse(&self.stdout);
        let expected = ["OK", "WARNING", "CRITICAL", "UNKNOWN"];
        assert_eq!(
            Some(&&*output.status),
            expected.get(usize::try_from(self.code).unwrap())
        );
        assert_eq!(output.service, "SPINFO");
        output
    }

    /// The output of `--json`; its code has to be the exit code.
    pub(crate) fn json(&self) -> serde_json::Value {
        let report: serde_json::Value = serde_json::from_str(&self.stdout)
            .unwrap_or_else(|error| panic!("{error}: {}", self.stdout));
        assert_eq!(report["exit_code"], self.code, "{report}");
        report
    }

    /// Asserts the exit code and a part of the first line.
    pub(crate) fn expect(&self, code: i32, part: &str) {
        assert!(
            self.code == code && self.plugin_output().text.contains(part),
            "expected {code} and {part:?}: {} {}{}",
            self.code,
            self.stdout,
            self.stderr
        );
    }
}
