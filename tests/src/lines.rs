//! The lines that a program writes, collected while it runs.

use std::io::{BufRead as _, BufReader, Read};
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::deadline::PATIENCE;

#[derive(Default)]
struct Collected {
    lines: Vec<String>,
    ended: bool,
}

/// Lines so far, and those to come.
#[derive(Clone, Default)]
pub struct Lines(Arc<(Mutex<Collected>, Condvar)>);

impl Lines {
    /// Collects until `from` ends, on a thread that ends with it.
    pub fn collect(from: impl Read + Send + 'static) -> Self {
        let lines = Self::default();
        let sink = lines.clone();
        std::thread::spawn(move || {
            for line in BufReader::new(from).lines().map_while(Result::ok) {
                sink.change(|collected| collected.lines.push(line));
            }
            sink.change(|collected| collected.ended = true);
        });
        lines
    }

    /// All lines so far.
    pub fn so_far(&self) -> Vec<String> {
        self.0
            .0
            .lock()
            .expect("no thread panics with the lock")
            .lines
            .clone()
    }

    /// All lines; waits until there can be no more.
    pub fn to_the_end(&self) -> Vec<String> {
        self.wait("the end of the output", PATIENCE, |lines, ended| {
            ended.then(|| lines.to_vec())
        })
    }

    /// All lines; waits until there can be no more.
    ///
    /// # Panics
    /// When a log line comes that `refused` accepts.
    pub fn to_the_end_or(&self, refused: impl Fn(&Value) -> bool) -> Vec<String> {
        self.wait("the end of the output", PATIENCE, |lines, ended| {
            let bad = lines
                .iter()
                .find(|line| serde_json::from_str(line).is_ok_and(|line| refused(&line)));
            assert!(bad.is_none(), "this was not to happen: {bad:?}");
            ended.then(|| lines.to_vec())
        })
    }

    /// The first log line, as JSON, that `wanted` accepts, now or soon.
    ///
    /// # Panics
    /// When there is none within [`PATIENCE`] or before the end of the output.
    pub fn wait_for_log(&self, what: &str, wanted: impl Fn(&Value) -> bool) -> Value {
        self.wait_longer_for_log(what, PATIENCE, wanted)
    }

    /// The same, with another patience.
    ///
    /// # Panics
    /// When there is none within it or before the end of the output.
    pub fn wait_longer_for_log(
        &self,
        what: &str,
        patience: Duration,
        wanted: impl Fn(&Value) -> bool,
    ) -> Value {
        self.wait(what, patience, |lines, ended| {
            let found = lines
                .iter()
                .filter_map(|line| serde_json::from_str(line).ok())
                .find(&wanted);
            assert!(
                found.is_some() || !ended,
                "the output ended without {what}:\n{}",
                lines.join("\n")
            );
            found
        })
    }

    fn wait<T>(
        &self,
        what: &str,
        patience: Duration,
        look: impl Fn(&[String], bool) -> Option<T>,
    ) -> T {
        let end = Instant::now() + patience;
        let mut collected = self.0.0.lock().expect("no thread panics with the lock");
        loop {
            if let Some(found) = look(&collected.lines, collected.ended) {
                return found;
            }
            let left = end.saturating_duration_since(Instant::now());
            assert!(
                !left.is_zero(),
                "still waiting for {what}:\n{}",
                collected.lines.join("\n")
            );
            collected = self
                .0
                .1
                .wait_timeout(collected, left)
                .expect("no thread panics with the lock")
                .0;
        }
    }

    fn change(&self, change: impl FnOnce(&mut Collected)) {
        change(&mut self.0.0.lock().expect("no thread panics with the lock"));
        self.0.1.notify_all();
    }
}
