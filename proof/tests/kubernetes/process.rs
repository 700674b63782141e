//! A program that runs for as long as its value lives, and logs into a file.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::programs;

/// How long a program that was asked to stop may take before it is killed.
const STOPPING: Duration = Duration::from_secs(5);
/// Characters of a log that a failure shows.
const TAIL: usize = 4000;

pub(crate) struct Process {
    name: &'static str,
    log: PathBuf,
    child: Child,
}

impl Process {
    /// Starts a program in `folder`, with nothing in its environment but that as its home.
    ///
    /// # Panics
    /// When it can't be started.
    pub(crate) fn start(name: &'static str, folder: &Path, args: &[String]) -> Self {
        let log = folder.join(format!("{name}.log"));
        let file = File::create(&log).unwrap_or_else(|error| panic!("{}: {error}", log.display()));
        let copy = file.try_clone().expect("a file can be opened twice");
        let child = Command::new(programs::program(name))
            .args(args)
            .env_clear()
            .env("HOME", folder)
            .current_dir(folder)
            .stdin(Stdio::null())
            .stdout(file)
            .stderr(copy)
            .spawn()
            .unwrap_or_else(|error| panic!("{name} can't be started: {error}"));
        Self { name, log, child }
    }

    /// The end of its log, and whether it still runs.
    pub(crate) fn state(&mut self) -> String {
        let ended = self.child.try_wait().expect("a child can be waited for");
        let log = fs::read_to_string(&self.log).unwrap_or_default();
        let skipped = log.chars().count().saturating_sub(TAIL);
        let tail: String = log.chars().skip(skipped).collect();
        format!("--- {} (ended: {ended:?})\n{tail}\n", self.name)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let asked = Command::new("kill")
            .args(["-s", "TERM", &self.child.id().to_string()])
            .status();
        let end = Instant::now() + STOPPING;
        while asked.is_ok() && Instant::now() < end {
            if matches!(self.child.try_wait(), Ok(Some(_))) {
                return;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        // It may have ended in between.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
