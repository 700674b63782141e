//! OTLP/gRPC: a unary call written as the HTTP/2 request that it is (gRPC over HTTP/2, `PROTOCOL-HTTP2.md`).

use bytes::{BufMut as _, Bytes, BytesMut};
use http::{HeaderMap, HeaderValue, Method, Request, StatusCode, header};
use http_body_util::{BodyExt as _, Full, Limited};
use percent_encoding::percent_decode;

use super::http::{is_passing, passing, refusal, retry_after};
use super::{Exporter, Failure, MAX_RESPONSE, chain};
use crate::settings::Compression;

/// A message is preceded by one byte for "compressed" and four for its length.
const PREFIX: usize = 5;

/// Codes after which the OTLP specification asks for a retry: CANCELLED, DEADLINE_EXCEEDED, ABORTED, OUT_OF_RANGE, UNAVAILABLE and
/// DATA_LOSS. RESOURCE_EXHAUSTED is one only together with a RetryInfo, which receivers send with UNAVAILABLE as well.
const PASSING_CODES: [u16; 6] = [1, 4, 10, 11, 14, 15];

/// One call; the message of a success.
pub(super) async fn attempt(exporter: &Exporter, message: Bytes) -> Result<Bytes, Failure> {
    let compressed = exporter.compression == Compression::Gzip;
    let mut request = Request::new(Full::new(framed(&message, compressed)?));
    *request.method_mut() = Method::POST;
    *request.uri_mut() = exporter.endpoint.clone();
    let headers = request.headers_mut();
    headers.clone_from(&exporter.headers);
    headers.insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("application/grpc"),
    );
    headers.insert(header::TE, HeaderValue::from_static("trailers"));
    if compressed {
        headers.insert("grpc-encoding", HeaderValue::from_static("gzip"));
    }

    let response = exporter
        .client
        .request(request)
        .await
        .map_err(|why| passing(chain(&why)))?;
    let (head, body) = response.into_parts();
    if head.status != StatusCode::OK {
        let reason = refusal(head.status);
        return Err(if is_passing(head.status) {
            Failure::Passing {
                reason,
                pause: retry_after(&head.headers),
            }
        } else {
            Failure::Final(reason)
        });
    }
    let body = Limited::new(body, MAX_RESPONSE)
        .collect()
        .await
        .map_err(|why| passing(chain(&*why)))?;
    // A call that fails at once has its status in the headers and no body ("Trailers-Only").
    let status = body
        .trailers()
        .filter(|trailers| trailers.contains_key("grpc-status"))
        .unwrap_or(&head.headers);
    check(status)?;
    let body = body.to_bytes();
    Ok(if body.len() > PREFIX {
        body.slice(PREFIX..)
    } else {
        Bytes::new()
    })
}

fn framed(message: &[u8], compressed: bool) -> Result<Bytes, Failure> {
    let length = u32::try_from(message.len())
        .map_err(|_| Failure::Final("the batch is larger than a gRPC message can be".to_owned()))?;
    let mut frame = BytesMut::with_capacity(PREFIX + message.len());
    frame.put_u8(compressed.into());
    frame.put_u32(length);
    frame.put_slice(message);
    Ok(frame.freeze())
}

fn check(status: &HeaderMap) -> Result<(), Failure> {
    let code: Option<u16> = status
        .get("grpc-status")
        .and_then(|code| code.to_str().ok()?.parse().ok());
    let Some(code) = code else {
        return Err(Failure::Final(
            "the receiver does not speak gRPC; is this its port for OTLP over HTTP?".to_owned(),
        ));
    };
    if code == 0 {
        return Ok(());
    }
    let message = status
        .get("grpc-message")
        .map(|text| percent_decode(text.as_bytes()).decode_utf8_lossy());
    let reason = format!(
        "the receiver answers gRPC status {code} {}",
        message.unwrap_or_default()
    );
    let reason = reason.trim_end().to_owned();
    Err(if PASSING_CODES.contains(&code) {
        passing(reason)
    } else {
        Failure::Final(reason)
    })
}
