//! Answers.

use std::fmt;

use bytes::Bytes;
use futures::Stream;
use futures::stream::{LocalBoxStream, StreamExt};
use http::header::{CONTENT_TYPE, HeaderName};
use http::{HeaderMap, HeaderValue, StatusCode};
use serde::Serialize;

/// What an HTML page may load: nothing from elsewhere, only its own inline styles. A page that needs more replaces the
/// header with [`Response::header`].
pub const PAGE_POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; form-action 'self'; \
                               base-uri 'none'; frame-ancestors 'none'";

/// Status, headers and body of an answer. The crate adds `traceresponse`, `x-content-type-options` and `content-length`.
#[derive(Debug)]
pub struct Response {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Body,
}

pub(crate) enum Body {
    Full(Bytes),
    Stream(LocalBoxStream<'static, Bytes>),
}

impl fmt::Debug for Body {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Full(bytes) => write!(f, "Full({} bytes)", bytes.len()),
            Self::Stream(_) => f.write_str("Stream"),
        }
    }
}

impl Response {
    /// An answer without a body.
    pub fn empty(status: StatusCode) -> Self {
        Self {
            status,
            headers: HeaderMap::with_capacity(8),
            body: Body::Full(Bytes::new()),
        }
    }

    /// `text/plain` in UTF-8, exactly these bytes.
    pub fn text(body: impl Into<Bytes>) -> Self {
        Self::bytes("text/plain; charset=utf-8", body)
    }

    /// A self-contained page under [`PAGE_POLICY`]. Text from outside goes through [`crate::escape`] first.
    pub fn html(page: impl Into<Bytes>) -> Self {
        Self::bytes("text/html; charset=utf-8", page)
            .header("content-security-policy", PAGE_POLICY)
            .header("referrer-policy", "no-referrer")
    }

    /// `application/json` and a final newline.
    ///
    /// # Errors
    /// When `value` can't be written as JSON (a map with keys that aren't text, for example); `?` turns that into 500.
    pub fn json(value: &impl Serialize) -> Result<Self, serde_json::Error> {
        let mut body = serde_json::to_vec(value)?;
        body.push(b'\n');
        Ok(Self::bytes("application/json", body))
    }

    /// A body of any static media type.
    pub fn bytes(content_type: &'static str, body: impl Into<Bytes>) -> Self {
        let mut response = Self::empty(StatusCode::OK);
        response
            .headers
            .insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
        response.body = Body::Full(body.into());
        response
    }

    /// A body of unknown length, sent chunk by chunk as the stream yields them.
    pub fn stream(content_type: &'static str, chunks: impl Stream<Item = Bytes> + 'static) -> Self {
        let mut response = Self::bytes(content_type, Bytes::new());
        response.body = Body::Stream(chunks.boxed_local());
        response
    }

    /// Replaces the status.
    #[must_use]
    pub fn status(mut self, status: StatusCode) -> Self {
        self.status = status;
        self
    }

    /// Sets a header. A value that HTTP forbids (control characters) is left out, so no input can split the answer.
    #[must_use]
    pub fn header(mut self, name: &'static str, value: impl AsRef<str>) -> Self {
        if let Ok(value) = HeaderValue::from_str(value.as_ref()) {
            self.headers.insert(HeaderName::from_static(name), value);
        }
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_with_a_line_break_is_left_out() {
        let response = Response::text("x").header("location", "/a\r\nset-cookie: b=c");
        assert!(response.headers.get("location").is_none());
    }

    #[test]
    fn json_ends_in_a_newline() {
        let response = Response::json(&[1, 2]).unwrap();
        assert!(matches!(&response.body, Body::Full(bytes) if bytes == "[1,2]\n"));
        assert_eq!(response.headers["content-type"], "application/json");
    }
}
