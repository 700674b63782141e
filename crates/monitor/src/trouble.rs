//! Log records for operators: when a target begins to fail, when it is well again, and changes that came to nothing. Not one for each
//! request: those are in the reports.

use tokio::time::Instant;

use crate::report::{Change, Outcome, Report};

/// Whether a target fails, and for how long.
#[derive(Debug, Default)]
pub(crate) struct Trouble(Option<Failing>);

#[derive(Debug)]
struct Failing {
    since: Instant,
    requests: u64,
}

/// What is worth a log record.
#[derive(Debug, PartialEq)]
enum Turn {
    Worse,
    /// After so many seconds and failed requests.
    Better(f64, u64),
}

impl Trouble {
    /// Logs a request if it is the first that fails, or the first that succeeds again.
    pub(crate) fn report(&mut self, report: &Report) {
        let target = report.target.as_str();
        match (self.turn(report.success, Instant::now()), &report.error) {
            (Some(Turn::Worse), Some(error)) => {
                tracing::warn!(
                    target,
                    endpoint = report.endpoint,
                    "error.type" = error.kind,
                    error = error.message,
                    "requests fail"
                );
            }
            (Some(Turn::Better(seconds, failed)), _) => {
                tracing::info!(
                    target,
                    endpoint = report.endpoint,
                    seconds,
                    failed,
                    "requests succeed again"
                );
            }
            _ => {}
        }
    }

    fn turn(&mut self, success: bool, now: Instant) -> Option<Turn> {
        match (success, &mut self.0) {
            (true, None) => None,
            (true, Some(failing)) => {
                let turn = Turn::Better((now - failing.since).as_secs_f64(), failing.requests);
                self.0 = None;
                Some(turn)
            }
            (false, Some(failing)) => {
                failing.requests += 1;
                None
            }
            (false, none) => {
                *none = Some(Failing {
                    since: now,
                    requests: 1,
                });
                Some(Turn::Worse)
            }
        }
    }
}

/// Logs a change that came to nothing.
pub(crate) fn change(change: &Change) {
    let target = change.target.as_str();
    let error = change.error.as_ref();
    let (kind, message) = (
        error.map(|error| error.kind),
        error.map(|error| error.message.as_str()),
    );
    match change.result {
        Outcome::Ok => {}
        Outcome::Failed => {
            tracing::warn!(
                target,
                endpoint = change.endpoint,
                "error.type" = kind,
                error = message,
                "the state could not be changed"
            );
        }
        Outcome::Mismatch => {
            tracing::warn!(
                target,
                endpoint = change.endpoint,
                "error.type" = kind,
                error = message,
                "a change of the state is not shown"
            );
        }
        Outcome::Unsupported => {
            tracing::info!(
                target,
                endpoint = change.endpoint,
                "there is no endpoint for changes: none is asked for"
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn only_turns_are_told() {
        let start = Instant::now();
        let mut trouble = Trouble::default();
        let mut told = Vec::new();
        for (second, success) in [true, false, false, false, true, true, false]
            .into_iter()
            .enumerate()
        {
            told.push(trouble.turn(success, start + Duration::from_secs(second as u64)));
        }
        let expected = [
            None,
            Some(Turn::Worse),
            None,
            None,
            Some(Turn::Better(3.0, 3)),
            None,
            Some(Turn::Worse),
        ];
        assert_eq!(told, expected);
    }
}
