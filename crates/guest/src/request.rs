//! One request as a handler sees it.

use std::borrow::Cow;

use bytes::Bytes;
use http::{HeaderMap, Method};
use percent_encoding::percent_decode_str;
use serde::de::DeserializeOwned;

use crate::body::{IncomingBody, LimitedBody};
use crate::fields::Fields;
use crate::negotiate::{Media, negotiate};
use crate::problem::Problem;

/// Names and values of path parameters, as sent.
pub(crate) type Params = Vec<(&'static str, String)>;

/// What comes before the body.
pub(crate) struct Head {
    pub(crate) method: Method,
    /// Path and query as sent.
    pub(crate) target: String,
    pub(crate) fields: Fields,
}

/// Method, path, query, headers, path parameters and the body, which is read at most once.
pub struct Request {
    head: Head,
    // Where the path ends and the query begins, at the question mark.
    path_end: usize,
    params: Params,
    body: IncomingBody,
}

impl Request {
    pub(crate) fn new(head: Head, body: IncomingBody) -> Self {
        Self {
            path_end: head.target.find('?').unwrap_or(head.target.len()),
            head,
            params: Vec::new(),
            body,
        }
    }

    /// HEAD arrives as HEAD, though it is answered by the handler of GET.
    pub fn method(&self) -> &Method {
        &self.head.method
    }

    /// The path as sent: not decoded, with its trailing slash.
    pub fn path(&self) -> &str {
        &self.head.target[..self.path_end]
    }

    /// The decoded name-value pairs of the query, in order.
    pub fn queries(&self) -> impl Iterator<Item = (Cow<'_, str>, Cow<'_, str>)> {
        let query = self.head.target[self.path_end..].strip_prefix('?');
        form_urlencoded::parse(query.unwrap_or_default().as_bytes())
    }

    /// The decoded first value of a query parameter.
    pub fn query(&self, name: &str) -> Option<Cow<'_, str>> {
        self.queries()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value)
    }

    /// All header fields.
    pub fn headers(&self) -> &HeaderMap {
        self.head.fields.map()
    }

    pub(crate) fn fields(&self) -> &Fields {
        &self.head.fields
    }

    /// A header's first value, unless it isn't visible ASCII.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers().get(name)?.to_str().ok()
    }

    /// The segment that `:name` of the route stood for, percent-decoded; for a route's `/...` ask for `"..."`.
    /// Empty when the route has no such parameter or the segment isn't UTF-8.
    pub fn param(&self, name: &str) -> Cow<'_, str> {
        self.params
            .iter()
            .find(|(key, _)| *key == name)
            .and_then(|(_, value)| percent_decode_str(value).decode_utf8().ok())
            .unwrap_or_default()
    }

    /// The offer this client likes best; see [`negotiate`]. Answers that depend on it say `vary: accept`.
    pub fn preferred(&self, offers: &[Media]) -> Media {
        let mut fields = self.head.fields.get("accept");
        match (fields.next(), fields.next()) {
            (None, _) => negotiate("", offers),
            (Some(only), None) => negotiate(only, offers),
            (Some(first), Some(second)) => negotiate(
                &fields.fold(format!("{first},{second}"), |all, next| all + "," + next),
                offers,
            ),
        }
    }

    /// The media type of the body in lower case and without parameters; empty when the client named none.
    pub fn media_type(&self) -> String {
        let value = self
            .head
            .fields
            .get("content-type")
            .next()
            .unwrap_or_default();
        value
            .split(';')
            .next()
            .unwrap_or_default()
            .trim()
            .to_ascii_lowercase()
    }

    /// The body as a stream of at most `limit` bytes.
    ///
    /// # Errors
    /// 413 when the announced length is past `limit`.
    pub fn into_body(self, limit: u64) -> Result<LimitedBody, Problem> {
        Ok(self.body.limited(limit)?)
    }

    /// The whole body.
    ///
    /// # Errors
    /// 413 past `limit` bytes, 400 when the body breaks off.
    pub async fn bytes(self, limit: u64) -> Result<Bytes, Problem> {
        Ok(self.body.limited(limit)?.bytes().await?)
    }

    /// The body as JSON.
    ///
    /// # Errors
    /// 415 unless the media type is `application/json` (or `application/…+json`), 413 past `limit` bytes, 400 when it
    /// isn't JSON, 422 when the JSON has another shape than `T`; the detail names the place.
    pub async fn json<T: DeserializeOwned>(self, limit: u64) -> Result<T, Problem> {
        let media_type = self.media_type();
        let is_json = media_type == "application/json"
            || (media_type.starts_with("application/") && media_type.ends_with("+json"));
        if !is_json {
            return Err(Problem::unsupported_media_type("application/json"));
        }
        let bytes = self.bytes(limit).await?;
        serde_json::from_slice(&bytes).map_err(|error| match error.classify() {
            serde_json::error::Category::Data => {
                Problem::unprocessable(format!("the JSON body does not fit: {error}"))
            }
            _ => Problem::bad_request(format!("the body is not JSON: {error}")),
        })
    }

    pub(crate) fn set_params(&mut self, params: Params) {
        self.params = params;
    }
}
