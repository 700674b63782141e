//! OTLP/HTTP with protobuf bodies (OTLP specification, "OTLP/HTTP").

use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, Request, StatusCode, header};
use http_body_util::{BodyExt as _, Full, Limited};

use super::{Exporter, Failure, MAX_RESPONSE, chain};
use crate::settings::Compression;

/// One request; the body of a success.
pub(super) async fn attempt(exporter: &Exporter, message: Bytes) -> Result<Bytes, Failure> {
    let mut request = Request::new(Full::new(message));
    *request.method_mut() = Method::POST;
    *request.uri_mut() = exporter.endpoint.clone();
    let headers = request.headers_mut();
    headers.clone_from(&exporter.headers);
    headers.insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("application/x-protobuf"),
    );
    if exporter.compression == Compression::Gzip {
        headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    }

    let response = exporter
        .client
        .request(request)
        .await
        .map_err(|why| passing(chain(&why)))?;
    let (head, body) = response.into_parts();
    let body = Limited::new(body, MAX_RESPONSE).collect().await;
    match head.status {
        status if status.is_success() => body
            .map(http_body_util::Collected::to_bytes)
            .map_err(|why| passing(chain(&*why))),
        status if is_passing(status) => Err(Failure::Passing {
            reason: refusal(status),
            pause: retry_after(&head.headers),
        }),
        status => Err(Failure::Final(refusal(status))),
    }
}

/// The statuses after which the specification asks for a retry.
pub(super) fn is_passing(status: StatusCode) -> bool {
    matches!(
        status,
        StatusCode::TOO_MANY_REQUESTS
            | StatusCode::BAD_GATEWAY
            | StatusCode::SERVICE_UNAVAILABLE
            | StatusCode::GATEWAY_TIMEOUT
    )
}

/// `Retry-After` in seconds (RFC 9110, section 10.2.3). Its other form, a date, would need the clocks to agree.
pub(super) fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    headers
        .get(header::RETRY_AFTER)?
        .to_str()
        .ok()?
        .trim()
        .parse()
        .ok()
        .map(Duration::from_secs)
}

pub(super) fn refusal(status: StatusCode) -> String {
    format!("the receiver answers {status}")
}

pub(super) fn passing(reason: String) -> Failure {
    Failure::Passing {
        reason,
        pause: None,
    }
}
