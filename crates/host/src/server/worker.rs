//! A worker: one thread with a runtime of its own, its own instances and its own connections.
//!
//! Nothing that a request touches is shared between workers but the compiled code and the instance pool, so no lock
//! is contended and no task moves between cores.

use std::net::{SocketAddr, TcpStream as StdStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use anyhow::Context as _;
use hyper_util::server::graceful::GracefulShutdown;
use tokio::net::TcpStream;
use tokio::sync::{OwnedSemaphorePermit, mpsc};

use super::Shared;
use super::admission::Admission;
use super::connection::Connections;
use super::service::Service;
use crate::metrics::Metrics;

/// Between the last connection that is accepted and the end of idle ones: its first request is on the way, and its client
/// could not know whether it was lost.
const SETTLE: Duration = Duration::from_millis(100);

/// A client's connection on its way to a worker.
pub(crate) struct Accepted {
    pub(crate) stream: StdStream,
    pub(crate) client: SocketAddr,
    pub(crate) permit: OwnedSemaphorePermit,
}

/// A running worker, from the acceptor's point of view.
pub(crate) struct Worker {
    connections: mpsc::UnboundedSender<Accepted>,
    open: Arc<AtomicUsize>,
    thread: JoinHandle<()>,
}

impl Worker {
    /// Starts a worker thread.
    ///
    /// # Errors
    /// When the thread or its runtime can't be made.
    pub(crate) fn start(index: usize, shared: Shared) -> anyhow::Result<Self> {
        let (connections, queue) = mpsc::unbounded_channel();
        let open = Arc::new(AtomicUsize::new(0));
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .context("cannot start a worker's runtime")?;
        let thread = std::thread::Builder::new()
            .name(format!("worker-{index}"))
            .spawn({
                let open = open.clone();
                move || runtime.block_on(serve(index, &shared, queue, &open))
            })
            .context("cannot start a worker thread")?;
        Ok(Self {
            connections,
            open,
            thread,
        })
    }

    /// Connections that the worker has, for choosing the least busy one.
    pub(crate) fn open_connections(&self) -> usize {
        self.open.load(Ordering::Relaxed)
    }

    pub(crate) fn take(&self, connection: Accepted) {
        self.open.fetch_add(1, Ordering::Relaxed);
        // A worker ends only after its acceptor has.
        let _ = self.connections.send(connection);
    }

    /// Ends the queue, so that the worker drains; its thread ends when that is done.
    pub(crate) fn stop(self) -> JoinHandle<()> {
        self.thread
    }
}

async fn serve(
    index: usize,
    shared: &Shared,
    mut queue: mpsc::UnboundedReceiver<Accepted>,
    open: &Arc<AtomicUsize>,
) {
    let limits = &shared.limits;
    let service = Arc::new(Service {
        admission: Admission::new(limits, shared.metrics.clone()),
        versions: shared.versions.clone(),
        worker: index,
        metrics: shared.metrics.clone(),
        known_methods: shared.known_methods.clone(),
        limits: limits.clone(),
    });
    let connections = Arc::new(Connections::new(service, shared));
    let graceful = GracefulShutdown::new();
    while let Some(Accepted {
        stream,
        client,
        permit,
    }) = queue.recv().await
    {
        let counted = Counted::new(shared.metrics.clone(), open.clone());
        let stream = match TcpStream::from_std(stream) {
            Ok(stream) => stream,
            Err(error) => {
                tracing::warn!(%client, %error, "a connection could not be taken over");
                continue;
            }
        };
        let connections = connections.clone();
        let watcher = graceful.watcher();
        tokio::spawn(async move {
            connections.serve(stream, client, watcher).await;
            drop(counted);
            drop(permit);
        });
    }
    tokio::time::sleep(SETTLE.min(limits.drain_timeout)).await;
    if tokio::time::timeout(limits.drain_timeout, graceful.shutdown())
        .await
        .is_err()
    {
        tracing::warn!(timeout = ?limits.drain_timeout, "requests were still under way when the time to drain was over");
    }
    // What is left of the guests' telemetry is lost, as the host's is.
    let _ = tokio::time::timeout(limits.flush_timeout, wait_for_guests(&shared.metrics)).await;
}

/// Guests send their telemetry after the response: instances end by themselves once that is done.
async fn wait_for_guests(metrics: &Metrics) {
    const POLL: Duration = Duration::from_millis(10);
    while metrics.live_instances() > 0 {
        tokio::time::sleep(POLL).await;
    }
}

/// An open connection, counted until it closes.
struct Counted {
    metrics: Arc<Metrics>,
    open: Arc<AtomicUsize>,
}

impl Counted {
    fn new(metrics: Arc<Metrics>, open: Arc<AtomicUsize>) -> Self {
        metrics.connection_opened();
        Self { metrics, open }
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.open.fetch_sub(1, Ordering::Relaxed);
        self.metrics.connection_closed();
    }
}
