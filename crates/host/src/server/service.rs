//! A request's way through the host: route, trace, admit, hand to the component, send its response.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;

use bytes::Bytes;
use http::uri::Scheme;
use http::{HeaderName, HeaderValue, Request, Response, StatusCode, header};
use http_body_util::Full;
use hyper::body::{Body as _, Incoming};
use opentelemetry::trace::{SpanKind, TraceContextExt as _};
use opentelemetry::{KeyValue, StringValue};
use spinfo_manifest::RouteMatch;
use spinfo_names::values::{HttpMethod, RejectionReason};
use spinfo_telemetry::names::{self, KnownMethods};

use super::admission::Admission;
use super::body::{ResponseBody, limited};
use super::problem::{HostResponse, problem};
use super::server_request::{Arrival, ServerRequest};
use super::well_known;
use crate::limits::Limits;
use crate::metrics::Metrics;
use crate::runtime::dispatcher::{Dispatcher, RETRY_AFTER, Refusal};
use crate::runtime::request::{self, BadRequest, Origin};
use crate::runtime::version::Versions;
use crate::trace::{TRACERESPONSE, header_value};

/// Serves the requests of one worker thread.
pub(crate) struct Service {
    pub(crate) versions: Arc<Versions>,
    /// The thread's number.
    pub(crate) worker: usize,
    pub(crate) admission: Admission,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) known_methods: KnownMethods,
    pub(crate) limits: Arc<Limits>,
}

impl Service {
    /// Answers one request. Whatever goes wrong becomes an answer too.
    pub(crate) async fn serve(
        &self,
        request: Request<Incoming>,
        client: SocketAddr,
        scheme: Scheme,
    ) -> Result<Response<ResponseBody>, Infallible> {
        // The version that is current now serves the request to its end.
        let dispatcher = self.versions.dispatcher(self.worker);
        let dispatcher = &*dispatcher;
        let path = request.uri().path();
        if let Some(answer) = well_known::answer_for(&dispatcher.app, path) {
            return Ok(answer.map(|body| ResponseBody::Host {
                body: Full::new(body),
                _server_request: None,
            }));
        }
        let path = path.to_owned();
        let route = if well_known::is_reserved(&path) {
            None
        } else {
            dispatcher.app.router.find(&path)
        };
        let origin = Origin { scheme, client };
        let mut server_request = self.begin(dispatcher, &request, route.as_ref(), &origin);
        let answer = self.component(dispatcher, request, route, &origin, &mut server_request);
        Ok(match answer.await {
            Ok(response) => {
                server_request.answered(response.status(), None);
                let (mut head, body) = response.into_parts();
                head.headers.remove(header::UPGRADE);
                if !head.headers.contains_key(TRACERESPONSE)
                    && let Some(value) = header_value(server_request.span.context())
                {
                    head.headers.insert(TRACERESPONSE, value);
                }
                Response::from_parts(
                    head,
                    ResponseBody::Component {
                        body,
                        server_request,
                    },
                )
            }
            Err(Denied {
                status,
                error,
                detail,
                limit,
            }) => {
                server_request.answered(status, Some(error));
                if let Some(limit) = limit {
                    server_request.refused(limit);
                }
                let mut response: HostResponse =
                    problem(status, detail, &server_request.span.or_fresh());
                if status == StatusCode::SERVICE_UNAVAILABLE {
                    response.headers_mut().insert(
                        header::RETRY_AFTER,
                        HeaderValue::from(RETRY_AFTER.as_secs()),
                    );
                }
                response.map(|body: Bytes| ResponseBody::Host {
                    body: Full::new(body),
                    _server_request: Some(server_request),
                })
            }
        })
    }

    fn begin(
        &self,
        dispatcher: &Dispatcher,
        request: &Request<Incoming>,
        route: Option<&RouteMatch<'_>>,
        origin: &Origin,
    ) -> ServerRequest {
        let tracing = &dispatcher.tracing;
        let method = self.known_methods.normalise(request.method());
        let scheme = if origin.scheme == Scheme::HTTPS {
            "https"
        } else {
            "http"
        };
        let route = route.map(|route| dispatcher.app.route_name(route));
        let parent = tracing.extract(request.headers());
        // https://opentelemetry.io/docs/specs/semconv/http/http-spans/#name
        let verb = if method == HttpMethod::Other.as_str() {
            "HTTP"
        } else {
            method
        };
        let name = || match &route {
            Some(route) => format!("{verb} {route}"),
            None => verb.to_owned(),
        };
        let span = tracing.start(&parent, SpanKind::Server, name, || {
            let mut attributes =
                span_attributes(request, method, scheme, route.clone(), origin.client);
            let revision = StringValue::from(dispatcher.revision.short.clone());
            attributes.push(KeyValue::new(names::APP_REVISION, revision));
            attributes
        });
        let arrival = Arrival {
            method,
            scheme,
            version: request.version(),
            route,
        };
        ServerRequest::begin(self.metrics.clone(), arrival, span)
    }

    async fn component(
        &self,
        dispatcher: &Dispatcher,
        request: Request<Incoming>,
        route: Option<RouteMatch<'_>>,
        origin: &Origin,
        server_request: &mut ServerRequest,
    ) -> Result<Response<wasmtime_wasi_http::WasiBody>, Denied> {
        let (head, body) = request.into_parts();
        let announced = body.size_hint().lower();
        let (body, read) = limited(&head, body, self.limits.max_body);
        let mut request = Request::from_parts(head, body);
        let authority = request::authority(&request)?;
        let route = route.ok_or(Denied::NO_ROUTE)?;
        if announced > self.limits.max_body {
            return Err(Denied::TOO_LARGE);
        }
        let slot = self.admission.enter().await.map_err(Denied::busy)?;
        server_request.hold(slot);

        let method = request.method().clone();
        server_request.request_body = read.clone();
        request::prepare(&mut request, authority, &route, origin)?;

        let parent = opentelemetry::Context::new()
            .with_remote_span_context(server_request.span.context().clone());
        let (result, run) = dispatcher
            .dispatch(route.component(), request, &parent, 0)
            .await;
        server_request.component = Some(run);
        if read.is_some_and(|read| read.exceeded()) {
            return Err(Denied::TOO_LARGE);
        }
        match result {
            Ok(response) => {
                server_request.expect_body(&method, response.headers());
                Ok(response)
            }
            Err(refusal) => {
                report(&refusal, route.component(), server_request);
                Err(refusal.into())
            }
        }
    }
}

/// An answer that the host gives in the component's place.
struct Denied {
    status: StatusCode,
    /// `error.type`
    error: &'static str,
    detail: &'static str,
    /// The limit that was met, if it is one.
    limit: Option<RejectionReason>,
}

impl Denied {
    const NO_ROUTE: Self = Self {
        status: StatusCode::NOT_FOUND,
        error: "no_route",
        detail: "no route of this application matches the path",
        limit: None,
    };
    const TOO_LARGE: Self = Self {
        status: StatusCode::PAYLOAD_TOO_LARGE,
        error: "body_too_large",
        detail: "the request's body is larger than this host accepts",
        limit: Some(RejectionReason::BodyTooLarge),
    };

    fn busy(limit: RejectionReason) -> Self {
        Self {
            status: StatusCode::SERVICE_UNAVAILABLE,
            error: "queue_full",
            detail: "the service is at its limit; try again soon",
            limit: Some(limit),
        }
    }
}

impl From<BadRequest> for Denied {
    fn from(BadRequest(detail): BadRequest) -> Self {
        Self {
            status: StatusCode::BAD_REQUEST,
            error: "bad_request",
            detail,
            limit: None,
        }
    }
}

impl From<Refusal> for Denied {
    fn from(refusal: Refusal) -> Self {
        let (status, error, detail) = refusal.describe();
        Self {
            status,
            error,
            detail,
            limit: match refusal {
                Refusal::Busy(_) => Some(RejectionReason::NoInstance),
                Refusal::TimedOut => Some(RejectionReason::RequestTimeout),
                _ => None,
            },
        }
    }
}

/// A trap was logged where it happened, with the guest's backtrace.
fn report(refusal: &Refusal, component: &str, server_request: &ServerRequest) {
    if matches!(refusal, Refusal::Trapped { .. }) {
        return;
    }
    let _attached = crate::trace::attach(server_request.span.context().clone());
    tracing::error!(
        wasm.component = component,
        "error.type" = refusal.describe().1,
        "a request failed: {}",
        refusal.cause()
    );
}

/// <https://opentelemetry.io/docs/specs/semconv/http/http-spans/#http-server>
fn span_attributes(
    request: &Request<Incoming>,
    method: &'static str,
    scheme: &'static str,
    route: Option<Arc<str>>,
    client: SocketAddr,
) -> Vec<KeyValue> {
    let uri = request.uri();
    let mut attributes = Vec::with_capacity(13);
    attributes.push(KeyValue::new(names::HTTP_REQUEST_METHOD, method));
    if method == HttpMethod::Other.as_str() {
        attributes.push(KeyValue::new(
            names::HTTP_REQUEST_METHOD_ORIGINAL,
            request.method().as_str().to_owned(),
        ));
    }
    attributes.push(KeyValue::new(names::URL_SCHEME, scheme));
    attributes.push(KeyValue::new(names::URL_PATH, uri.path().to_owned()));
    if let Some(query) = uri.query() {
        attributes.push(KeyValue::new(
            names::URL_QUERY,
            names::redact_query(query).into_owned(),
        ));
    }
    if let Some(route) = route {
        attributes.push(KeyValue::new(names::HTTP_ROUTE, StringValue::from(route)));
    }
    if let Ok(authority) = request::authority(request) {
        attributes.push(KeyValue::new(
            names::SERVER_ADDRESS,
            authority.host().to_owned(),
        ));
        if let Some(port) = authority.port_u16() {
            attributes.push(KeyValue::new(names::SERVER_PORT, i64::from(port)));
        }
    }
    attributes.push(KeyValue::new(
        names::CLIENT_ADDRESS,
        client.ip().to_string(),
    ));
    attributes.push(KeyValue::new(
        names::NETWORK_PEER_ADDRESS,
        client.ip().to_string(),
    ));
    attributes.push(KeyValue::new(
        names::NETWORK_PEER_PORT,
        i64::from(client.port()),
    ));
    if let Some(agent) = text(request, &header::USER_AGENT) {
        attributes.push(KeyValue::new(names::USER_AGENT_ORIGINAL, agent));
    }
    attributes
}

fn text(request: &Request<Incoming>, name: &HeaderName) -> Option<String> {
    request
        .headers()
        .get(name)?
        .to_str()
        .ok()
        .map(str::to_owned)
}
