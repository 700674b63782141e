//! An OTLP receiver for HTTP/protobuf and gRPC that remembers all it gets.

mod grpc;
mod http;
mod received;

use std::net::SocketAddr;
use std::sync::{Arc, Condvar, Mutex};
use std::time::Instant;

use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use tokio::net::TcpListener;
use tokio::task::{AbortHandle, JoinSet};

pub use received::{Received, attribute, attributes, hex, text};

use crate::client::RUNTIME;
use crate::deadline::PATIENCE;

/// A receiver on a port of its own. Dropping it closes the port and all connections.
pub struct Receiver {
    address: SocketAddr,
    shared: Shared,
    server: AbortHandle,
}

#[derive(Clone, Default)]
struct Shared(Arc<(Mutex<Received>, Condvar)>);

impl Shared {
    fn add(&self, add: impl FnOnce(&mut Received)) {
        add(&mut self.0.0.lock().expect("no thread panics with the lock"));
        self.0.1.notify_all();
    }
}

impl Receiver {
    pub fn start() -> Self {
        let listener = RUNTIME
            .block_on(TcpListener::bind("127.0.0.1:0"))
            .expect("a free port");
        let address = listener
            .local_addr()
            .expect("a bound listener has an address");
        let shared = Shared::default();
        let server = RUNTIME
            .spawn(serve(listener, shared.clone()))
            .abort_handle();
        Self {
            address,
            shared,
            server,
        }
    }

    /// The base URL, for all of OTLP's transports.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Waits until `look` finds something in what has arrived so far.
    ///
    /// # Panics
    /// When it does not within [`PATIENCE`].
    pub fn wait_for<T>(&self, what: &str, look: impl Fn(&Received) -> Option<T>) -> T {
        let end = Instant::now() + PATIENCE;
        let mut received = self
            .shared
            .0
            .0
            .lock()
            .expect("no thread panics with the lock");
        loop {
            if let Some(found) = look(&received) {
                return found;
            }
            let left = end.saturating_duration_since(Instant::now());
            assert!(
                !left.is_zero(),
                "still waiting for {what}; there are {received:#?}"
            );
            received = self
                .shared
                .0
                .1
                .wait_timeout(received, left)
                .expect("no thread panics with the lock")
                .0;
        }
    }

    /// Looks at what has arrived so far.
    pub fn look<T>(&self, look: impl FnOnce(&Received) -> T) -> T {
        look(
            &self
                .shared
                .0
                .0
                .lock()
                .expect("no thread panics with the lock"),
        )
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.server.abort();
    }
}

async fn serve(listener: TcpListener, shared: Shared) {
    let mut connections = JoinSet::new();
    while let Ok((stream, _)) = listener.accept().await {
        let shared = shared.clone();
        connections.spawn(async move {
            let service = service_fn(move |request: ::http::Request<hyper::body::Incoming>| {
                let shared = shared.clone();
                async move {
                    let kind = request.headers().get("content-type");
                    let grpc =
                        kind.is_some_and(|kind| kind.as_bytes().starts_with(b"application/grpc"));
                    Ok::<_, std::convert::Infallible>(match grpc {
                        true => grpc::answer(request, shared).await,
                        false => http::answer(request, shared).await,
                    })
                }
            });
            // The end of a connection is the client's business.
            let _ = auto::Builder::new(TokioExecutor::new())
                .serve_connection(TokioIo::new(stream), service)
                .await;
        });
    }
}
