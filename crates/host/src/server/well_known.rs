//! The two paths that Spin itself answers.

use bytes::Bytes;
use http::StatusCode;
use spinfo_manifest::WELL_KNOWN_PREFIX;

use super::problem::{HostResponse, answer};
use crate::app::App;

/// Whether no route can match a path, because Spin keeps it for itself.
pub(crate) fn is_reserved(path: &str) -> bool {
    path.starts_with(WELL_KNOWN_PREFIX)
}

/// The answer to one of the two paths.
pub(crate) fn answer_for(app: &App, path: &str) -> Option<HostResponse> {
    match path.strip_prefix(WELL_KNOWN_PREFIX)? {
        "health" => Some(answer(
            StatusCode::OK,
            "text/plain; charset=utf-8",
            Bytes::from_static(b"OK"),
        )),
        "info" => Some(answer(StatusCode::OK, "application/json", app.info())),
        _ => None,
    }
}
