//! Requests that guests send: only to hosts that the manifest allows, over the network or straight to another component of
//! the application.

use std::sync::Arc;

use http::uri::Scheme;
use http::{HeaderName, Request, Response, Uri, header};
use spinfo_manifest::{AllowedHosts, CHAINING_SUFFIX};
use wasmtime_wasi_http::{Error, ForbiddenHeaderFilter, RequestOptions, WasiBody, WasiHttpHooks};

use super::component::Component;
use super::dispatcher::{Caller, Dispatcher};
use super::guest::CurrentRequest;
use super::network::Network;
use crate::metrics::{ComponentMetrics, Metrics};

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

/// What the hooks of wasmtime are to return.
type SendFuture = Box<dyn Future<Output = Result<(Response<WasiBody>, IoFuture), Error>> + Send>;
type IoFuture = Box<dyn Future<Output = Result<(), Error>> + Send>;

/// What one instance may send, and on behalf of which request it does.
pub(crate) struct Outbound {
    pub(super) network: Network,
    pub(super) metrics: Arc<Metrics>,
    pub(super) component: Arc<Component>,
    pub(super) measured: Arc<ComponentMetrics>,
    /// The components of the same version on the same thread, which last as long as an instance of them.
    pub(super) dispatcher: Option<Arc<Dispatcher>>,
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
        let allowed = &self.component.grants.allowed_hosts;
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
        self.metrics.outbound_denied(&self.measured);
        let _attached = crate::trace::attach(self.current.span_context());
        let hint = AllowedHosts::hint(&self.component.id, scheme, host, port);
        tracing::warn!(wasm.component = &*self.component.id, "{hint}");
        Error::HttpRequestDenied
    }

    /// Sends a request where it is to go.
    fn send(
        &self,
        request: Request<WasiBody>,
        options: RequestOptions,
    ) -> impl Future<Output = Result<Response<WasiBody>, Error>> + Send + 'static {
        let target = self.target(request.uri());
        let network = self.network.clone();
        let dispatcher = self.dispatcher.clone();
        let within = !matches!(target, Ok(Target::Network));
        let caller = within.then(|| Caller {
            span: self.current.span_context(),
            depth: self.current.depth() + 1,
        });
        async move {
            let target = target?;
            let Some(caller) = caller else {
                return network.send(request, options).await;
            };
            if caller.depth > MAX_CHAIN {
                tracing::warn!(
                    "components call one another in a circle: refused after {MAX_CHAIN} calls"
                );
                return Err(Error::LoopDetected);
            }
            let dispatcher = dispatcher.ok_or(Error::ConnectionTerminated)?;
            match target {
                Target::Component(id) => dispatcher.call_component(&id, request, caller).await,
                _ => dispatcher.call_route(request, caller).await,
            }
        }
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
        let sent = self.send(request, options.unwrap_or_default());
        // Nothing is left to do for a request once its response has come: the pool drives the connection.
        let done: IoFuture = Box::new(std::future::ready(Ok(())));
        Box::new(async { Ok((sent.await?, done)) })
    }
}
