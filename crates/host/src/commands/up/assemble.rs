//! From flags and configuration to what the server needs.

use std::num::NonZero;
use std::sync::Arc;

use spinfo_telemetry::Telemetry;

use crate::app::{App, Configuration};
use crate::cli::Up;
use crate::lifecycle::{Lifecycle, StopSettings};
use crate::metrics::Metrics;
use crate::runtime::Runtime;
use crate::runtime::instances::InstanceSettings;
use crate::runtime::outbound::OutboundSettings;
use crate::server::{ConnectionSettings, Limits, Shared};
use crate::tls;
use crate::trace::Tracing;

/// Puts together what all parts of the server know.
///
/// # Errors
/// When a certificate can't be used.
pub(super) fn shared(
    up: &Up,
    configuration: &Configuration,
    app: Arc<App>,
    telemetry: &Telemetry,
) -> anyhow::Result<Shared> {
    let limits = &up.limits;
    let workers = limits
        .workers
        .unwrap_or_else(|| std::thread::available_parallelism().map_or(1, NonZero::get));
    let tls = match (&up.tls_cert, &up.tls_key) {
        (Some(certificate), Some(key)) => Some(tls::acceptor(certificate, key)?),
        _ => None,
    };
    Ok(Shared {
        runtime: runtime(up, configuration, app, telemetry, workers)?,
        known_methods: telemetry.known_methods().clone(),
        limits: Arc::new(Limits {
            workers,
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
    })
}

fn runtime(
    up: &Up,
    configuration: &Configuration,
    app: Arc<App>,
    telemetry: &Telemetry,
    workers: usize,
) -> anyhow::Result<Runtime> {
    let limits = &up.limits;
    let outbound = &configuration.runtime.outbound_http;
    let max_outbound = outbound
        .max_connections
        .map_or(limits.max_outbound, |max| max.min(limits.max_outbound));
    Ok(Runtime {
        metrics: Arc::new(Metrics::new(telemetry, app.components.keys().cloned())),
        app,
        instances: Arc::new(InstanceSettings {
            max_reuse: limits.max_instance_reuse_count,
            max_concurrent_reuse: limits.max_instance_concurrent_reuse_count,
            idle_timeout: limits.idle_instance_timeout,
            request_timeout: limits.request_timeout,
            max_memory: max_memory(up, configuration),
        }),
        outbound: OutboundSettings {
            max_concurrent: max_outbound.div_ceil(workers),
            pooling: outbound.connection_pooling,
        },
        outbound_tls: tls::client()?,
        lifecycle: Lifecycle::default(),
        tracing: Tracing::new(
            telemetry.is_tracing_enabled().then(|| telemetry.tracer()),
            telemetry.propagator(),
        ),
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
