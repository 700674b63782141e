//! Whether the monitor itself does its work.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use tokio::time::Instant;

use crate::settings::TargetSettings;

/// So many intervals may go by without a finished request, besides the time that one may take.
const INTERVALS: u32 = 3;

/// When each target's last request was finished.
#[derive(Debug)]
pub(crate) struct Health {
    start: Instant,
    stopping: AtomicBool,
    targets: Vec<TargetHealth>,
}

#[derive(Debug)]
struct TargetHealth {
    name: String,
    /// The longest time between two requests that can be explained.
    patience: Duration,
    /// Milliseconds after the start; the greatest number for a target that has had all its requests.
    finished: AtomicU64,
}

impl Health {
    pub(crate) fn new(targets: &[TargetSettings], start: Instant) -> Self {
        let targets = targets.iter().map(|target| TargetHealth {
            name: target.name.clone(),
            patience: target.interval * INTERVALS + target.timeout,
            finished: AtomicU64::new(0),
        });
        Self {
            start,
            stopping: AtomicBool::new(false),
            targets: targets.collect(),
        }
    }

    /// Notes that a request has ended, well or not.
    pub(crate) fn finished(&self, index: usize) {
        if let Some(target) = self.targets.get(index) {
            target
                .finished
                .store(self.millis(Instant::now()), Ordering::Relaxed);
        }
    }

    /// Notes that a target needs no more requests, which is no silence.
    pub(crate) fn ended(&self, index: usize) {
        if let Some(target) = self.targets.get(index) {
            target.finished.store(u64::MAX, Ordering::Relaxed);
        }
    }

    /// Notes that no more requests are started.
    pub(crate) fn stop(&self) {
        self.stopping.store(true, Ordering::Relaxed);
    }

    /// What is wrong at `now`, if anything.
    pub(crate) fn trouble(&self, now: Instant) -> Option<String> {
        if self.stopping.load(Ordering::Relaxed) {
            return Some("stopping".to_owned());
        }
        let now = self.millis(now);
        let silent = self.targets.iter().find_map(|target| {
            let silence =
                Duration::from_millis(now.saturating_sub(target.finished.load(Ordering::Relaxed)));
            (silence > target.patience).then_some((target, silence))
        });
        silent.map(|(target, silence)| {
            format!(
                "no request to {} was finished for {:.1} s",
                target.name,
                silence.as_secs_f64()
            )
        })
    }

    fn millis(&self, at: Instant) -> u64 {
        u64::try_from(at.saturating_duration_since(self.start).as_millis()).unwrap_or(u64::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn health(start: Instant) -> Health {
        let target = TargetHealth {
            name: "shop".to_owned(),
            patience: Duration::from_secs(8),
            finished: AtomicU64::new(0),
        };
        Health {
            start,
            stopping: AtomicBool::new(false),
            targets: vec![target],
        }
    }

    #[tokio::test(start_paused = true)]
    async fn silence_is_trouble_until_something_is_finished() {
        let start = Instant::now();
        let health = health(start);
        assert_eq!(health.trouble(start + Duration::from_secs(8)), None);
        let trouble = health.trouble(start + Duration::from_millis(8500)).unwrap();
        assert_eq!(trouble, "no request to shop was finished for 8.5 s");
        tokio::time::advance(Duration::from_secs(9)).await;
        health.finished(0);
        assert_eq!(health.trouble(Instant::now()), None);
        health.ended(0);
        assert_eq!(health.trouble(start + Duration::from_secs(1000)), None);
    }

    #[tokio::test(start_paused = true)]
    async fn a_monitor_that_stops_says_so() {
        let health = health(Instant::now());
        health.stop();
        assert_eq!(health.trouble(Instant::now()).unwrap(), "stopping");
    }
}
