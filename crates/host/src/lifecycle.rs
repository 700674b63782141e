//! The phases of the process, from the first request to the last.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

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

/// Tells all parts of the process whether it is about to end. It still serves then, but `/readyz` says no, so that load
/// balancers send new requests elsewhere.
#[derive(Debug, Clone, Default)]
pub(crate) struct Lifecycle {
    leaving: Arc<AtomicBool>,
}

impl Lifecycle {
    pub(crate) fn leave(&self) {
        self.leaving.store(true, Ordering::Relaxed);
    }

    pub(crate) fn is_leaving(&self) -> bool {
        self.leaving.load(Ordering::Relaxed)
    }
}
