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

use std::sync::Arc;

pub(crate) use self::guest::Guest;
use self::instances::InstanceSettings;
use self::outbound::OutboundSettings;
use crate::app::App;
use crate::lifecycle::Lifecycle;
use crate::metrics::Metrics;
use crate::trace::Tracing;

/// What the components of every worker thread share.
#[derive(Clone)]
pub(crate) struct Runtime {
    pub(crate) app: Arc<App>,
    pub(crate) instances: Arc<InstanceSettings>,
    pub(crate) outbound: OutboundSettings,
    pub(crate) outbound_tls: rustls::ClientConfig,
    pub(crate) lifecycle: Lifecycle,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) tracing: Tracing,
}
