//! Several expectations of one stack, because starting it takes longer than most of them.

use std::io::Write as _;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;
use std::time::Instant;

/// Runs checks, tells of each, and goes on after one that fails.
pub struct Checks {
    begun: Instant,
    failed: Mutex<Vec<String>>,
}

impl Default for Checks {
    fn default() -> Self {
        Self {
            begun: Instant::now(),
            failed: Mutex::default(),
        }
    }
}

impl Checks {
    /// Runs a check, which panics when it fails. Its value is `None` then.
    pub fn run<T>(&self, what: &str, check: impl FnOnce() -> T) -> Option<T> {
        let begun = Instant::now();
        let outcome = catch_unwind(AssertUnwindSafe(check));
        let seconds = begun.elapsed().as_secs_f64();
        match outcome {
            Ok(value) => {
                self.say(&format!("ok      {what} ({seconds:.1} s)"));
                Some(value)
            }
            Err(panic) => {
                let why = panic
                    .downcast_ref::<String>()
                    .map(String::as_str)
                    .or_else(|| panic.downcast_ref::<&str>().copied())
                    .unwrap_or("a panic without words");
                self.say(&format!("FAILED  {what} ({seconds:.1} s): {why}"));
                let mut failed = self.failed.lock().expect("nothing panics with the lock");
                failed.push(format!("{what}: {why}"));
                None
            }
        }
    }

    /// Tells how far things are. Past the test harness, which would keep it until the end, minutes later.
    pub fn say(&self, text: &str) {
        let line = format!("  [{:6.1} s] {text}\n", self.begun.elapsed().as_secs_f64());
        let _ = std::io::stderr().write_all(line.as_bytes());
    }

    /// Fails when a check has, with what they all said; `more` is asked for what else may help.
    ///
    /// # Panics
    /// When a check has failed.
    pub fn finish(self, more: impl FnOnce() -> String) {
        let failed = self
            .failed
            .into_inner()
            .expect("nothing panics with the lock");
        assert!(
            failed.is_empty(),
            "{} checks failed:\n\n{}\n\n{}",
            failed.len(),
            failed.join("\n\n"),
            more()
        );
    }
}
