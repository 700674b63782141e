//! Requests that guests send: only to hosts that the manifest allows, over a connection pool of the worker thread's
//! own, or straight to another component of the application without touching the network.

use std::sync::Arc;
use std::time::Duration;

use http::uri::Scheme;
use http::{HeaderName, Request, Response, Uri, header};
use http_body_util::BodyExt as _;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::{Client, Error as ClientError, connect::HttpConnector};
use hyper_util::rt::{TokioExecutor, TokioTimer};
use spinfo_manifest::{AllowedHosts, CHAINING_SUFFIX};
use tokio::sync::Semaphore;
use tokio::time::timeout;
use wasmtime_wasi_http::{Error, ForbiddenHeaderFilter, RequestOptions, WasiBody, WasiHttpHooks};

use super::component::Component;
use super::dispatcher::{Caller, Dispatcher};
use super::guest::CurrentRequest;
use crate::metrics::{ComponentMetrics, Metrics};

/// When a guest sets no limit of its own.
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(600);
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
const POOL_IDLE_TIMEOUT: Duration = Duration::from_secs(60);
/// Components that call one another in a circle are stopped here.
const MAX_CHAIN: u8 = 16;
/// A host name that stands for the application itself, as a relative URL does.
const SELF_HOST: &str = "self.alt";

/// Fields that concern one connection (RFC 9110 section 7.6.1), which guests neither see nor set. `Host` and
/// `Upgrade` do reach the guest, as they do in Spin.
const CONNECTION_FIELDS: [HeaderName; 7] = [
    header::CONNECTION,
    HeaderName::from_static("keep-alive"),
    header::PROXY_AUTHENTICATE,
    header::PROXY_AUTHORIZATION,
    HeaderName::from_static("proxy-connection"),
    header::TRANSFER_ENCODING,
    HeaderName::from_static("http2-settings"),
];

type SendFuture = Box<dyn Future<Output = Result<(Response<WasiBody>, IoFuture), Error>> + Send>;
type IoFuture = Box<dyn Future<Output = Result<(), Error>> + Send>;

/// How one worker thread sends requests.
#[derive(Debug, Clone)]
pub(crate) struct OutboundSettings {
    /// Requests under way at a time; more wait.
    pub(crate) max_concurrent: usize,
    /// Whether connections are kept for later requests.
    pub(crate) pooling: bool,
}

/// One worker thread's connections to other servers.
#[derive(Clone)]
pub(crate) struct OutboundClient {
    http: Client<HttpsConnector<HttpConnector>, WasiBody>,
    /// Limits the requests under way at a time.
    slots: Arc<Semaphore>,
    metrics: Arc<Metrics>,
}

impl OutboundClient {
    pub(crate) fn new(
        tls: rustls::ClientConfig,
        settings: &OutboundSettings,
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
            .pool_max_idle_per_host(if settings.pooling { usize::MAX } else { 0 })
            .build(connector);
        let slots = Semaphore::new(settings.max_concurrent);
        if settings.max_concurrent == 0 {
            // Nothing would ever come free: refuse instead of waiting.
            slots.close();
        }
        Self {
            http,
            slots: Arc::new(slots),
            metrics,
        }
    }

    /// For an instance that calls other components through `dispatcher`.
    pub(super) fn for_component(
        &self,
        component: &Arc<Component>,
        measured: Arc<ComponentMetrics>,
        dispatcher: Option<Arc<Dispatcher>>,
    ) -> Outbound {
        Outbound {
            client: self.clone(),
            component: component.clone(),
            measured,
            dispatcher,
            current: Arc::default(),
        }
    }
}

/// What one instance may send, and on behalf of which request it does.
pub(crate) struct Outbound {
    client: OutboundClient,
    component: Arc<Component>,
    measured: Arc<ComponentMetrics>,
    /// The components of the same version on the same thread, which last as long as an instance of them.
    dispatcher: Option<Arc<Dispatcher>>,
    pub(super) current: Arc<CurrentRequest>,
}

/// Where a request of a guest goes.
enum Target {
    /// A component, by its id.
    Component(String),
    /// The application's own routes.
    Application,
    Network,
}

impl Outbound {
    fn target(&self, uri: &Uri) -> Result<Target, Error> {
        let allowed = &self.component.allowed_hosts;
        let host = uri.host().unwrap_or_default();
        let https = uri.scheme() != Some(&Scheme::HTTP);
        let scheme = if https { "https" } else { "http" };
        let port = uri.port_u16().unwrap_or(if https { 443 } else { 80 });
        if host.is_empty() || host == SELF_HOST {
            return if allowed.allows_self(scheme) {
                Ok(Target::Application)
            } else {
                Err(self.denied(scheme, "self", port))
            };
        }
        if !allowed.allows(scheme, host, port) {
            return Err(self.denied(scheme, host, port));
        }
        Ok(match host.strip_suffix(CHAINING_SUFFIX) {
            Some(id) => Target::Component(id.to_owned()),
            None => Target::Network,
        })
    }

    fn denied(&self, scheme: &str, host: &str, port: u16) -> Error {
        self.client.metrics.outbound_denied(&self.measured);
        let _attached = crate::trace::attach(self.current.span_context());
        let hint = AllowedHosts::hint(&self.component.id, scheme, host, port);
        tracing::warn!(wasm.component = &*self.component.id, "{hint}");
        Error::HttpRequestDenied
    }
}

impl WasiHttpHooks for Outbound {
    fn forbidden_header_filter(&mut self) -> ForbiddenHeaderFilter {
        Arc::new(|name| CONNECTION_FIELDS.contains(name))
    }

    fn is_forbidden_header(&mut self, name: &HeaderName) -> bool {
        CONNECTION_FIELDS.contains(name)
    }

    fn send_request(
        &mut self,
        request: Request<WasiBody>,
        options: Option<RequestOptions>,
        _: IoFuture,
    ) -> SendFuture {
        let target = match self.target(request.uri()) {
            Ok(target) => target,
            Err(error) => return Box::new(async { Err(error) }),
        };
        if let Target::Network = target {
            let client = self.client.clone();
            return Box::new(async move {
                Ok((
                    client.send(request, options.unwrap_or_default()).await?,
                    done(),
                ))
            });
        }
        let caller = Caller {
            span: self.current.span_context(),
            depth: self.current.depth() + 1,
        };
        let dispatcher = self.dispatcher.clone();
        Box::new(async move {
            if caller.depth > MAX_CHAIN {
                tracing::warn!(
                    "components call one another in a circle: refused after {MAX_CHAIN} calls"
                );
                return Err(Error::LoopDetected);
            }
            let dispatcher = dispatcher.ok_or(Error::ConnectionTerminated)?;
            let response = match target {
                Target::Component(id) => dispatcher.call_component(&id, request, caller).await?,
                _ => dispatcher.call_route(request, caller).await?,
            };
            Ok((response, done()))
        })
    }
}

/// Nothing is left to do for a request once its response has come: the pool drives the connection.
fn done() -> IoFuture {
    Box::new(async { Ok(()) })
}

impl OutboundClient {
    async fn send(
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
        let exchange = async {
            let slot = self.slots.clone().acquire_owned().await;
            let slot = slot.map_err(|_| Error::ConnectionLimitReached)?;
            let response = self.http.request(request).await.map_err(explain)?;
            Ok::<_, Error>((response, slot))
        };
        let (response, slot) = timeout(until_head, exchange)
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
}

/// Finds the error that a guest can act on.
fn explain(error: ClientError) -> Error {
    if error.is_connect() {
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
            if cause.to_string() == "dns error" {
                return Error::DnsError {
                    rcode: Some("NXDOMAIN".into()),
                    info_code: None,
                };
            }
            source = cause.source();
        }
        return Error::DestinationUnavailable;
    }
    Error::ConnectionTerminated
}

/// A response body that fails when nothing comes for too long, and that holds its slot until it is done.
struct IdleLimit {
    body: hyper::body::Incoming,
    between_bytes: Duration,
    timer: Option<std::pin::Pin<Box<tokio::time::Sleep>>>,
    _slot: tokio::sync::OwnedSemaphorePermit,
}

impl http_body::Body for IdleLimit {
    type Data = bytes::Bytes;
    type Error = Error;

    fn poll_frame(
        mut self: std::pin::Pin<&mut Self>,
        cx: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<Result<http_body::Frame<Self::Data>, Error>>> {
        use std::task::Poll;
        match std::pin::Pin::new(&mut self.body).poll_frame(cx) {
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

    fn size_hint(&self) -> http_body::SizeHint {
        self.body.size_hint()
    }
}
