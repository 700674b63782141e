//! How many requests one worker thread works on at a time, and how many may wait for it.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use spinfo_names::values::RejectionReason;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::limits::Limits;
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
    pub(crate) fn new(limits: &Limits, metrics: Arc<Metrics>) -> Self {
        Self {
            slots: Arc::new(Semaphore::new(limits.per_worker(limits.max_in_flight))),
            waiting: AtomicUsize::new(0),
            max_waiting: limits.per_worker(limits.max_queue),
            max_wait: limits.max_queue_wait,
            metrics,
        }
    }

    /// Waits for a place.
    ///
    /// # Errors
    /// When the queue is full, or when no place came free in time.
    pub(crate) async fn enter(&self) -> Result<Slot, RejectionReason> {
        if let Ok(slot) = self.slots.clone().try_acquire_owned() {
            return Ok(slot);
        }
        if self.waiting.load(Ordering::Relaxed) >= self.max_waiting {
            return Err(RejectionReason::QueueFull);
        }
        let _place = Place::take(self);
        match tokio::time::timeout(self.max_wait, self.slots.clone().acquire_owned()).await {
            Ok(Ok(slot)) => Ok(slot),
            _ => Err(RejectionReason::QueueTimeout),
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

#[cfg(test)]
mod tests {
    use spinfo_telemetry::{ServiceDefaults, Settings, Telemetry};

    use super::*;

    fn admission() -> Admission {
        let settings = Settings::from_env(&|_| None, ServiceDefaults::default()).unwrap();
        let telemetry = Telemetry::start(&settings).unwrap();
        let limits = Limits::of(&["--workers=1", "--max-in-flight=1", "--max-queue=1"]);
        Admission::new(&limits, Arc::new(Metrics::new(&telemetry)))
    }

    #[tokio::test(start_paused = true)]
    async fn a_full_queue_refuses_at_once_and_a_long_wait_ends() {
        let admission = admission();
        let held = admission.enter().await.unwrap();
        let started = tokio::time::Instant::now();
        let (waited, refused) = tokio::join!(admission.enter(), admission.enter());
        assert_eq!(waited.err(), Some(RejectionReason::QueueTimeout));
        assert_eq!(refused.err(), Some(RejectionReason::QueueFull));
        assert_eq!(started.elapsed(), Duration::from_secs(5));
        drop(held);
        assert!(admission.enter().await.is_ok());
    }

    #[tokio::test(start_paused = true)]
    async fn a_client_that_gives_up_leaves_the_queue() {
        let admission = admission();
        let held = admission.enter().await.unwrap();
        assert!(
            tokio::time::timeout(Duration::from_secs(1), admission.enter())
                .await
                .is_err()
        );
        assert_eq!(admission.waiting.load(Ordering::Relaxed), 0);
        let (served, ()) = tokio::join!(admission.enter(), async { drop(held) });
        assert!(served.is_ok());
    }
}
