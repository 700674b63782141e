//! Whether the monitor itself does its work.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use crate::cli::RequestFlags;

/// So many intervals may go by without a finished request, besides the time that one may take.
const INTERVALS: u32 = 3;

/// When each target's last request was finished.
#[derive(Debug)]
pub(crate) struct Health {
    /// The longest time between two requests of a target that can be explained.
    patience: Duration,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    stopping: bool,
    /// Name and moment; none for a target that has had all its requests.
    finished: Vec<(String, Option<Instant>)>,
}

impl Health {
    pub(crate) fn new(
        names: impl IntoIterator<Item = String>,
        flags: &RequestFlags,
        start: Instant,
    ) -> Self {
        let finished = names.into_iter().map(|name| (name, Some(start)));
        Self {
            patience: flags.interval * INTERVALS + flags.timeout,
            state: Mutex::new(State {
                stopping: false,
                finished: finished.collect(),
            }),
        }
    }

    /// Notes that a request to a target has ended, well or not, at this moment; or that it needs no more, which is no silence.
    pub(crate) fn finished(&self, index: usize, at: Option<Instant>) {
        if let Some((_, finished)) = self.state().finished.get_mut(index) {
            *finished = at;
        }
    }

    /// Notes that no more requests are started.
    pub(crate) fn stop(&self) {
        self.state().stopping = true;
    }

    /// What is wrong at `now`, if anything.
    pub(crate) fn trouble(&self, now: Instant) -> Option<String> {
        let state = self.state();
        if state.stopping {
            return Some("stopping".to_owned());
        }
        state.finished.iter().find_map(|(name, finished)| {
            let silence = now.saturating_duration_since((*finished)?);
            let seconds = silence.as_secs_f64();
            (silence > self.patience)
                .then(|| format!("no request to {name} was finished for {seconds:.1} s"))
        })
    }

    /// It is whole at all times, so a panic elsewhere does not spoil it.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::*;
    use crate::cli::Cli;

    fn health(start: Instant) -> Health {
        let cli = Cli::parse_from(["", "http://h", "--interval", "1s", "--timeout", "5s"]);
        Health::new(["http://h".to_owned()], &cli.requests, start)
    }

    #[test]
    fn silence_is_trouble_until_something_is_finished() {
        let start = Instant::now();
        let health = health(start);
        assert_eq!(health.trouble(start + Duration::from_secs(8)), None);
        let late = start + Duration::from_millis(8500);
        assert_eq!(
            health.trouble(late).unwrap(),
            "no request to http://h was finished for 8.5 s"
        );
        health.finished(0, Some(late));
        assert_eq!(health.trouble(late), None);
        health.finished(0, None);
        assert_eq!(health.trouble(start + Duration::from_secs(1000)), None);
    }

    #[test]
    fn a_monitor_that_stops_says_so() {
        let health = health(Instant::now());
        health.stop();
        assert_eq!(health.trouble(Instant::now()).unwrap(), "stopping");
    }
}
