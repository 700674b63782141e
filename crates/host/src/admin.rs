//! The admin listener: liveness, readiness, metrics and the version that is served, apart from the application's own port.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderValue, Method, Request, Response, StatusCode, header};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use spinfo_telemetry::{MetricsPage, OPEN_METRICS_CONTENT_TYPE};
use tokio::net::TcpListener;
use tokio::task::JoinSet;

use crate::lifecycle::Lifecycle;
use crate::reload::Outcomes;
use crate::runtime::version::Versions;
use crate::server::problem::{answer, problem};

/// A scraper that says nothing for so long is cut off.
const HEADER_TIMEOUT: Duration = Duration::from_secs(10);
/// A store that does not answer within this time makes the process not ready.
const STORE_TIMEOUT: Duration = Duration::from_secs(1);
/// The query of `/readyz` that leaves the stores out. For a load balancer: replicas share their stores, so without this it would
/// take all of them out of service when a store is gone, and with them everything that needs none.
const WITHOUT_STORES: &str = "exclude=stores";
const TEXT: &str = "text/plain; charset=utf-8";
const JSON: &str = "application/json";

/// What the admin listener reports on.
pub(crate) struct Admin {
    pub(crate) versions: Arc<Versions>,
    pub(crate) reloads: Arc<Outcomes>,
    pub(crate) lifecycle: Lifecycle,
    pub(crate) metrics: MetricsPage,
}

impl Admin {
    /// Serves until the future is dropped.
    pub(crate) async fn serve(self, listener: TcpListener) {
        let admin = Arc::new(self);
        let mut connections = JoinSet::new();
        loop {
            while connections.try_join_next().is_some() {}
            let stream = match listener.accept().await {
                Ok((stream, _)) => stream,
                Err(error) => {
                    tracing::warn!(%error, "the admin listener could not accept a connection");
                    tokio::time::sleep(Duration::from_millis(100)).await;
                    continue;
                }
            };
            let admin = admin.clone();
            connections.spawn(async move {
                let served = http1::Builder::new()
                    .timer(TokioTimer::new())
                    .header_read_timeout(HEADER_TIMEOUT)
                    .serve_connection(
                        TokioIo::new(stream),
                        service_fn(|request| {
                            let admin = admin.clone();
                            async move {
                                Ok::<_, Infallible>(admin.answer(&request).await.map(Full::new))
                            }
                        }),
                    )
                    .await;
                if let Err(error) = served {
                    tracing::debug!(%error, "a connection to the admin listener ended early");
                }
            });
        }
    }

    async fn answer(&self, request: &Request<Incoming>) -> Response<Bytes> {
        let none = opentelemetry::trace::SpanContext::NONE;
        if !matches!(*request.method(), Method::GET | Method::HEAD) {
            let mut response = problem(
                StatusCode::METHOD_NOT_ALLOWED,
                "only GET and HEAD are answered here",
                &none,
            );
            response
                .headers_mut()
                .insert(header::ALLOW, HeaderValue::from_static("GET, HEAD"));
            return response;
        }
        match request.uri().path() {
            "/livez" => answer(StatusCode::OK, TEXT, "ok\n"),
            "/readyz" => match self.not_ready(request.uri().query()).await {
                None => answer(StatusCode::OK, TEXT, "ok\n"),
                Some(reason) => answer(
                    StatusCode::SERVICE_UNAVAILABLE,
                    TEXT,
                    format!("not ready: {reason}\n"),
                ),
            },
            "/metrics" => answer(
                StatusCode::OK,
                OPEN_METRICS_CONTENT_TYPE,
                self.metrics.open_metrics(),
            ),
            "/revision" => answer(StatusCode::OK, JSON, self.revision()),
            "/" => answer(
                StatusCode::OK,
                TEXT,
                "/livez\n/readyz\n/metrics\n/revision\n",
            ),
            _ => problem(
                StatusCode::NOT_FOUND,
                "the admin listener has /livez, /readyz, /metrics and /revision",
                &none,
            ),
        }
    }

    /// What is served, and what became of the last reload, for people and for scripts that wait for one.
    fn revision(&self) -> String {
        let (version, reloads) = (self.versions.current(), self.reloads.so_far());
        let shown = serde_json::json!({
            "application": version.app.name,
            "version": version.app.version,
            "generation": version.revision.generation,
            "revision": &*version.revision.short,
            "digest": version.revision.digest,
            "reloads": { "ok": reloads.ok, "refused": reloads.refused },
            "problem": reloads.problem,
            "draining": self.versions.draining(),
        });
        format!("{shown}\n")
    }

    async fn not_ready(&self, query: Option<&str>) -> Option<String> {
        if self.lifecycle.is_leaving() {
            return Some("stopping".into());
        }
        if query == Some(WITHOUT_STORES) {
            return None;
        }
        for (name, store) in self.versions.current().app.stores.iter() {
            match tokio::time::timeout(STORE_TIMEOUT, store.ping()).await {
                Ok(Ok(())) => {}
                Ok(Err(error)) => return Some(format!("key-value store {name:?}: {error}")),
                Err(_) => return Some(format!("key-value store {name:?} does not answer")),
            }
        }
        None
    }
}
