//! What became of the reloads so far.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use spinfo_names::values::ReloadResult;

use crate::metrics::Metrics;

/// Counts reloads, for metrics and for the admin listener.
pub(crate) struct Outcomes {
    metrics: Arc<Metrics>,
    counted: Mutex<Counted>,
}

/// The reloads of this process.
#[derive(Debug, Clone, Default)]
pub(crate) struct Counted {
    pub(crate) ok: u64,
    pub(crate) refused: u64,
    /// Why the last one was refused, if it was.
    pub(crate) problem: Option<String>,
}

impl Outcomes {
    pub(crate) fn new(metrics: Arc<Metrics>) -> Self {
        Self {
            metrics,
            counted: Mutex::default(),
        }
    }

    pub(crate) fn ok(&self) {
        self.metrics.reloaded(ReloadResult::Ok);
        let mut counted = self.lock();
        counted.ok += 1;
        counted.problem = None;
    }

    pub(crate) fn refused(&self, problem: String) {
        self.metrics.reloaded(ReloadResult::Refused);
        let mut counted = self.lock();
        counted.refused += 1;
        counted.problem = Some(problem);
    }

    pub(crate) fn so_far(&self) -> Counted {
        self.lock().clone()
    }

    fn lock(&self) -> MutexGuard<'_, Counted> {
        self.counted.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
