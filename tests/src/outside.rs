//! The programs that watch a server from outside.

use std::process::{Command, Stdio};

use serde_json::Value;

use crate::{Receiver, artifacts};

/// What a program said and how it ended.
#[derive(Debug)]
pub struct Said {
    /// The exit code.
    pub code: i32,
    pub stdout: String,
    pub stderr: String,
}

impl Said {
    /// The JSON objects on stdout, one a line.
    ///
    /// # Panics
    /// When a line is none.
    pub fn json(&self) -> Vec<Value> {
        let lines = self.stdout.lines();
        lines
            .map(|line| {
                serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line:?}"))
            })
            .collect()
    }
}

/// The probe, without its developer's environment.
pub fn probe(arguments: &[&str]) -> Said {
    run(&mut program(artifacts::probe(), arguments))
}

/// The monitor, without its developer's environment.
pub fn monitor(arguments: &[&str]) -> Said {
    run(&mut program(artifacts::monitor(), arguments))
}

/// The probe, not yet started.
pub fn probe_command(arguments: &[&str]) -> Command {
    program(artifacts::probe(), arguments)
}

/// The monitor, not yet started.
pub fn monitor_command(arguments: &[&str]) -> Command {
    program(artifacts::monitor(), arguments)
}

/// Sends a program's telemetry to a receiver, soon.
pub fn exporting<'a>(command: &'a mut Command, receiver: &Receiver) -> &'a mut Command {
    command
        .env("OTEL_EXPORTER_OTLP_ENDPOINT", receiver.url())
        .env("OTEL_EXPORTER_OTLP_PROTOCOL", "http/protobuf")
        .env("OTEL_BSP_SCHEDULE_DELAY", "100")
        .env("OTEL_BLRP_SCHEDULE_DELAY", "100")
        .env("OTEL_METRIC_EXPORT_INTERVAL", "200")
}

/// Runs a program to its end.
///
/// # Panics
/// When it can't be run, or is ended by a signal.
pub fn run(command: &mut Command) -> Said {
    let output = command.output();
    let output = output.unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let text = |bytes| String::from_utf8_lossy(bytes).into_owned();
    let (stdout, stderr) = (text(&output.stdout), text(&output.stderr));
    let code = output.status.code();
    Said {
        code: code.unwrap_or_else(|| panic!("{command:?}: {}: {stderr}", output.status)),
        stdout,
        stderr,
    }
}

fn program(path: std::path::PathBuf, arguments: &[&str]) -> Command {
    let mut command = Command::new(path);
    command.args(arguments).env_clear().stdin(Stdio::null());
    command
}
