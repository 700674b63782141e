//! Tells the instances of a version on one worker thread whether it is still served.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

use tokio::sync::Notify;
use tokio::sync::futures::OwnedNotified;

/// What a version is to its worker thread. It only moves on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub(crate) enum Stage {
    /// New requests come here.
    Current,
    /// None do: instances without work are dropped.
    Retired,
    /// The time to finish is over as well: all instances are dropped.
    Over,
}

/// The stage of one version on one worker thread. Each thread has its own, so that nobody waits for another's lock.
#[derive(Debug, Default)]
pub(crate) struct VersionLifecycle {
    stage: AtomicU8,
    changed: Arc<Notify>,
}

impl VersionLifecycle {
    /// Moves on, never back.
    pub(crate) fn enter(&self, stage: Stage) {
        self.stage.fetch_max(stage as u8, Ordering::Release);
        self.changed.notify_waiters();
    }

    pub(crate) fn stage(&self) -> Stage {
        match self.stage.load(Ordering::Acquire) {
            0 => Stage::Current,
            1 => Stage::Retired,
            _ => Stage::Over,
        }
    }

    /// Completes with the next change. Who looks at the stage after this call misses none.
    pub(crate) fn change(&self) -> OwnedNotified {
        self.changed.clone().notified_owned()
    }
}

#[cfg(test)]
mod tests {
    use futures::FutureExt as _;

    use super::*;

    #[test]
    fn a_stage_is_not_left_for_an_earlier_one() {
        let lifecycle = VersionLifecycle::default();
        let change = lifecycle.change();
        assert_eq!(lifecycle.stage(), Stage::Current);
        lifecycle.enter(Stage::Over);
        assert!(change.now_or_never().is_some());
        lifecycle.enter(Stage::Retired);
        assert_eq!(lifecycle.stage(), Stage::Over);
        assert!(lifecycle.change().now_or_never().is_none());
    }
}
