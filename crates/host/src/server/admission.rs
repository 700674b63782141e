//! How many requests one worker thread works on at a time, and how many may wait for it.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::metrics::Metrics;

/// A place among the requests under way.
pub(crate) type Slot = OwnedSemaphorePermit;

/// A bounded number of places with a bounded queue before them.
pub(crate) struct Admission {
    slots: Arc<Semaphore>,
    waiting: AtomicUsize,
    max_waiting: usize,
    max_wait: Duration,
    metrics: Arc<Metrics>,
}

impl Admission {
    pub(crate) fn new(
        slots: usize,
        max_waiting: usize,
        max_wait: Duration,
        metrics: Arc<Metrics>,
    ) -> Self {
        Self {
            slots: Arc::new(Semaphore::new(slots)),
            waiting: AtomicUsize::new(0),
            max_waiting,
            max_wait,
            metrics,
        }
    }

    /// Waits for a place. `None` when the queue is full or a place did not come free in time.
    pub(crate) async fn enter(&self) -> Option<Slot> {
        if let Ok(slot) = self.slots.clone().try_acquire_owned() {
            return Some(slot);
        }
        if self.waiting.load(Ordering::Relaxed) >= self.max_waiting {
            self.metrics.rejected("queue_full");
            return None;
        }
        let _place = Place::take(self);
        match tokio::time::timeout(self.max_wait, self.slots.clone().acquire_owned()).await {
            Ok(Ok(slot)) => Some(slot),
            _ => {
                self.metrics.rejected("queue_timeout");
                None
            }
        }
    }
}

/// A place in the queue, given back also when the client stops waiting.
struct Place<'a>(&'a Admission);

impl<'a> Place<'a> {
    fn take(admission: &'a Admission) -> Self {
        admission.waiting.fetch_add(1, Ordering::Relaxed);
        admission.metrics.queue_depth.add(1, &[]);
        Self(admission)
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.0.waiting.fetch_sub(1, Ordering::Relaxed);
        self.0.metrics.queue_depth.add(-1, &[]);
    }
}
