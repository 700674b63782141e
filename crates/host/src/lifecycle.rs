//! The phases of the process, from the first request to the last.

use std::time::Duration;

use tokio::sync::watch;

/// What the process is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Phase {
    Serving,
    /// Still serving, but `/readyz` says no, so that load balancers send new requests elsewhere.
    Leaving,
    /// No new connections; requests under way are finished.
    Draining,
}

/// How a stop proceeds.
#[derive(Debug, Clone)]
pub(crate) struct StopSettings {
    /// How long to go on serving after `/readyz` has begun to say no.
    pub(crate) grace: Duration,
    /// How long requests under way may take to finish.
    pub(crate) drain_timeout: Duration,
    /// How long components may take after that to send their telemetry.
    pub(crate) flush_timeout: Duration,
}

/// Tells all parts of the process which phase it is in.
#[derive(Clone)]
pub(crate) struct Lifecycle(watch::Sender<Phase>);

impl Default for Lifecycle {
    fn default() -> Self {
        Self(watch::Sender::new(Phase::Serving))
    }
}

impl Lifecycle {
    pub(crate) fn enter(&self, phase: Phase) {
        self.0.send_replace(phase);
    }

    pub(crate) fn phase(&self) -> Phase {
        *self.0.borrow()
    }

    /// Completes when the process has come as far as `phase`.
    pub(crate) fn reached(&self, phase: Phase) -> impl Future<Output = ()> + Send + Sync + 'static {
        let mut phases = self.0.subscribe();
        async move {
            // The sender lives as long as the process; were it gone, that would be the end as well.
            let _ = phases.wait_for(|now| *now >= phase).await;
        }
    }
}
