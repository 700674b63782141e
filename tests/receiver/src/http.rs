//! OTLP/HTTP in its binary form.

use std::io::Read as _;

use flate2::read::GzDecoder;
use http::{Request, Response, StatusCode};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::collector::trace::v1::{
    ExportTracePartialSuccess, ExportTraceServiceRequest, ExportTraceServiceResponse,
};
use prost::Message as _;
use tonic::body::Body;

use crate::received::Received;
use crate::shared::{Answer, Shared};

pub(crate) async fn answer(request: Request<Incoming>, shared: Shared) -> Response<Body> {
    let path = request.uri().path().to_owned();
    let compressed = request.headers().contains_key("content-encoding");
    // A client that goes away amid a request has sent nothing.
    let Ok(body) = request.into_body().collect().await else {
        return status(StatusCode::BAD_REQUEST);
    };
    let body = body.to_bytes();
    let mut message = ExportTraceServiceResponse::default();
    match shared.change(|state| state.answers.pop_front()) {
        Some(Answer::Status(code, retry_after)) => {
            let mut response = status(code);
            if let Some(seconds) = retry_after {
                let value = http::HeaderValue::from_static(seconds);
                response.headers_mut().insert("retry-after", value);
            }
            return response;
        }
        Some(Answer::RejectSpans(rejected_spans)) => {
            message.partial_success = Some(ExportTracePartialSuccess {
                rejected_spans,
                error_message: "too old".to_owned(),
            });
        }
        Some(answer @ Answer::Grpc(_)) => {
            return fault(&shared, format!("{answer:?} is no answer for {path}"));
        }
        None => {}
    }
    let taken = plain(&body, compressed)
        .and_then(|body| shared.change(|state| take(&path, &body, &mut state.received)));
    match taken {
        // Without a partial success the message is empty, for all signals.
        Ok(()) => Response::new(Body::new(Full::new(message.encode_to_vec().into()))),
        Err(why) => fault(&shared, format!("{path}: {why}")),
    }
}

fn plain(body: &[u8], compressed: bool) -> Result<Vec<u8>, String> {
    let mut plain = Vec::new();
    match compressed {
        true => GzDecoder::new(body).read_to_end(&mut plain),
        false => { body }.read_to_end(&mut plain),
    }
    .map_err(|error| error.to_string())?;
    Ok(plain)
}

fn take(path: &str, body: &[u8], received: &mut Received) -> Result<(), String> {
    let broken = |error: prost::DecodeError| error.to_string();
    match path {
        "/v1/traces" => {
            let message = ExportTraceServiceRequest::decode(body).map_err(broken)?;
            received.traces.extend(message.resource_spans);
        }
        "/v1/metrics" => {
            let message = ExportMetricsServiceRequest::decode(body).map_err(broken)?;
            received.metrics.extend(message.resource_metrics);
        }
        "/v1/logs" => {
            let message = ExportLogsServiceRequest::decode(body).map_err(broken)?;
            received.logs.extend(message.resource_logs);
        }
        _ => return Err("no path of OTLP".to_owned()),
    }
    Ok(())
}

fn fault(shared: &Shared, why: String) -> Response<Body> {
    shared.change(|state| state.faults.push(why));
    status(StatusCode::BAD_REQUEST)
}

fn status(code: StatusCode) -> Response<Body> {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = code;
    response
}
