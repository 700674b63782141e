//! What is asked, what comes back, and how a request looks on the wire.

use std::fmt;
use std::time::Instant;

use bytes::Bytes;
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_LENGTH, HOST, PROXY_AUTHORIZATION, USER_AGENT};
use http::uri::Authority;
use http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, Version};
use http_body_util::Full;

use crate::failure::{Failure, FailureKind};
use crate::target::Target;

/// What is asked.
#[derive(Clone, Debug)]
pub struct Request<'a> {
    /// The method.
    pub method: Method,
    /// The URL. Its host is the one that the connection is for.
    pub target: &'a Target,
    /// Headers beside `Host`, `User-Agent`, `Accept`, the length and the URL's `Authorization`; where one of those is here, it is taken from here.
    pub headers: &'a HeaderMap,
    /// The body; empty for none.
    pub body: Bytes,
}

/// What an answer may cost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// The longest body in bytes.
    pub body_bytes: usize,
    /// The moment by which the last byte must be here.
    pub deadline: Instant,
}

/// A whole answer.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The status.
    pub status: StatusCode,
    /// The protocol's version.
    pub version: Version,
    /// The headers.
    pub headers: HeaderMap,
    /// The whole body.
    pub body: Bytes,
    /// Just before the request's first byte was handed to the system: not after the server received it.
    pub sent_at: Instant,
    /// Just after the read that completed the head: not before the server sent the head.
    pub head_at: Instant,
    /// Just after the read that brought the last byte: not before the server sent the body. For a short answer it is mostly `head_at`.
    pub finished_at: Instant,
}

/// How a request names what it asks for.
#[derive(Clone, Copy)]
pub(crate) enum Form<'a> {
    /// Path and query, with the host in `Host` (RFC 9112, section 3.2.1).
    Origin,
    /// The whole URL, for a proxy that asks the server itself (RFC 9112, section 3.2.2).
    Absolute(&'a Target),
    /// The whole URL, which becomes HTTP/2's pseudo-headers (RFC 9113, section 8.3.1).
    Http2,
}

/// The request as it is sent.
pub(crate) fn build(
    request: Request<'_>,
    form: Form<'_>,
    user_agent: Option<&HeaderValue>,
) -> Result<http::Request<Full<Bytes>>, Failure> {
    let Request {
        method,
        target,
        headers,
        body,
    } = request;
    let mut headers = headers.clone();
    let mut add = |name, value: Option<&HeaderValue>| {
        if let Some(value) = value {
            headers.entry(name).or_insert_with(|| value.clone());
        }
    };
    add(ACCEPT, Some(&HeaderValue::from_static("*/*")));
    add(USER_AGENT, user_agent);
    add(AUTHORIZATION, target.authorization());
    if body.is_empty() && matches!(method, Method::POST | Method::PUT | Method::PATCH) {
        // RFC 9110, section 8.6: where a body is expected, its absence is said.
        add(CONTENT_LENGTH, Some(&HeaderValue::from_static("0")));
    }
    let host = HeaderValue::from_str(&target.authority()).map_err(|error| unsendable(&error))?;
    add(HOST, Some(&host));
    let uri = match form {
        Form::Origin => target.path_and_query().parse(),
        Form::Absolute(proxy) => {
            add(PROXY_AUTHORIZATION, proxy.authorization());
            target.url().as_str().parse()
        }
        Form::Http2 => {
            // HTTP/2 has `:authority` in the place of `Host`, so that a `Host` of the caller's goes there.
            let host = headers.remove(HOST).unwrap_or(host);
            let mut parts = target
                .url()
                .as_str()
                .parse::<Uri>()
                .map_err(|error| unsendable(&error))?
                .into_parts();
            parts.authority =
                Some(Authority::try_from(host.as_bytes()).map_err(|error| unsendable(&error))?);
            Ok(Uri::from_parts(parts).map_err(|error| unsendable(&error))?)
        }
    };
    let mut message = http::Request::new(Full::new(body));
    *message.method_mut() = method;
    *message.uri_mut() = uri.map_err(|error| unsendable(&error))?;
    *message.headers_mut() = headers;
    Ok(message)
}

fn unsendable(error: &dyn fmt::Display) -> Failure {
    Failure::new(
        FailureKind::Protocol,
        format!("the request can't be sent: {error}"),
    )
}
