//! From a bound listener to the last byte of the last response.
//!
//! - [`acceptor`] and [`worker`]: one thread accepts, each core serves
//! - [`connection`]: HTTP/1.1 and HTTP/2, plain or by TLS
//! - [`service`]: the way of a request, with [`admission`], [`body`] and [`server_request`] as its stations
//! - [`problem`] and [`well_known`]: what the host answers itself

mod acceptor;
mod admission;
mod body;
mod connection;
pub(crate) mod problem;
mod server_request;
mod service;
mod well_known;
mod worker;

use std::sync::Arc;

use anyhow::Context as _;
use spinfo_telemetry::names::KnownMethods;
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

use self::worker::Worker;
use crate::lifecycle::Lifecycle;
use crate::limits::Limits;
use crate::metrics::Metrics;
use crate::runtime::version::Versions;

/// What all parts of the server know.
#[derive(Clone)]
pub(crate) struct Shared {
    pub(crate) versions: Arc<Versions>,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) lifecycle: Lifecycle,
    pub(crate) known_methods: KnownMethods,
    pub(crate) limits: Arc<Limits>,
    pub(crate) tls: Option<TlsAcceptor>,
}

/// Starts the workers, before anything listens.
pub(crate) fn start_workers(shared: &Shared) -> anyhow::Result<Vec<Worker>> {
    (0..shared.limits.workers())
        .map(|index| Worker::start(index, shared.clone()))
        .collect()
}

/// Serves until `shutdown` completes and everything under way has finished or run out of time.
///
/// # Errors
/// When a worker thread has panicked.
pub(crate) async fn run(
    listener: TcpListener,
    workers: Vec<Worker>,
    shared: Shared,
    shutdown: impl Future<Output = ()>,
) -> anyhow::Result<()> {
    let stop = async {
        shutdown.await;
        shared.lifecycle.leave();
        tokio::time::sleep(shared.limits.grace).await;
    };
    acceptor::accept(&listener, &workers, &shared, stop).await;
    // A stop does not wait for instances that have nothing to do.
    shared.versions.current().retire();
    drop(listener);
    // All are told to stop before the first is waited for.
    let threads: Vec<_> = workers.into_iter().map(Worker::stop).collect();
    let joined = tokio::task::spawn_blocking(move || {
        threads.into_iter().all(|thread| thread.join().is_ok())
    });
    anyhow::ensure!(
        joined.await.context("cannot wait for the workers")?,
        "a worker thread panicked"
    );
    Ok(())
}
