//! An OTLP receiver for tests: HTTP/protobuf decoded by hand, gRPC through the service that opentelemetry-proto generates.

use std::collections::VecDeque;
use std::io::Read as _;
use std::net::SocketAddr;
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::{HeaderMap, Request, Response, StatusCode};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::collector::trace::v1::{
    ExportTracePartialSuccess, ExportTraceServiceRequest, ExportTraceServiceResponse,
};
use opentelemetry_proto::tonic::logs::v1::{LogRecord, ResourceLogs};
use opentelemetry_proto::tonic::metrics::v1::{Metric, ResourceMetrics};
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, Span};
use prost::Message;
use rustls::ServerConfig;
use tokio::net::TcpListener;
use tokio::runtime::{Builder, Runtime};
use tokio_rustls::TlsAcceptor;

mod grpc;

/// How long a test waits for something that should happen soon.
const PATIENCE: Duration = Duration::from_secs(20);

/// Everything that has arrived.
#[derive(Default)]
pub(crate) struct Received {
    pub(crate) requests: Vec<(String, HeaderMap)>,
    pub(crate) traces: Vec<ResourceSpans>,
    pub(crate) metrics: Vec<ResourceMetrics>,
    pub(crate) logs: Vec<ResourceLogs>,
    /// Answers to give before the usual one, the first first.
    pub(crate) answers: VecDeque<Answer>,
}

/// An answer that is no plain success.
#[derive(Clone, Copy)]
pub(crate) enum Answer {
    Status(StatusCode, Option<&'static str>),
    Grpc(tonic::Code),
    RejectSpans(i64),
}

impl Received {
    pub(crate) fn spans(&self) -> Vec<&Span> {
        self.traces
            .iter()
            .flat_map(|resource| &resource.scope_spans)
            .flat_map(|scope| &scope.spans)
            .collect()
    }

    pub(crate) fn records(&self) -> Vec<&LogRecord> {
        self.logs
            .iter()
            .flat_map(|resource| &resource.scope_logs)
            .flat_map(|scope| &scope.log_records)
            .collect()
    }

    /// Exports of one metric, the oldest first.
    pub(crate) fn metric(&self, name: &str) -> Vec<&Metric> {
        let metrics = self
            .metrics
            .iter()
            .flat_map(|resource| &resource.scope_metrics)
            .flat_map(|scope| &scope.metrics);
        metrics.filter(|metric| metric.name == name).collect()
    }
}

#[derive(Clone, Default)]
pub(crate) struct Shared(Arc<(Mutex<Received>, Condvar)>);

impl Shared {
    fn change<T>(&self, change: impl FnOnce(&mut Received) -> T) -> T {
        let result = change(&mut self.0.0.lock().unwrap());
        self.0.1.notify_all();
        result
    }
}

/// A receiver on a port of its own; dropping it closes the port.
pub(crate) struct Receiver {
    address: SocketAddr,
    scheme: &'static str,
    shared: Shared,
    _runtime: Runtime,
}

impl Receiver {
    pub(crate) fn start() -> Self {
        Self::start_on("http", None)
    }

    pub(crate) fn start_with_tls(config: ServerConfig) -> Self {
        Self::start_on("https", Some(TlsAcceptor::from(Arc::new(config))))
    }

    fn start_on(scheme: &'static str, tls: Option<TlsAcceptor>) -> Self {
        let runtime = Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .unwrap();
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
        let address = listener.local_addr().unwrap();
        let shared = Shared::default();
        runtime.spawn(serve(listener, tls, shared.clone()));
        Self {
            address,
            scheme,
            shared,
            _runtime: runtime,
        }
    }

    pub(crate) fn url(&self) -> String {
        format!("{}://{}", self.scheme, self.address)
    }

    pub(crate) fn answer(&self, answers: &[Answer]) {
        self.shared
            .change(|received| received.answers.extend(answers));
    }

    pub(crate) fn look<T>(&self, look: impl FnOnce(&Received) -> T) -> T {
        look(&self.shared.0.0.lock().unwrap())
    }

    /// Waits until `ready` holds.
    pub(crate) fn wait(&self, what: &str, ready: impl Fn(&Received) -> bool) {
        let end = Instant::now() + PATIENCE;
        let mut received = self.shared.0.0.lock().unwrap();
        while !ready(&received) {
            let left = end.saturating_duration_since(Instant::now());
            assert!(!left.is_zero(), "still waiting for {what}");
            received = self.shared.0.1.wait_timeout(received, left).unwrap().0;
        }
    }
}

async fn serve(listener: TcpListener, tls: Option<TlsAcceptor>, shared: Shared) {
    while let Ok((stream, _)) = listener.accept().await {
        let (shared, tls) = (shared.clone(), tls.clone());
        tokio::spawn(async move {
            match tls {
                None => converse(TokioIo::new(stream), shared).await,
                // A client that does not trust this receiver breaks off, which is what some tests are about.
                Some(tls) => {
                    if let Ok(stream) = tls.accept(stream).await {
                        converse(TokioIo::new(stream), shared).await;
                    }
                }
            }
        });
    }
}

async fn converse<I: hyper::rt::Read + hyper::rt::Write + Unpin + Send + 'static>(
    io: I,
    shared: Shared,
) {
    let service = service_fn(move |request| answer(request, shared.clone()));
    // The end of a connection is the client's business.
    let _ = auto::Builder::new(TokioExecutor::new())
        .serve_connection(io, service)
        .await;
}

async fn answer(
    request: Request<Incoming>,
    shared: Shared,
) -> Result<Response<tonic::body::Body>, std::convert::Infallible> {
    let entry = (request.uri().path().to_owned(), request.headers().clone());
    let is_grpc = request
        .headers()
        .get("content-type")
        .is_some_and(|kind| kind == "application/grpc");
    shared.change(|received| received.requests.push(entry));
    if is_grpc {
        return Ok(grpc::answer(request, shared).await);
    }
    let path = request.uri().path().to_owned();
    let compressed = request.headers().contains_key("content-encoding");
    let body = request.into_body().collect().await.unwrap().to_bytes();
    let body = if compressed { gunzip(&body) } else { body };
    let answer = shared.change(|received| received.answers.pop_front());
    let mut message = ExportTraceServiceResponse::default();
    match answer {
        Some(Answer::Status(status, retry_after)) => {
            let mut response = Response::builder().status(status);
            if let Some(seconds) = retry_after {
                response = response.header("retry-after", seconds);
            }
            return Ok(response.body(tonic::body::Body::empty()).unwrap());
        }
        Some(Answer::RejectSpans(rejected_spans)) => {
            let error_message = "too old".to_owned();
            message.partial_success = Some(ExportTracePartialSuccess {
                rejected_spans,
                error_message,
            });
        }
        Some(Answer::Grpc(_)) => panic!("this answer is for gRPC"),
        None => {}
    }
    shared.change(|received| match path.as_str() {
        "/v1/traces" => received.traces.extend(
            ExportTraceServiceRequest::decode(body)
                .unwrap()
                .resource_spans,
        ),
        "/v1/metrics" => received.metrics.extend(
            ExportMetricsServiceRequest::decode(body)
                .unwrap()
                .resource_metrics,
        ),
        "/v1/logs" => received.logs.extend(
            ExportLogsServiceRequest::decode(body)
                .unwrap()
                .resource_logs,
        ),
        other => panic!("{other} is no path of OTLP"),
    });
    Ok(Response::new(tonic::body::Body::new(Full::new(
        message.encode_to_vec().into(),
    ))))
}

fn gunzip(body: &[u8]) -> Bytes {
    let mut plain = Vec::new();
    flate2::read::GzDecoder::new(body)
        .read_to_end(&mut plain)
        .unwrap();
    plain.into()
}
