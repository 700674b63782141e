//! WebAssembly: the engine, the linked components, their instances, and the way of a request into one of them. Only this
//! folder, `key_value` and `variables` know wasmtime's component model; nothing here knows of connections.

pub(crate) mod app;
pub(crate) mod component;
pub(crate) mod dispatcher;
pub(crate) mod engine;
pub(crate) mod files;
mod guest;
pub(crate) mod instances;
mod lifecycle;
pub(crate) mod linker;
pub(crate) mod network;
mod outbound;
pub(crate) mod request;
mod smoke;
mod stdio;
mod traced_body;
pub(crate) mod version;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

pub(crate) use self::guest::Guest;
use self::network::Network;
pub(crate) use self::smoke::smoke_test;
use crate::limits::Limits;
use crate::metrics::Metrics;
use crate::trace::Tracing;

/// What components run on: it stays when one version of the application replaces another.
#[derive(Clone)]
pub(crate) struct Runtime {
    pub(crate) limits: Arc<Limits>,
    /// For each worker thread its connections to other servers.
    pub(crate) networks: Vec<Network>,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) tracing: Tracing,
    pub(crate) transient: Transient,
}

/// Counts what holds instances beside the current version, but not for long: a new one that is tried out, and old ones that drain.
#[derive(Debug, Clone, Default)]
pub(crate) struct Transient(Arc<AtomicUsize>);

impl Transient {
    /// One more, until the value is dropped.
    pub(crate) fn enter(&self) -> TransientGuard {
        self.0.fetch_add(1, Ordering::Relaxed);
        TransientGuard(self.clone())
    }

    pub(crate) fn count(&self) -> usize {
        self.0.load(Ordering::Relaxed)
    }
}

/// One such holder.
#[derive(Debug)]
pub(crate) struct TransientGuard(Transient);

impl Drop for TransientGuard {
    fn drop(&mut self) {
        self.0.0.fetch_sub(1, Ordering::Relaxed);
    }
}
