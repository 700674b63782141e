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
use std::sync::atomic::AtomicUsize;

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
    /// Replaced versions that still finish something, and so hold instances that will soon be free.
    pub(crate) draining: Arc<AtomicUsize>,
}
