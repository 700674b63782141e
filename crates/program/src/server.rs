//! The small HTTP/1.1 server of `/metrics` and health, apart from what a program is there for.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header::{ALLOW, CONTENT_TYPE, X_CONTENT_TYPE_OPTIONS};
use http::request::Parts;
use http::{HeaderValue, Method, Request, Response, StatusCode};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use spinfo_telemetry::{MetricsPage, OPEN_METRICS_CONTENT_TYPE};
use tokio::net::TcpListener;
use tokio::task::JoinSet;

/// A client that says nothing for this long is cut off.
const HEADER_TIMEOUT: Duration = Duration::from_secs(10);
/// After an error of accept, such as too many open files, which goes on for a while.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);
/// For [`response`].
pub const TEXT: &str = "text/plain; charset=utf-8";
/// For [`response`].
pub const JSON: &str = "application/json";

type Answer = Pin<Box<dyn Future<Output = Response<Bytes>> + Send>>;
type Handler = Box<dyn Fn(Parts) -> Answer + Send + Sync>;

/// What is served: a handler for each path. `/` lists the paths; GET and HEAD are answered, other methods are refused.
#[derive(Default)]
pub struct Routes(BTreeMap<&'static str, Handler>);

impl Routes {
    /// No paths yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Answers `path` by `handler`, which is given the request's head.
    #[must_use]
    pub fn get<F>(
        mut self,
        path: &'static str,
        handler: impl Fn(Parts) -> F + Send + Sync + 'static,
    ) -> Self
    where
        F: Future<Output = Response<Bytes>> + Send + 'static,
    {
        self.0
            .insert(path, Box::new(move |head| Box::pin(handler(head))));
        self
    }

    /// Answers `/metrics`.
    #[must_use]
    pub fn metrics(self, page: MetricsPage) -> Self {
        self.get("/metrics", move |_| {
            let text = page.open_metrics();
            async { response(StatusCode::OK, OPEN_METRICS_CONTENT_TYPE, text) }
        })
    }

    /// Serves until the future is dropped, which closes all connections.
    pub async fn serve(self, listener: TcpListener) {
        let routes = Arc::new(self);
        let mut connections = JoinSet::new();
        loop {
            while connections.try_join_next().is_some() {}
            let stream = match listener.accept().await {
                Ok((stream, _)) => stream,
                Err(error) => {
                    tracing::warn!(%error, "a connection to /metrics could not be accepted");
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                    continue;
                }
            };
            let routes = routes.clone();
            connections.spawn(async move {
                let answer = service_fn(|request| {
                    let answer = routes.answer(request);
                    async { Ok::<_, Infallible>(answer.await.map(Full::new)) }
                });
                let served = http1::Builder::new()
                    .timer(TokioTimer::new())
                    .header_read_timeout(HEADER_TIMEOUT)
                    .serve_connection(TokioIo::new(stream), answer)
                    .await;
                if let Err(error) = served {
                    tracing::debug!(%error, "a connection to /metrics ended early");
                }
            });
        }
    }

    fn answer(&self, request: Request<Incoming>) -> Answer {
        let (head, _) = request.into_parts();
        if !matches!(head.method, Method::GET | Method::HEAD) {
            let mut refused = problem(
                StatusCode::METHOD_NOT_ALLOWED,
                "only GET and HEAD are answered here",
            );
            let methods = HeaderValue::from_static("GET, HEAD");
            refused.headers_mut().insert(ALLOW, methods);
            return Box::pin(std::future::ready(refused));
        }
        let response = match self.0.get(head.uri.path()) {
            Some(handler) => return handler(head),
            None if head.uri.path() == "/" => response(StatusCode::OK, TEXT, self.paths("\n")),
            None => {
                let detail = format!("there are only {}", self.paths(" ").trim_end());
                problem(StatusCode::NOT_FOUND, &detail)
            }
        };
        Box::pin(std::future::ready(response))
    }

    /// All paths, each with `end` behind it.
    fn paths(&self, end: &str) -> String {
        self.0.keys().flat_map(|path| [path, end]).collect()
    }
}

/// An answer with a body of this type.
pub fn response(
    status: StatusCode,
    content_type: &'static str,
    body: impl Into<Bytes>,
) -> Response<Bytes> {
    let mut response = Response::new(body.into());
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response
}

/// An error (RFC 9457). `detail` has nothing that JSON would have to escape.
fn problem(status: StatusCode, detail: &str) -> Response<Bytes> {
    let (code, title) = (
        status.as_u16(),
        status.canonical_reason().unwrap_or_default(),
    );
    let body = format!(
        r#"{{"type":"about:blank","title":"{title}","status":{code},"detail":"{detail}"}}"#
    );
    response(status, "application/problem+json", body)
}
