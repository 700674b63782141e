//! The bounded queue between the threads that make telemetry and the one that sends it.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::{Notify, watch};
use tokio::time::{Instant, sleep_until};

use crate::settings::Batch;

/// Items on their way out. Adding never waits for the sender: a full queue loses the item and counts it.
pub(crate) struct Queue<T> {
    waiting: Mutex<Waiting<T>>,
    batch: Batch,
    /// Told when a whole batch has come together.
    full_batch: Notify,
    /// Items lost, and why.
    losses: Losses,
}

struct Waiting<T> {
    items: VecDeque<T>,
    closed: bool,
}

/// Counts of what never reached a receiver.
#[derive(Debug, Default)]
pub(crate) struct Losses {
    /// The queue had no room.
    pub(crate) queue_full: AtomicU64,
    /// The receiver could not be reached, or refused the batch.
    pub(crate) export_failed: AtomicU64,
    /// The receiver took the batch without these.
    pub(crate) rejected: AtomicU64,
}

impl<T> Queue<T> {
    pub(crate) fn new(batch: Batch) -> Self {
        Self {
            waiting: Mutex::new(Waiting {
                items: VecDeque::new(),
                closed: false,
            }),
            batch,
            full_batch: Notify::new(),
            losses: Losses::default(),
        }
    }

    pub(super) fn batch(&self) -> Batch {
        self.batch
    }

    pub(crate) fn losses(&self) -> &Losses {
        &self.losses
    }

    pub(super) fn push(&self, item: T) {
        let mut waiting = self.lock();
        if waiting.closed {
            return;
        }
        if waiting.items.len() >= self.batch.max_queue_size {
            drop(waiting);
            self.losses.queue_full.fetch_add(1, Ordering::Relaxed);
            return;
        }
        waiting.items.push_back(item);
        let full = waiting.items.len() == self.batch.max_export_batch_size;
        drop(waiting);
        if full {
            self.full_batch.notify_one();
        }
    }

    /// Takes no more items; those inside still go out.
    pub(super) fn close(&self) {
        self.lock().closed = true;
    }

    /// The next batch: once it is whole, once the delay is over and something waits, or at once when stopping. `None` ends the work:
    /// stopping, and nothing is left.
    pub(super) async fn next(&self, stop: &mut watch::Receiver<bool>) -> Option<Vec<T>> {
        let mut due = Instant::now() + self.batch.schedule_delay;
        loop {
            let stopping = *stop.borrow() || stop.has_changed().is_err();
            let late = Instant::now() >= due;
            let batch = self.take(if late || stopping {
                1
            } else {
                self.batch.max_export_batch_size
            });
            if !batch.is_empty() {
                return Some(batch);
            }
            if stopping {
                return None;
            }
            if late {
                due = Instant::now() + self.batch.schedule_delay;
            }
            tokio::select! {
                () = self.full_batch.notified() => {}
                () = sleep_until(due) => {}
                _ = stop.wait_for(|stop| *stop) => {}
            }
        }
    }

    /// Up to one batch, if there are at least `least` items.
    fn take(&self, least: usize) -> Vec<T> {
        let mut waiting = self.lock();
        if waiting.items.len() < least {
            return Vec::new();
        }
        let count = waiting.items.len().min(self.batch.max_export_batch_size);
        waiting.items.drain(..count).collect()
    }

    fn lock(&self) -> MutexGuard<'_, Waiting<T>> {
        // Nothing in here panics half-way through a change.
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T> std::fmt::Debug for Queue<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Queue")
            .field("batch", &self.batch)
            .field("losses", &self.losses)
            .finish_non_exhaustive()
    }
}
