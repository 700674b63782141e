//! Accepts connections and gives each to the worker that has the fewest.

use std::sync::Arc;
use std::time::Duration;

use futures::FutureExt as _;
use spinfo_names::values::RejectionReason;
use tokio::net::TcpListener;
use tokio::sync::Semaphore;

use super::Shared;
use super::worker::{Accepted, Worker};

/// Pauses after accept() failed, doubling from the first to the last: out of file descriptors, for example, passes.
const BACK_OFF: (Duration, Duration) = (Duration::from_millis(5), Duration::from_secs(1));

/// Accepts until `stop` completes. No error of accept() ends it.
pub(crate) async fn accept(
    listener: &TcpListener,
    workers: &[Worker],
    shared: &Shared,
    stop: impl Future<Output = ()>,
) {
    let permits = Arc::new(Semaphore::new(shared.limits.max_connections));
    let permit = async || match permits.clone().try_acquire_owned() {
        Ok(permit) => Ok(permit),
        Err(_) => {
            // This connection waits here, and those behind it in the kernel's queue.
            shared.metrics.rejected(RejectionReason::Connections);
            permits.clone().acquire_owned().await
        }
    };
    let accepting = async {
        let mut pause = BACK_OFF.0;
        loop {
            match accept_one(listener).await {
                Ok((stream, client)) => {
                    pause = BACK_OFF.0;
                    let Ok(permit) = permit().await else {
                        return;
                    };
                    give(
                        workers,
                        Accepted {
                            stream,
                            client,
                            permit,
                        },
                    );
                }
                Err(error) => {
                    tracing::warn!(%error, pause = ?pause, "a connection could not be accepted");
                    tokio::time::sleep(pause).await;
                    pause = (pause * 2).min(BACK_OFF.1);
                }
            }
        }
    };
    tokio::select! {
        () = stop => {}
        () = accepting => {}
    }
    // What has reached the kernel's queue was promised service: closing the listener would reset it.
    while let Some(Ok((stream, client))) = accept_one(listener).now_or_never() {
        let Ok(permit) = permits.clone().try_acquire_owned() else {
            return;
        };
        give(
            workers,
            Accepted {
                stream,
                client,
                permit,
            },
        );
    }
}

fn give(workers: &[Worker], connection: Accepted) {
    if let Some(worker) = workers
        .iter()
        .min_by_key(|worker| worker.open_connections())
    {
        worker.take(connection);
    }
}

async fn accept_one(
    listener: &TcpListener,
) -> std::io::Result<(std::net::TcpStream, std::net::SocketAddr)> {
    let (stream, client) = listener.accept().await?;
    // A small response leaves at once instead of waiting for more to send (Nagle's algorithm). On a connection that is
    // gone already the option can't be set; its worker finds out.
    let _ = stream.set_nodelay(true);
    Ok((stream.into_std()?, client))
}
