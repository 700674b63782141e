//! A server that is measured: a process that ends with the value.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use anyhow::Context as _;
use tempfile::TempDir;

/// A running server.
pub struct Subject {
    /// Where it listens, as `http://HOST:PORT`.
    pub url: String,
    child: Child,
    _state: Option<TempDir>,
}

impl Drop for Subject {
    fn drop(&mut self) {
        // It may have ended by itself; either way nothing of it is left.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Subject {
    /// Starts this very program as the native server.
    ///
    /// # Errors
    /// When it does not come up.
    pub fn native(flag: &str) -> anyhow::Result<Self> {
        let program = std::env::current_exe().context("cannot find this program")?;
        Self::start(Command::new(program).arg(flag), None)
    }

    /// Starts the host with the application of `root`. Spans, metrics and logs of host and components go to `receiver`, if there is one.
    ///
    /// # Errors
    /// When it does not come up.
    pub fn host(program: &Path, root: &Path, receiver: Option<&str>) -> anyhow::Result<Self> {
        let state = tempfile::tempdir().context("cannot make a folder for state")?;
        let mut command = Command::new(program);
        command
            .args([
                "up",
                "--listen",
                "127.0.0.1:0",
                "--admin-listen",
                "off",
                "--log",
                "error",
                "--from",
            ])
            .arg(root.join("spin.toml"))
            .arg("--state-dir")
            .arg(state.path())
            .arg("--variable")
            .arg(format!("otlp_endpoint={}", receiver.unwrap_or_default()));
        if let Some(receiver) = receiver {
            command.env("OTEL_EXPORTER_OTLP_ENDPOINT", receiver);
        }
        Self::start(&mut command, Some(state))
    }

    fn start(command: &mut Command, state: Option<TempDir>) -> anyhow::Result<Self> {
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .with_context(|| format!("cannot start {command:?}"))?;
        let stdout = child.stdout.take().context("no stdout")?;
        let mut lines = BufReader::new(stdout).lines();
        let url = lines.find_map(|line| line.ok()?.strip_prefix("Serving ").map(str::to_owned));
        // Reads on, so that the program never waits for a reader.
        std::thread::spawn(move || lines.for_each(drop));
        let url = url.with_context(|| format!("{command:?} ended before it served"))?;
        Ok(Self {
            url,
            child,
            _state: state,
        })
    }
}
