//! What the operator hears about exports: the first failure, a reminder now and then, and the recovery.

use tokio::time::{Duration, Instant};

use crate::settings::Signal;

/// Least time between two warnings about the same trouble.
const REMINDER: Duration = Duration::from_secs(60);

pub(super) struct Report {
    signal: Signal,
    receiver: String,
    /// Failures since the last success.
    failures: u64,
    /// When a failure was last written down.
    said: Option<Instant>,
    /// Whether a failure was written down that no recovery has followed.
    open: bool,
}

impl Report {
    pub(super) fn new(signal: Signal, receiver: String) -> Self {
        Self {
            signal,
            receiver,
            failures: 0,
            said: None,
            open: false,
        }
    }

    pub(super) fn failed(&mut self, reason: &str) {
        self.failures += 1;
        if self.said.is_some_and(|said| said.elapsed() < REMINDER) {
            return;
        }
        self.said = Some(Instant::now());
        self.open = true;
        let signal = self.signal.name();
        let (receiver, failures) = (&self.receiver, self.failures);
        tracing::warn!(
            signal,
            receiver,
            failures,
            reason,
            "telemetry was not delivered"
        );
    }

    /// A recovery is told once for each failure that was told, so a receiver that comes and goes cannot fill the log.
    pub(super) fn delivered(&mut self) {
        if self.open {
            let signal = self.signal.name();
            let (receiver, failures) = (&self.receiver, self.failures);
            tracing::info!(signal, receiver, failures, "telemetry is delivered again");
        }
        self.open = false;
        self.failures = 0;
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use tracing::subscriber::with_default;
    use tracing::{Event, Subscriber};
    use tracing_subscriber::layer::{Context, SubscriberExt as _};
    use tracing_subscriber::{Layer, Registry};

    use super::*;

    struct Count(Arc<AtomicUsize>);

    impl<S: Subscriber> Layer<S> for Count {
        fn on_event(&self, _event: &Event<'_>, _context: Context<'_, S>) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }

    #[test]
    fn a_receiver_that_comes_and_goes_is_told_of_once() {
        let lines = Arc::new(AtomicUsize::new(0));
        with_default(Registry::default().with(Count(lines.clone())), || {
            let mut report = Report::new(Signal::Traces, "c:4318".to_owned());
            report.delivered();
            assert_eq!(lines.load(Ordering::Relaxed), 0);
            for _ in 0..1000 {
                report.failed("refused");
                report.failed("refused");
                report.delivered();
            }
        });
        assert_eq!(
            lines.load(Ordering::Relaxed),
            2,
            "one failure and one recovery"
        );
    }
}
