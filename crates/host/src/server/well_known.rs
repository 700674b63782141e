//! The two paths that Spin itself answers.

use bytes::Bytes;
use http::StatusCode;

use super::problem::{HostResponse, answer};
use crate::app::App;

const PREFIX: &str = "/.well-known/spin/";

/// The answer to a path under `/.well-known/spin/`; other such paths are left to the routes, which Spin's answer 404 to.
pub(crate) fn answer_for(app: &App, path: &str) -> Option<HostResponse> {
    match path.strip_prefix(PREFIX)? {
        "health" => Some(answer(
            StatusCode::OK,
            "text/plain; charset=utf-8",
            Bytes::from_static(b"OK"),
        )),
        "info" => Some(answer(StatusCode::OK, "application/json", app.info())),
        _ => None,
    }
}
