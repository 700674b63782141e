//! One connection: TLS if asked for, then HTTP/1.1 or HTTP/2 until the client or a stop ends it.

use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use http::uri::Scheme;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use hyper_util::server::graceful::Watcher;
use spinfo_names::values::RejectionReason;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;

use super::Shared;
use super::service::Service;
use crate::metrics::Metrics;

/// Fields of a request's head; one more is answered 431, as Spin does.
const MAX_HEADERS: usize = 100;
/// Streams that one HTTP/2 connection may have open.
const MAX_STREAMS: u32 = 200;

/// Serves connections of one worker thread.
pub(crate) struct Connections {
    http: auto::Builder<TokioExecutor>,
    tls: Option<TlsAcceptor>,
    service: Arc<Service>,
    header_timeout: Duration,
    metrics: Arc<Metrics>,
}

impl Connections {
    pub(crate) fn new(service: Arc<Service>, shared: &Shared) -> Self {
        let header_timeout = shared.limits.header_timeout;
        let mut http = auto::Builder::new(TokioExecutor::new());
        http.http1()
            .timer(TokioTimer::new())
            .header_read_timeout(header_timeout)
            .max_headers(MAX_HEADERS);
        http.http2()
            .timer(TokioTimer::new())
            .max_concurrent_streams(MAX_STREAMS)
            .keep_alive_interval(header_timeout)
            .keep_alive_timeout(header_timeout);
        Self {
            http,
            tls: shared.tls.clone(),
            service,
            header_timeout,
            metrics: shared.metrics.clone(),
        }
    }

    /// Serves one connection to its end. `watcher` ends it gracefully when the process stops.
    pub(crate) async fn serve(&self, stream: TcpStream, client: SocketAddr, watcher: Watcher) {
        let Some(tls) = &self.tls else {
            return self.serve_http(stream, client, Scheme::HTTP, watcher).await;
        };
        match timeout(self.header_timeout, tls.accept(stream)).await {
            Ok(Ok(stream)) => {
                self.serve_http(stream, client, Scheme::HTTPS, watcher)
                    .await
            }
            Ok(Err(error)) => tracing::debug!(%client, %error, "a TLS handshake failed"),
            Err(_) => {
                self.metrics.rejected(RejectionReason::HandshakeTimeout);
                tracing::debug!(%client, "a TLS handshake took longer than --header-timeout");
            }
        }
    }

    async fn serve_http(
        &self,
        stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
        client: SocketAddr,
        scheme: Scheme,
        watcher: Watcher,
    ) {
        let service = self.service.clone();
        let asked = Arc::<AtomicBool>::default();
        let connection = self.http.serve_connection(
            TokioIo::new(stream),
            service_fn(|request| {
                asked.store(true, Ordering::Relaxed);
                let service = service.clone();
                let scheme = scheme.clone();
                async move { service.serve(request, client, scheme).await }
            }),
        );
        let mut connection = pin!(watcher.watch(connection));
        // hyper's own timer begins once it knows the version of HTTP, which a client may take its time to say.
        let ended = match timeout(self.header_timeout, &mut connection).await {
            Ok(ended) => ended,
            Err(_) if asked.load(Ordering::Relaxed) => connection.await,
            Err(_) => {
                self.metrics.rejected(RejectionReason::HeaderTimeout);
                tracing::debug!(%client, "the head of the first request took longer than --header-timeout");
                return;
            }
        };
        if let Err(error) = ended {
            self.count(error.downcast_ref(), asked.load(Ordering::Relaxed));
            tracing::debug!(%client, error = &*error, "a connection ended early");
        }
    }

    /// Counts the limits that hyper keeps. A connection that has `asked` for something idles when it sends nothing more.
    fn count(&self, error: Option<&hyper::Error>, asked: bool) {
        let Some(error) = error else { return };
        if error.is_parse_too_large() {
            self.metrics.rejected(RejectionReason::HeaderTooLarge);
        } else if error.is_timeout() && !asked {
            self.metrics.rejected(RejectionReason::HeaderTimeout);
        }
    }
}
