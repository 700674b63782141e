//! Requests and answers of a test.

use bytes::Bytes;
use futures::stream;
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use spinfo_manifest::Router;

use crate::body::IncomingBody;
use crate::fields::Fields;
use crate::request::{Head, Request};

/// A request as a client sends it.
#[derive(Debug, Clone)]
pub struct TestRequest {
    fields: HeaderMap,
    method: Method,
    uri: String,
    chunks: Vec<Bytes>,
    announced: bool,
}

impl TestRequest {
    /// A request without a body; `uri` is a path and perhaps a query.
    pub fn new(method: Method, uri: &str) -> Self {
        Self {
            fields: HeaderMap::new(),
            method,
            uri: uri.to_owned(),
            chunks: Vec::new(),
            announced: true,
        }
    }

    /// GET
    pub fn get(uri: &str) -> Self {
        Self::new(Method::GET, uri)
    }

    /// POST
    pub fn post(uri: &str) -> Self {
        Self::new(Method::POST, uri)
    }

    /// Adds a header.
    ///
    /// # Panics
    /// When HTTP doesn't allow the value.
    #[must_use]
    pub fn header(mut self, name: &'static str, value: &str) -> Self {
        self.fields
            .append(name, value.parse().expect("a header value"));
        self
    }

    /// A body whose length is announced.
    #[must_use]
    pub fn body(mut self, body: impl Into<Bytes>) -> Self {
        self.chunks = vec![body.into()];
        self
    }

    /// A body in chunks, of unannounced length.
    #[must_use]
    pub fn chunks(mut self, chunks: impl IntoIterator<Item = Bytes>) -> Self {
        self.chunks = chunks.into_iter().collect();
        self.announced = false;
        self
    }

    /// A JSON body.
    #[must_use]
    pub fn json(self, body: &str) -> Self {
        self.header("content-type", "application/json")
            .body(body.to_owned())
    }

    /// Adds what a host says about the route that matches; nothing when none does, so that the component's own 404 is tested.
    pub(crate) fn routed(mut self, router: &Router) -> Self {
        let path = self.uri.split('?').next().unwrap_or_default();
        if let Some(found) = router.find(path) {
            for (name, value) in found.spin_headers() {
                let name = HeaderName::try_from(name).expect("a field's name");
                let value = HeaderValue::from_str(&value).expect("a field's value");
                self.fields.append(name, value);
            }
        }
        self
    }

    pub(crate) fn into_request(self) -> Request {
        let length = self.chunks.iter().map(|chunk| chunk.len() as u64).sum();
        let fields = self
            .fields
            .iter()
            .map(|(name, value)| (name.as_str().to_owned(), value.as_bytes().to_vec()));
        let head = Head {
            method: self.method,
            target: self.uri,
            fields: Fields::new(fields.collect()),
        };
        let chunks = stream::iter(self.chunks.into_iter().map(Ok));
        Request::new(
            head,
            IncomingBody::new(chunks, self.announced.then_some(length)),
        )
    }
}

/// An answer as a client sees it.
#[derive(Debug)]
pub struct TestResponse {
    /// The status.
    pub status: StatusCode,
    /// The header fields.
    pub headers: HeaderMap,
    /// The body as it was sent; one piece unless it was streamed.
    pub chunks: Vec<Bytes>,
}

impl TestResponse {
    /// A header's value; empty when there is none.
    pub fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default()
    }

    /// The whole body.
    pub fn bytes(&self) -> Vec<u8> {
        self.chunks.concat()
    }

    /// The whole body as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.bytes()).into_owned()
    }

    /// The whole body as JSON; null when it isn't.
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.bytes()).unwrap_or_default()
    }
}
