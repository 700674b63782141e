//! A program of the stack: started, stopped, and started again with the same ports and files.

use std::collections::VecDeque;
use std::ffi::{OsStr, OsString};
use std::fs::{File, OpenOptions};
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::api::Api;
use super::backends;

/// How long a start may take; Tempo and Loki take ten seconds on an idle machine.
const STARTING: Duration = Duration::from_secs(120);
/// How long a program that was asked to stop may take before it is killed.
const STOPPING: Duration = Duration::from_secs(20);
/// Lines of a log that are shown when something failed.
const TAIL: usize = 25;

/// How to start a program, and how to see that it is ready.
pub struct Program {
    name: &'static str,
    args: Vec<OsString>,
    env: Vec<(String, OsString)>,
    log: PathBuf,
    ready: (Api, &'static str),
    process: Mutex<Option<Child>>,
}

impl Program {
    /// A program of the backends that logs into `folder`, and answers 200 to a `GET` of `path` once it is ready.
    pub fn new(name: &'static str, folder: &Path, api: Api, path: &'static str) -> Self {
        Self {
            name,
            args: Vec::new(),
            env: Vec::new(),
            log: folder.join(format!("{name}.log")),
            ready: (api, path),
            process: Mutex::new(None),
        }
    }

    /// More arguments.
    #[must_use]
    pub fn args<I: AsRef<OsStr>>(mut self, args: impl IntoIterator<Item = I>) -> Self {
        self.args
            .extend(args.into_iter().map(|arg| arg.as_ref().to_owned()));
        self
    }

    /// A variable of its environment, which is otherwise empty.
    #[must_use]
    pub fn env(mut self, name: &str, value: impl AsRef<OsStr>) -> Self {
        self.env.push((name.to_owned(), value.as_ref().to_owned()));
        self
    }

    /// Starts it, without waiting until it is ready.
    ///
    /// # Panics
    /// When it can't be started.
    pub fn start(&self) {
        let log = OpenOptions::new().create(true).append(true).open(&self.log);
        let log = log.unwrap_or_else(|error| panic!("{}: {error}", self.log.display()));
        let copy = log.try_clone().expect("a file can be opened twice");
        let mut command = Command::new(backends::program(self.name));
        command
            .args(&self.args)
            .env_clear()
            .envs(self.env.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::null())
            .stdout(log)
            .stderr(copy);
        let child = command
            .spawn()
            .unwrap_or_else(|error| panic!("{} can't be started: {error}", self.name));
        *self.process() = Some(child);
    }

    /// Waits until it is ready.
    ///
    /// # Panics
    /// When it ends instead, or takes too long, with the end of its log.
    pub fn wait_until_ready(&self) {
        let (api, path) = &self.ready;
        let begun = Instant::now();
        loop {
            let last = match api.get(path, &[]) {
                Ok(_) => return,
                Err(last) => last,
            };
            let ended = self
                .process()
                .as_mut()
                .and_then(|child| child.try_wait().expect("a child can be waited for"));
            assert!(
                ended.is_none() && begun.elapsed() < STARTING,
                "{} is not ready ({ended:?}): {last}\n{}",
                self.name,
                self.tail()
            );
            std::thread::sleep(Duration::from_millis(100));
        }
    }

    /// Asks it to stop and waits until it has; kills it when it takes too long.
    pub fn stop(&self) {
        let Some(mut child) = self.process().take() else {
            return;
        };
        let asked = Command::new("kill")
            .args(["-s", "TERM", &child.id().to_string()])
            .status();
        assert!(asked.is_ok_and(|status| status.success()), "kill(1) works");
        let end = Instant::now() + STOPPING;
        while Instant::now() < end {
            if child
                .try_wait()
                .expect("a child can be waited for")
                .is_some()
            {
                return;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        end_now(child);
    }

    /// Ends it as a crash would.
    pub fn kill(&self) {
        if let Some(child) = self.process().take() {
            end_now(child);
        }
    }

    /// Starts it again.
    ///
    /// # Panics
    /// As [`start`](Self::start) and [`wait_until_ready`](Self::wait_until_ready) do.
    pub fn restart(&self) {
        self.start();
        self.wait_until_ready();
    }

    /// The last lines that it wrote.
    pub fn tail(&self) -> String {
        let Ok(file) = File::open(&self.log) else {
            return String::new();
        };
        let mut lines = VecDeque::new();
        for line in BufReader::new(file).lines().map_while(Result::ok) {
            if lines.len() == TAIL {
                lines.pop_front();
            }
            lines.push_back(line);
        }
        let text = Vec::from(lines).join("\n");
        format!("--- the end of {}\n{text}\n", self.log.display())
    }

    fn process(&self) -> MutexGuard<'_, Option<Child>> {
        // A test that panicked is no reason to leave the process alone.
        self.process.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        self.kill();
    }
}

fn end_now(mut child: Child) {
    // It may have ended already.
    let _ = child.kill();
    let _ = child.wait();
}
