//! What the receiver's server and the test share.

use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use http::StatusCode;

use crate::received::Received;

/// An answer that is no plain success.
#[derive(Debug, Clone, Copy)]
pub enum Answer {
    /// This status of HTTP, with a `Retry-After` if there is one. Nothing is taken. For OTLP over HTTP only.
    Status(StatusCode, Option<&'static str>),
    /// This status of gRPC. Nothing is taken. For OTLP over gRPC only.
    Grpc(tonic::Code),
    /// The batch is taken, and as many spans are said to be rejected (OTLP, "Partial Success").
    RejectSpans(i64),
}

/// All that a receiver knows.
#[derive(Default)]
pub(crate) struct State {
    pub(crate) received: Received,
    /// Answers to give before the usual one, the first first.
    pub(crate) answers: VecDeque<Answer>,
    /// What should not have arrived.
    pub(crate) faults: Vec<String>,
}

impl State {
    /// What has arrived, if all of it is sound.
    pub(crate) fn sound(&self) -> &Received {
        assert!(
            self.faults.is_empty(),
            "the receiver complains: {:?}",
            self.faults
        );
        &self.received
    }
}

/// A handle to the state, which wakes those who wait for a change.
#[derive(Clone, Default)]
pub(crate) struct Shared(Arc<(Mutex<State>, Condvar)>);

impl Shared {
    pub(crate) fn change<T>(&self, change: impl FnOnce(&mut State) -> T) -> T {
        let result = change(&mut self.lock());
        self.0.1.notify_all();
        result
    }

    /// A test that fails while it looks leaves the state whole, so what it broke is no trouble for the server.
    pub(crate) fn lock(&self) -> MutexGuard<'_, State> {
        self.0.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for a change, at most for `time`.
    pub(crate) fn wait<'a>(
        &self,
        state: MutexGuard<'a, State>,
        time: Duration,
    ) -> MutexGuard<'a, State> {
        let waited = self.0.1.wait_timeout(state, time);
        waited.unwrap_or_else(PoisonError::into_inner).0
    }
}
