//! The two paths that Spin answers itself.

use bytes::Bytes;
use http::StatusCode;
use spinfo_manifest::WELL_KNOWN_PREFIX;
use spinfo_program::server::{JSON, TEXT, response};

use super::problem::HostResponse;
use crate::runtime::app::App;

/// Whether no route can match a path, because Spin keeps it for itself.
pub(crate) fn is_reserved(path: &str) -> bool {
    path.starts_with(WELL_KNOWN_PREFIX)
}

/// The answer to one of the two paths.
pub(crate) fn answer_for(app: &App, path: &str) -> Option<HostResponse> {
    match path.strip_prefix(WELL_KNOWN_PREFIX)? {
        "health" => Some(response(StatusCode::OK, TEXT, Bytes::from_static(b"OK"))),
        "info" => Some(response(StatusCode::OK, JSON, app.info())),
        _ => None,
    }
}
