//! The real Spin, on Unix machines that have it: its path is in the environment variable `SPIN`.

use std::net::SocketAddr;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use tempfile::TempDir;

use crate::deadline;
use crate::lines::Lines;

/// A running `spin up`, killed when it is dropped.
pub struct Spin {
    pub address: SocketAddr,
    process: Child,
    _state: TempDir,
}

impl Spin {
    /// Where it is, if it is to be tested against.
    pub fn program() -> Option<PathBuf> {
        std::env::var_os("SPIN")
            .filter(|path| !path.is_empty())
            .map(PathBuf::from)
    }

    /// Serves the application of a manifest on a free port.
    ///
    /// # Panics
    /// When Spin ends instead.
    pub fn up(program: &Path, manifest: &Path, args: &[&str]) -> Self {
        Self::try_up(program, manifest, args)
            .unwrap_or_else(|error| panic!("spin up ended: {error}"))
    }

    /// Serves the application of a manifest on a free port.
    ///
    /// # Errors
    /// What Spin says when it ends instead.
    pub fn try_up(program: &Path, manifest: &Path, args: &[&str]) -> Result<Self, String> {
        let state = tempfile::tempdir().expect("a temporary folder can be made");
        let mut process = Command::new(program)
            .args(["up", "--listen", "127.0.0.1:0", "--from"])
            .arg(manifest)
            .arg("--state-dir")
            .arg(state.path())
            .args(args)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .process_group(0)
            .spawn()
            .unwrap_or_else(|error| panic!("SPIN={}: {error}", program.display()));
        let lines = Lines::collect(process.stdout.take().expect("stdout is piped"));
        let errors = Lines::collect(process.stderr.take().expect("stderr is piped"));
        let address = deadline::until("spin up to serve", || {
            if process
                .try_wait()
                .expect("a child can be waited for")
                .is_some()
            {
                return Some(Err(errors.to_the_end().join("\n")));
            }
            lines
                .so_far()
                .iter()
                .find_map(|line| line.trim().strip_prefix("Serving http://")?.parse().ok())
                .map(Ok)
        })?;
        Ok(Self {
            address,
            process,
            _state: state,
        })
    }
}

impl Drop for Spin {
    fn drop(&mut self) {
        // `spin up` runs the trigger as a child of its own, so the whole group has to go. It may have ended already.
        let _ = Command::new("kill")
            .args(["-s", "KILL", "--", &format!("-{}", self.process.id())])
            .status();
        let _ = self.process.wait();
    }
}
