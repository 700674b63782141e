//! `/metrics` and `/healthz` of the monitor itself.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use bytes::Bytes;
use http::header::{ALLOW, CONTENT_TYPE};
use http::{HeaderValue, Method, Request, Response, StatusCode};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use spinfo_telemetry::{MetricsPage, OPEN_METRICS_CONTENT_TYPE};
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio::time::Instant;

use crate::health::Health;

/// A client that says nothing for so long is cut off.
const HEADER_TIMEOUT: Duration = Duration::from_secs(10);
/// After an error of accept, such as too many open files, which goes on for a while.
const BREAK: Duration = Duration::from_millis(100);
const TEXT: &str = "text/plain; charset=utf-8";

/// What is served.
pub(crate) struct Server {
    pub(crate) metrics: MetricsPage,
    pub(crate) health: Arc<Health>,
}

/// Takes the address, and says on the log which one it is.
///
/// # Errors
/// When the address cannot be had.
pub(crate) async fn bind(address: SocketAddr) -> anyhow::Result<TcpListener> {
    let listener = TcpListener::bind(address).await;
    let listener = listener.with_context(|| format!("--listen: cannot listen on {address}"))?;
    let address = listener
        .local_addr()
        .context("cannot tell the address that was bound")?;
    tracing::info!(%address, "serving /metrics and /healthz");
    Ok(listener)
}

impl Server {
    /// Serves until the future is dropped.
    pub(crate) async fn serve(self, listener: TcpListener) {
        let server = Arc::new(self);
        let mut connections = JoinSet::new();
        loop {
            while connections.try_join_next().is_some() {}
            let stream = match listener.accept().await {
                Ok((stream, _)) => stream,
                Err(error) => {
                    tracing::warn!(%error, "a connection to --listen could not be accepted");
                    tokio::time::sleep(BREAK).await;
                    continue;
                }
            };
            let server = server.clone();
            connections.spawn(async move {
                let answer = service_fn(|request| {
                    let response = server.answer(&request);
                    async { Ok::<_, Infallible>(response.map(Full::new)) }
                });
                let served = http1::Builder::new()
                    .timer(TokioTimer::new())
                    .header_read_timeout(HEADER_TIMEOUT)
                    .serve_connection(TokioIo::new(stream), answer)
                    .await;
                if let Err(error) = served {
                    tracing::debug!(%error, "a connection to --listen ended early");
                }
            });
        }
    }

    fn answer(&self, request: &Request<Incoming>) -> Response<Bytes> {
        if !matches!(*request.method(), Method::GET | Method::HEAD) {
            let mut response = response(
                StatusCode::METHOD_NOT_ALLOWED,
                TEXT,
                "only GET and HEAD are answered here\n",
            );
            response
                .headers_mut()
                .insert(ALLOW, HeaderValue::from_static("GET, HEAD"));
            return response;
        }
        match request.uri().path() {
            "/healthz" => match self.health.trouble(Instant::now()) {
                None => response(StatusCode::OK, TEXT, "ok\n"),
                Some(reason) => {
                    response(StatusCode::SERVICE_UNAVAILABLE, TEXT, format!("{reason}\n"))
                }
            },
            "/metrics" => response(
                StatusCode::OK,
                OPEN_METRICS_CONTENT_TYPE,
                self.metrics.open_metrics(),
            ),
            "/" => response(StatusCode::OK, TEXT, "/healthz\n/metrics\n"),
            _ => response(
                StatusCode::NOT_FOUND,
                TEXT,
                "there are /metrics and /healthz\n",
            ),
        }
    }
}

fn response(
    status: StatusCode,
    content_type: &'static str,
    body: impl Into<Bytes>,
) -> Response<Bytes> {
    let mut response = Response::new(body.into());
    *response.status_mut() = status;
    response
        .headers_mut()
        .insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    response
}
