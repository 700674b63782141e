//! From flags and configuration to what the server needs.

use std::num::NonZero;
use std::sync::Arc;

use spinfo_telemetry::Telemetry;
use tokio_rustls::TlsAcceptor;

use crate::app::Configuration;
use crate::cli::Up;
use crate::lifecycle::{Lifecycle, StopSettings};
use crate::metrics::Metrics;
use crate::runtime::instances::InstanceSettings;
use crate::runtime::outbound::{OutboundClient, OutboundSettings};
use crate::runtime::version::Versions;
use crate::runtime::{Passing, Runtime};
use crate::server::{ConnectionSettings, Limits, Shared};
use crate::tls;
use crate::trace::Tracing;

/// Puts together what all parts of the server know.
pub(super) fn shared(
    up: &Up,
    runtime: &Runtime,
    versions: Arc<Versions>,
    telemetry: &Telemetry,
    tls: Option<TlsAcceptor>,
) -> Shared {
    let limits = &up.limits;
    Shared {
        versions,
        metrics: runtime.metrics.clone(),
        lifecycle: Lifecycle::default(),
        known_methods: telemetry.known_methods().clone(),
        limits: Arc::new(Limits {
            workers: runtime.outbound.len(),
            max_connections: limits.max_connections,
            max_in_flight: limits.max_in_flight,
            max_queue: limits.max_queue,
            max_queue_wait: limits.max_queue_wait,
            max_body: limits.max_body,
        }),
        connection: ConnectionSettings {
            header_timeout: limits.header_timeout,
            handshake_timeout: limits.header_timeout,
        },
        stop: StopSettings {
            grace: up.stop.grace,
            drain_timeout: up.stop.drain_timeout,
            flush_timeout: up.stop.flush_timeout,
        },
        tls,
    }
}

/// Puts together what components run on.
///
/// # Errors
/// When TLS for outbound requests can't be set up.
pub(super) fn runtime(
    up: &Up,
    configuration: &Configuration,
    telemetry: &Telemetry,
) -> anyhow::Result<Runtime> {
    let limits = &up.limits;
    let workers = limits
        .workers
        .unwrap_or_else(|| std::thread::available_parallelism().map_or(1, NonZero::get));
    let outbound = &configuration.runtime.outbound_http;
    let max_outbound = outbound
        .max_connections
        .map_or(limits.max_outbound, |max| max.min(limits.max_outbound));
    let outbound = OutboundSettings {
        max_concurrent: max_outbound.div_ceil(workers),
        pooling: outbound.connection_pooling,
    };
    let metrics = Arc::new(Metrics::new(telemetry));
    let tls = tls::client()?;
    Ok(Runtime {
        instances: Arc::new(InstanceSettings {
            max_reuse: limits.max_instance_reuse_count,
            max_concurrent_reuse: limits.max_instance_concurrent_reuse_count,
            idle_timeout: limits.idle_instance_timeout,
            request_timeout: limits.request_timeout,
            max_memory: max_memory(up, configuration),
            max_wait: limits.max_queue_wait,
        }),
        outbound: (0..workers)
            .map(|_| OutboundClient::new(tls.clone(), &outbound, metrics.clone()))
            .collect(),
        metrics,
        tracing: Tracing::new(
            telemetry.is_tracing_enabled().then(|| telemetry.tracer()),
            telemetry.propagator(),
        ),
        passing: Passing::default(),
    })
}

/// Bytes of memory for one instance: the runtime configuration knows the machine, so it may only lower the flag's value.
pub(super) fn max_memory(up: &Up, configuration: &Configuration) -> usize {
    let flag = usize::try_from(up.limits.max_memory).unwrap_or(usize::MAX);
    configuration
        .runtime
        .max_instance_memory
        .map_or(flag, |configured| configured.min(flag))
}
