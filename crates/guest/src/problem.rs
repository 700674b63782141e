//! Errors as answers: `application/problem+json` (RFC 9457).

use std::fmt::Display;

use http::{HeaderValue, Method, StatusCode};
use serde::Serialize;

use crate::body::BodyError;
use crate::response::Response;
use crate::store::StoreError;

/// What went wrong, for the client (`status`, `detail`, `errors`) and for the operator (`cause`, which is logged and
/// never sent). The trace id joins the two.
#[derive(Debug)]
pub struct Problem {
    status: StatusCode,
    detail: String,
    errors: Vec<FieldError>,
    headers: Vec<(&'static str, String)>,
    cause: Option<String>,
}

/// One member of the input that can't be accepted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FieldError {
    /// The member's name as the client wrote it.
    pub field: String,
    /// What is wrong with it.
    pub detail: String,
}

impl Problem {
    /// A problem of the given status; `detail` is one sentence for the client.
    pub fn new(status: StatusCode, detail: impl Into<String>) -> Self {
        Self {
            status,
            detail: detail.into(),
            errors: Vec::new(),
            headers: Vec::new(),
            cause: None,
        }
    }

    /// 400
    pub fn bad_request(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, detail)
    }

    /// 401 with the challenge RFC 6750 asks for.
    pub fn unauthorized(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::UNAUTHORIZED, detail)
            .header("www-authenticate", r#"Bearer realm="spinfo""#)
    }

    /// 404
    pub fn not_found(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, detail)
    }

    /// 405 with the methods that are allowed.
    pub fn method_not_allowed(method: &Method, allow: &str) -> Self {
        Self::new(
            StatusCode::METHOD_NOT_ALLOWED,
            format!("{method} is not allowed here, but {allow}"),
        )
        .header("allow", allow)
    }

    /// 413
    pub fn too_large(limit: u64) -> Self {
        Self::new(
            StatusCode::PAYLOAD_TOO_LARGE,
            format!("the body is larger than {limit} bytes"),
        )
    }

    /// 415 with the media type that would be accepted.
    pub fn unsupported_media_type(expected: &str) -> Self {
        Self::new(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            format!("the content-type must be {expected}"),
        )
        .header("accept", expected)
    }

    /// 422
    pub fn unprocessable(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, detail)
    }

    /// 500; the client reads a plain sentence, the operator `cause`.
    pub fn internal(cause: impl Display) -> Self {
        Self::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "the server met an unexpected error",
        )
        .cause(cause)
    }

    /// 503
    pub fn unavailable(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, detail)
    }

    /// Adds a member of the input to `errors`.
    #[must_use]
    pub fn field(mut self, field: impl Into<String>, detail: impl Into<String>) -> Self {
        self.errors.push(FieldError {
            field: field.into(),
            detail: detail.into(),
        });
        self
    }

    /// Adds a response header.
    #[must_use]
    pub fn header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    /// What the operator's log says.
    #[must_use]
    pub fn cause(mut self, cause: impl Display) -> Self {
        self.cause = Some(cause.to_string());
        self
    }

    /// The status of the answer.
    pub fn status(&self) -> StatusCode {
        self.status
    }

    /// The sentence for the client.
    pub fn detail(&self) -> &str {
        &self.detail
    }

    pub(crate) fn operator_message(&self) -> &str {
        self.cause.as_deref().unwrap_or(&self.detail)
    }

    pub(crate) fn into_response(self, trace_id: &str) -> Response {
        let document = Document {
            kind: "about:blank",
            title: self.status.canonical_reason().unwrap_or("Error"),
            status: self.status.as_u16(),
            detail: &self.detail,
            trace_id,
            errors: &self.errors,
        };
        let mut body = serde_json::to_vec(&document).unwrap_or_default();
        body.push(b'\n');
        let mut response = Response::bytes("application/problem+json", body).status(self.status);
        response
            .headers
            .insert("cache-control", HeaderValue::from_static("no-store"));
        for (name, value) in self.headers {
            response = response.header(name, value);
        }
        response
    }
}

/// The members of RFC 9457, section 3.1, and two extensions. `about:blank`: the status says all about the kind.
#[derive(Serialize)]
struct Document<'a> {
    #[serde(rename = "type")]
    kind: &'a str,
    title: &'a str,
    status: u16,
    detail: &'a str,
    trace_id: &'a str,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    errors: &'a [FieldError],
}

impl From<BodyError> for Problem {
    fn from(error: BodyError) -> Self {
        match error {
            BodyError::TooLarge { limit } => Self::too_large(limit),
            BodyError::Interrupted(_) => Self::bad_request("the body ended early").cause(error),
        }
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Corrupt { .. } => Self::internal(error),
            StoreError::Unavailable { .. } | StoreError::Denied { .. } => {
                Self::unavailable("the key-value store is not available")
                    .header("retry-after", "5")
                    .cause(error)
            }
        }
    }
}

/// What a component writes as JSON is its own, so the mistake is too. A client's JSON is read by
/// [`Request::json`](crate::Request::json).
impl From<serde_json::Error> for Problem {
    fn from(error: serde_json::Error) -> Self {
        Self::internal(error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::response::Body;

    fn document(problem: Problem) -> serde_json::Value {
        match problem
            .into_response("4bf92f3577b34da6a3ce929d0e0e4736")
            .body
        {
            Body::Full(bytes) => serde_json::from_slice(&bytes).unwrap(),
            Body::Stream(_) => unreachable!("a problem is never streamed"),
        }
    }

    #[test]
    fn the_members_are_those_of_the_rfc_with_the_trace_id() {
        let problem = Problem::unprocessable("the state is invalid")
            .field("code", "must be between 200 and 599");
        assert_eq!(
            document(problem),
            serde_json::json!({
                "type": "about:blank",
                "title": "Unprocessable Entity",
                "status": 422,
                "detail": "the state is invalid",
                "trace_id": "4bf92f3577b34da6a3ce929d0e0e4736",
                "errors": [{"field": "code", "detail": "must be between 200 and 599"}],
            })
        );
    }

    #[test]
    fn the_cause_stays_inside() {
        let problem = Problem::internal("password=hunter2");
        assert_eq!(problem.operator_message(), "password=hunter2");
        assert!(!document(problem).to_string().contains("hunter2"));
    }

    #[test]
    fn a_missing_store_is_503_and_a_corrupt_value_500() {
        let missing = StoreError::Unavailable {
            operation: "get",
            reason: "disk full".to_owned(),
        };
        assert_eq!(
            Problem::from(missing).status(),
            StatusCode::SERVICE_UNAVAILABLE
        );
        let corrupt = StoreError::Corrupt {
            key: "k".to_owned(),
            reason: "eof".to_owned(),
        };
        assert_eq!(
            Problem::from(corrupt).status(),
            StatusCode::INTERNAL_SERVER_ERROR
        );
    }
}
