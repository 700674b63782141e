//! OTLP/HTTP in its binary form.

use std::io::Read as _;

use bytes::Bytes;
use http::{Request, Response, StatusCode};
use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use prost::Message as _;
use tonic::body::Body;

use super::Shared;

pub(super) async fn answer(request: Request<Incoming>, shared: Shared) -> Response<Body> {
    let path = request.uri().path().to_owned();
    let compressed = request.headers().contains_key("content-encoding");
    // An empty answer is one without a partial success.
    let mut response = Response::new(Body::empty());
    let body = request
        .into_body()
        .collect()
        .await
        .ok()
        .map(|body| body.to_bytes());
    let body = body.and_then(|body| {
        if compressed {
            gunzip(&body)
        } else {
            Some(body)
        }
    });
    if body.and_then(|body| take(&path, body, &shared)).is_none() {
        *response.status_mut() = StatusCode::BAD_REQUEST;
    }
    response
}

fn take(path: &str, body: Bytes, shared: &Shared) -> Option<()> {
    match path {
        "/v1/traces" => {
            let spans = ExportTraceServiceRequest::decode(body).ok()?.resource_spans;
            shared.add(|received| received.traces.extend(spans));
        }
        "/v1/metrics" => {
            let metrics = ExportMetricsServiceRequest::decode(body)
                .ok()?
                .resource_metrics;
            shared.add(|received| received.metrics.extend(metrics));
        }
        "/v1/logs" => {
            let logs = ExportLogsServiceRequest::decode(body).ok()?.resource_logs;
            shared.add(|received| received.logs.extend(logs));
        }
        _ => return None,
    }
    shared.add(|received| received.paths.push(path.to_owned()));
    Some(())
}

fn gunzip(body: &[u8]) -> Option<Bytes> {
    let mut plain = Vec::new();
    flate2::read::GzDecoder::new(body)
        .read_to_end(&mut plain)
        .ok()?;
    Some(plain.into())
}
