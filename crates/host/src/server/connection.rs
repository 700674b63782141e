//! One connection: TLS if asked for, then HTTP/1.1 or HTTP/2 until the client or a stop ends it.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use http::uri::Scheme;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use hyper_util::server::graceful::Watcher;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;

use super::service::Service;

/// Fields of a request's head; one more is answered 431, as Spin does.
const MAX_HEADERS: usize = 100;
/// Streams that one HTTP/2 connection may have open.
const MAX_STREAMS: u32 = 200;

/// Limits on one connection.
#[derive(Debug, Clone)]
pub(crate) struct ConnectionSettings {
    /// How long a client may take to send the head of a request, which is also how long a connection may idle.
    pub(crate) header_timeout: Duration,
    /// How long a TLS handshake may take.
    pub(crate) handshake_timeout: Duration,
}

/// Serves connections of one worker thread.
pub(crate) struct Connections {
    http: auto::Builder<TokioExecutor>,
    tls: Option<TlsAcceptor>,
    service: Arc<Service>,
    settings: ConnectionSettings,
}

impl Connections {
    pub(crate) fn new(
        service: Arc<Service>,
        tls: Option<TlsAcceptor>,
        settings: ConnectionSettings,
    ) -> Self {
        let mut http = auto::Builder::new(TokioExecutor::new());
        http.http1()
            .timer(TokioTimer::new())
            .header_read_timeout(settings.header_timeout)
            .max_headers(MAX_HEADERS);
        http.http2()
            .timer(TokioTimer::new())
            .max_concurrent_streams(MAX_STREAMS)
            .keep_alive_interval(settings.header_timeout)
            .keep_alive_timeout(settings.header_timeout);
        Self {
            http,
            tls,
            service,
            settings,
        }
    }

    /// Serves one connection to its end. `watcher` ends it gracefully when the process stops.
    pub(crate) async fn serve(&self, stream: TcpStream, client: SocketAddr, watcher: Watcher) {
        let Some(tls) = &self.tls else {
            return self.serve_http(stream, client, Scheme::HTTP, watcher).await;
        };
        match tokio::time::timeout(self.settings.handshake_timeout, tls.accept(stream)).await {
            Ok(Ok(stream)) => {
                self.serve_http(stream, client, Scheme::HTTPS, watcher)
                    .await
            }
            Ok(Err(error)) => tracing::debug!(%client, %error, "a TLS handshake failed"),
            Err(_) => tracing::debug!(%client, "a TLS handshake took too long"),
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
        let connection = self.http.serve_connection(
            TokioIo::new(stream),
            service_fn(move |request| {
                let service = service.clone();
                let scheme = scheme.clone();
                async move { service.serve(request, client, scheme).await }
            }),
        );
        if let Err(error) = watcher.watch(connection).await {
            tracing::debug!(%client, error = &*error, "a connection ended early");
        }
    }
}
