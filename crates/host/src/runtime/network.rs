//! One worker thread's connections to other servers, and the limits on what guests send over them.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response, header};
use http_body::{Body, Frame, SizeHint};
use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::{Client, Error as ClientError, connect::HttpConnector};
use hyper_util::rt::{TokioExecutor, TokioTimer};
use spinfo_names::values::RejectionReason;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Sleep, timeout};
use wasmtime_wasi_http::{Error, RequestOptions, WasiBody};

use crate::limits::Limits;
use crate::metrics::Metrics;

/// When a guest sets no limit of its own.
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(600);
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
const POOL_IDLE_TIMEOUT: Duration = Duration::from_secs(60);

/// One worker thread's connections to other servers.
#[derive(Clone)]
pub(crate) struct Network {
    http: Client<HttpsConnector<HttpConnector>, WasiBody>,
    /// Limits the requests under way at a time.
    slots: Arc<Semaphore>,
    /// How long a request waits for one of them.
    max_wait: Duration,
    metrics: Arc<Metrics>,
}

impl Network {
    /// With `pooling`, connections are kept for later requests.
    pub(crate) fn new(
        tls: rustls::ClientConfig,
        limits: &Limits,
        pooling: bool,
        metrics: Arc<Metrics>,
    ) -> Self {
        let mut tcp = HttpConnector::new();
        tcp.set_nodelay(true);
        tcp.set_connect_timeout(Some(CONNECT_TIMEOUT));
        tcp.enforce_http(false);
        let connector = HttpsConnectorBuilder::new()
            .with_tls_config(tls)
            .https_or_http()
            .enable_http1()
            .enable_http2()
            .wrap_connector(tcp);
        let http = Client::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(POOL_IDLE_TIMEOUT)
            .pool_max_idle_per_host(if pooling { usize::MAX } else { 0 })
            .build(connector);
        let slots = Semaphore::new(limits.per_worker(limits.max_outbound));
        if limits.max_outbound == 0 {
            // Nothing would ever come free: refuse instead of waiting.
            slots.close();
        }
        Self {
            http,
            slots: Arc::new(slots),
            max_wait: limits.max_queue_wait,
            metrics,
        }
    }

    /// Sends a request, as soon as there is room for one more.
    pub(super) async fn send(
        &self,
        mut request: Request<WasiBody>,
        options: RequestOptions,
    ) -> Result<Response<WasiBody>, Error> {
        // The client writes the field that the connection's protocol wants from the URI.
        request.headers_mut().remove(header::HOST);
        let until_head = options
            .connect_timeout
            .unwrap_or(DEFAULT_TIMEOUT)
            .saturating_add(options.first_byte_timeout.unwrap_or(DEFAULT_TIMEOUT));
        let sent = async {
            let slot = self.slot().await?;
            let response = self.http.request(request).await.map_err(explain)?;
            Ok::<_, Error>((response, slot))
        };
        let (response, slot) = timeout(until_head, sent)
            .await
            .map_err(|_| Error::ConnectionReadTimeout)??;
        let between_bytes = options.between_bytes_timeout.unwrap_or(DEFAULT_TIMEOUT);
        Ok(response.map(|body| {
            IdleLimit {
                body,
                between_bytes,
                timer: None,
                _slot: slot,
            }
            .boxed_unsync()
        }))
    }

    async fn slot(&self) -> Result<OwnedSemaphorePermit, Error> {
        match timeout(self.max_wait, self.slots.clone().acquire_owned()).await {
            Ok(Ok(slot)) => Ok(slot),
            _ => {
                self.metrics.rejected(RejectionReason::OutboundLimit);
                tracing::warn!(
                    "a component's request to another server was refused: as many as --max-outbound allows are under way"
                );
                Err(Error::ConnectionLimitReached)
            }
        }
    }
}

/// Finds the error that a guest can act on.
fn explain(error: ClientError) -> Error {
    if !error.is_connect() {
        return Error::ConnectionTerminated;
    }
    let mut source = std::error::Error::source(&error);
    while let Some(cause) = source {
        if let Some(tls) = cause.downcast_ref::<rustls::Error>() {
            return match tls {
                rustls::Error::InvalidCertificate(_) => Error::TlsCertificateError,
                _ => Error::TlsProtocolError,
            };
        }
        if let Some(io) = cause.downcast_ref::<std::io::Error>() {
            match io.kind() {
                std::io::ErrorKind::ConnectionRefused => return Error::ConnectionRefused,
                std::io::ErrorKind::TimedOut => return Error::ConnectionTimeout,
                _ => {}
            }
        }
        // The connector's error has no type that tells this; a test below notices when its text changes.
        if cause.to_string() == "dns error" {
            return Error::DnsError {
                rcode: Some("NXDOMAIN".into()),
                info_code: None,
            };
        }
        source = cause.source();
    }
    Error::DestinationUnavailable
}

/// A response body that fails when nothing comes for too long, and that holds its slot until it is done.
struct IdleLimit {
    body: Incoming,
    between_bytes: Duration,
    timer: Option<Pin<Box<Sleep>>>,
    _slot: OwnedSemaphorePermit,
}

impl Body for IdleLimit {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        match Pin::new(&mut self.body).poll_frame(cx) {
            Poll::Ready(frame) => {
                self.timer = None;
                Poll::Ready(frame.map(|frame| frame.map_err(Error::Hyper)))
            }
            Poll::Pending => {
                let between_bytes = self.between_bytes;
                let timer = self
                    .timer
                    .get_or_insert_with(|| Box::pin(tokio::time::sleep(between_bytes)));
                timer
                    .as_mut()
                    .poll(cx)
                    .map(|()| Some(Err(Error::ConnectionReadTimeout)))
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use http_body_util::Empty;
    use hyper_util::client::legacy::Client;

    use super::*;

    #[tokio::test]
    async fn a_name_without_an_address_is_an_error_of_dns() {
        // A label of more than 63 bytes is refused by the resolver itself: no server is asked.
        let url = format!("http://{}.invalid/", "a".repeat(64));
        let client: Client<_, Empty<Bytes>> =
            Client::builder(TokioExecutor::new()).build(HttpConnector::new());
        let error = client.get(url.parse().unwrap()).await.unwrap_err();
        assert!(matches!(explain(error), Error::DnsError { .. }));
    }
}
