//! WebAssembly: the engine, the linked components, their instances, and the way of a request into one of them. Only this
//! folder, `key_value` and `variables` know wasmtime's component model; nothing here knows of connections.

pub(crate) mod component;
pub(crate) mod dispatcher;
pub(crate) mod engine;
pub(crate) mod files;
mod guarded;
mod guest;
pub(crate) mod instances;
pub(crate) mod linker;
pub(crate) mod outbound;
pub(crate) mod request;
mod stdio;
pub(crate) mod tenure;
mod trial;
pub(crate) mod version;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

pub(crate) use self::guest::Guest;
use self::instances::InstanceSettings;
use self::outbound::OutboundClient;
pub(crate) use self::trial::try_components;
use crate::metrics::Metrics;
use crate::trace::Tracing;

/// What components run on: it stays when one version of the application replaces another.
#[derive(Clone)]
pub(crate) struct Runtime {
    pub(crate) instances: Arc<InstanceSettings>,
    /// For each worker thread its connections to other servers.
    pub(crate) outbound: Vec<OutboundClient>,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) tracing: Tracing,
    pub(crate) passing: Passing,
}

/// Counts what holds instances beside the current version, but not for long: the trial of a new one, and old ones that drain.
#[derive(Debug, Clone, Default)]
pub(crate) struct Passing(Arc<AtomicUsize>);

impl Passing {
    /// One more, until the value is dropped.
    pub(crate) fn enter(&self) -> Passage {
        self.0.fetch_add(1, Ordering::Relaxed);
        Passage(self.clone())
    }

    pub(crate) fn count(&self) -> usize {
        self.0.load(Ordering::Relaxed)
    }
}

/// One thing that passes.
#[derive(Debug)]
pub(crate) struct Passage(Passing);

impl Drop for Passage {
    fn drop(&mut self) {
        self.0.0.fetch_sub(1, Ordering::Relaxed);
    }
}
