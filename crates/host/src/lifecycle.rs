//! The phases of the process, from the first request to the last.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

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
