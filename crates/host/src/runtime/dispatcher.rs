//! One worker thread's components: takes a routed request and brings back the component's response.

use std::collections::HashMap;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use http::uri::Scheme;
use http::{Request, Response, StatusCode, Uri};
use http_body_util::BodyExt as _;
use opentelemetry::trace::{SpanContext, SpanKind, TraceContextExt as _};
use opentelemetry::{Context, KeyValue, StringValue};
use spinfo_manifest::RouteMatch;
use spinfo_names::values::TrapKind;
use spinfo_telemetry::names;
use tokio::sync::watch;
use wasmtime_wasi_http::handler::{ExpirationError, InstantiationError, ProxyHandler};
use wasmtime_wasi_http::{Error, WasiBody};

use super::Runtime;
use super::app::App;
use super::instances::{Failure, InstanceFactory, RequestData, classify};
use super::lifecycle::VersionLifecycle;
use super::network::Network;
use super::request::{self, Origin};
use super::traced_body::TracedBody;
use crate::limits::Limits;
use crate::revision::Revision;
use crate::trace::{HostSpan, Tracing};

/// How long a client is asked to wait before it tries again.
pub(crate) const RETRY_AFTER: Duration = Duration::from_secs(1);

/// On whose behalf a guest sends a request within the application.
pub(crate) struct Caller {
    pub(crate) span: SpanContext,
    pub(crate) depth: u8,
}

/// A component at work on a request, until the end of its answer.
pub(crate) struct Run {
    pub(crate) span: HostSpan,
    failure: Arc<OnceLock<Failure>>,
}

impl Run {
    /// Whether the end of the answer's body is one that the component meant.
    ///
    /// # Errors
    /// When its instance failed before. The body alone doesn't tell: it ends with the instance.
    pub(crate) fn end(&self) -> Result<(), Error> {
        match self.failure.get() {
            None => Ok(()),
            Some(Failure::TimedOut) => Err(Error::HttpResponseTimeout),
            Some(Failure::Trapped { kind, .. }) => {
                let cause = format!(
                    "the component trapped ({}) before its answer was complete",
                    kind.as_str()
                );
                Err(Error::InternalError(Some(cause)))
            }
        }
    }
}

/// The components of one version of the application on one worker thread. It lasts until the last request to them and the
/// last instance of them are gone: both hold it.
pub(crate) struct Dispatcher {
    pub(crate) app: Arc<App>,
    pub(crate) revision: Arc<Revision>,
    pub(crate) tracing: Tracing,
    pub(crate) lifecycle: Arc<VersionLifecycle>,
    handlers: HashMap<Arc<str>, ProxyHandler<InstanceFactory>>,
    limits: Arc<Limits>,
    /// Says that the version is in use.
    _use: Arc<watch::Sender<()>>,
}

/// Why a component did not answer.
#[derive(Debug, Clone)]
pub(crate) enum Refusal {
    /// Nothing of that name is there.
    NoComponent,
    /// There is no room for another instance.
    Busy(String),
    TimedOut,
    Trapped {
        kind: TrapKind,
        message: String,
    },
    /// The component ended without an answer, or answered with an error of HTTP instead of a response.
    NoResponse(String),
}

impl Refusal {
    /// The status for the client, the low-cardinality `error.type`, and the sentence for the client.
    pub(crate) fn describe(&self) -> (StatusCode, &'static str, &'static str) {
        match self {
            Self::NoComponent => (
                StatusCode::NOT_FOUND,
                "no_component",
                "no component of that name",
            ),
            Self::Busy(_) => (
                StatusCode::SERVICE_UNAVAILABLE,
                "no_instance",
                "the service is at its limit; try again soon",
            ),
            Self::TimedOut => (
                StatusCode::GATEWAY_TIMEOUT,
                "timeout",
                "the component took too long to answer",
            ),
            Self::Trapped { .. } => (
                StatusCode::INTERNAL_SERVER_ERROR,
                "trap",
                "the component failed while it worked on this request",
            ),
            Self::NoResponse(_) => (
                StatusCode::INTERNAL_SERVER_ERROR,
                "no_response",
                "the component gave no answer",
            ),
        }
    }

    /// What the operator is to know.
    pub(crate) fn cause(&self) -> String {
        match self {
            Self::NoComponent | Self::TimedOut => self.describe().2.to_owned(),
            Self::Busy(cause) | Self::NoResponse(cause) => cause.clone(),
            Self::Trapped { message, .. } => message.clone(),
        }
    }
}

impl From<Failure> for Refusal {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::TimedOut => Self::TimedOut,
            Failure::Trapped { kind, message } => Self::Trapped { kind, message },
        }
    }
}

impl Dispatcher {
    pub(crate) fn new(
        runtime: &Runtime,
        app: &Arc<App>,
        revision: &Arc<Revision>,
        network: &Network,
        in_use: &Arc<watch::Sender<()>>,
    ) -> anyhow::Result<Arc<Self>> {
        let components = app.components.values();
        let components: Vec<_> = components
            .map(|component| Ok((component, component.proxy_pre()?)))
            .collect::<anyhow::Result<_>>()?;
        let lifecycle = Arc::new(VersionLifecycle::default());
        Ok(Arc::new_cyclic(|dispatcher| {
            let handlers = components.into_iter().map(|(component, pre)| {
                let factory = InstanceFactory {
                    pre,
                    component: component.clone(),
                    network: network.clone(),
                    dispatcher: dispatcher.clone(),
                    lifecycle: lifecycle.clone(),
                    limits: runtime.limits.clone(),
                    metrics: runtime.metrics.clone(),
                    measured: runtime.metrics.component(&component.id),
                    transient: runtime.transient.clone(),
                };
                (component.id.clone(), ProxyHandler::new(factory))
            });
            Self {
                handlers: handlers.collect(),
                app: app.clone(),
                revision: revision.clone(),
                tracing: runtime.tracing.clone(),
                lifecycle: lifecycle.clone(),
                limits: runtime.limits.clone(),
                _use: in_use.clone(),
            }
        }))
    }

    /// Hands a request to a component, under a span of its own that the guest's spans are children of.
    pub(crate) async fn dispatch(
        &self,
        id: &str,
        mut request: Request<WasiBody>,
        parent: &Context,
        depth: u8,
    ) -> (Result<Response<WasiBody>, Refusal>, Run) {
        let failure = Arc::new(OnceLock::new());
        let Some((id, handler)) = self.handlers.get_key_value(id) else {
            let span =
                self.tracing
                    .start(parent, SpanKind::Internal, || "component".into(), Vec::new);
            return (Err(Refusal::NoComponent), Run { span, failure });
        };
        let mut span = self.tracing.start(
            parent,
            SpanKind::Internal,
            || id.to_string(),
            || {
                vec![KeyValue::new(
                    names::COMPONENT,
                    StringValue::from(id.clone()),
                )]
            },
        );
        span.inject(request.headers_mut());
        let data = RequestData {
            span: span.context().clone(),
            depth,
            failure: failure.clone(),
        };
        let begun = Instant::now();
        let result = handler
            .handle(data, request)
            .await
            .map_err(|error| self.refusal(&error, &failure, begun))
            .and_then(final_response);
        if let Err(refusal) = &result {
            span.set(KeyValue::new(names::ERROR_TYPE, refusal.describe().1));
            span.fail(refusal.cause());
            if let Refusal::Trapped { kind, .. } = refusal {
                span.set(KeyValue::new(names::TRAP_KIND, kind.as_str()));
            }
        }
        (result, Run { span, failure })
    }

    fn refusal(
        &self,
        error: &wasmtime::Error,
        failure: &OnceLock<Failure>,
        begun: Instant,
    ) -> Refusal {
        if error.is::<ExpirationError>() {
            return Refusal::TimedOut;
        }
        if let Some(failed) = error.downcast_ref::<InstantiationError<RequestData>>() {
            return Refusal::Busy(format!("{:#}", failed.error));
        }
        match failure.get() {
            Some(failure) => failure.clone().into(),
            None if begun.elapsed() >= self.limits.request_timeout => Refusal::TimedOut,
            None if error.is::<wasmtime::Trap>() => classify(error, None).into(),
            None => Refusal::NoResponse(format!("{error:#}")),
        }
    }

    /// A request that a guest sends to `http://ID.spin.internal`. As in Spin, the guest that gets it sees a route of `/...`.
    pub(crate) async fn call_component(
        &self,
        id: &str,
        request: Request<WasiBody>,
        caller: Caller,
    ) -> Result<Response<WasiBody>, Error> {
        let path = request.uri().path().to_owned();
        let route = self
            .app
            .router
            .chain(id, &path)
            .ok_or(Error::DestinationNotFound)?;
        self.call(&route, request, caller).await
    }

    /// A request that a guest sends to a relative URL: it goes through the application's routes.
    pub(crate) async fn call_route(
        &self,
        mut request: Request<WasiBody>,
        caller: Caller,
    ) -> Result<Response<WasiBody>, Error> {
        let path = request.uri().path().to_owned();
        let Some(route) = self.app.router.find(&path) else {
            return Response::builder()
                .status(StatusCode::NOT_FOUND)
                .body(
                    http_body_util::Empty::new()
                        .map_err(|never| match never {})
                        .boxed_unsync(),
                )
                .map_err(|_| Error::ConfigurationError);
        };
        *request.uri_mut() = self_uri(request.uri());
        self.call(&route, request, caller).await
    }

    async fn call(
        &self,
        route: &RouteMatch<'_>,
        mut request: Request<WasiBody>,
        caller: Caller,
    ) -> Result<Response<WasiBody>, Error> {
        let origin = Origin {
            scheme: Scheme::HTTP,
            client: request::SELF_CLIENT,
        };
        request::authority(&request)
            .and_then(|authority| request::prepare(&mut request, authority, route, &origin))
            .map_err(|_| Error::HttpRequestUriInvalid)?;
        let parent = Context::new().with_remote_span_context(caller.span);
        let (result, run) = self
            .dispatch(route.component(), request, &parent, caller.depth)
            .await;
        match result {
            Ok(response) => Ok(response.map(|body| TracedBody::new(body, run).boxed_unsync())),
            Err(Refusal::NoComponent) => Err(Error::DestinationNotFound),
            Err(Refusal::TimedOut) => Err(Error::HttpResponseTimeout),
            Err(refusal) => Err(Error::InternalError(Some(refusal.describe().2.to_owned()))),
        }
    }
}

/// An interim status (1xx) promises an answer that never comes (RFC 9110 section 15.2).
fn final_response(response: Response<WasiBody>) -> Result<Response<WasiBody>, Refusal> {
    let status = response.status();
    if status.is_informational() {
        return Err(Refusal::NoResponse(format!(
            "the component answered with the interim status {status}"
        )));
    }
    Ok(response)
}

/// Relative URLs of guests have an authority of their own, which is not the application's.
fn self_uri(uri: &Uri) -> Uri {
    let path = uri.path_and_query().map_or("/", |path| path.as_str());
    Uri::builder()
        .scheme("http")
        .authority("localhost")
        .path_and_query(path)
        .build()
        .unwrap_or_default()
}
