//! `GET /files?limit=&before=`: the uploads as JSON, newest first, page by page.

use jiff::Timestamp;
use serde::Serialize;
use spinfo_guest::{Answer, Cx, Problem, Request, Response};

use crate::STORE;
use crate::uploads::{Page, Upload, Uploads};

#[cfg(test)]
mod tests;

/// Files on a page unless the client says otherwise.
const DEFAULT_LIMIT: usize = 100;
/// Files on a page at most, some 250 KiB of JSON.
const LARGEST_LIMIT: usize = 1000;

/// One upload.
#[derive(Serialize)]
pub(crate) struct FileView {
    name: String,
    words: u32,
    unique_words: u32,
    bytes: u64,
    uploaded_at: Timestamp,
    url: String,
}

impl FileView {
    pub(crate) fn new(name: String, upload: &Upload) -> Self {
        Self {
            name,
            words: upload.counts.words,
            unique_words: upload.counts.unique,
            bytes: upload.bytes,
            uploaded_at: upload.uploaded_at,
            url: upload.path(),
        }
    }
}

#[derive(Serialize)]
struct FilesView {
    files: Vec<FileView>,
    /// On all pages.
    total: usize,
    /// The path of the next page.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<String>,
}

pub(crate) async fn files(cx: Cx, request: Request) -> Answer {
    let page = page(&request)?;
    let uploads = Uploads::new(cx.store(STORE).await?);
    let listing = uploads.list(page, cx.now()).await?;
    let next = listing.files.last().filter(|_| listing.more).map(|last| {
        let before = last.upload.exact_name();
        format!("/files?limit={}&before={before}", page.limit)
    });
    let view = |listed: crate::uploads::Listed| FileView::new(listed.name, &listed.upload);
    let response = Response::json(&FilesView {
        files: listing.files.into_iter().map(view).collect(),
        total: listing.total,
        next,
    })?;
    Ok(response.header("cache-control", "no-store"))
}

fn page(request: &Request) -> Result<Page, Problem> {
    let wrong = |field: &str, detail: String| {
        Problem::bad_request(format!("{field} {detail}")).field(field, detail)
    };
    let limit = match request.query("limit") {
        None => DEFAULT_LIMIT,
        Some(text) => text
            .parse()
            .ok()
            .filter(|limit| (1..=LARGEST_LIMIT).contains(limit))
            .ok_or_else(|| {
                wrong(
                    "limit",
                    format!("must be a number from 1 to {LARGEST_LIMIT}"),
                )
            })?,
    };
    let before =
        match request.query("before") {
            None => None,
            Some(name) => Some(Upload::parse(&name).ok_or_else(|| {
                wrong("before", "must come from `next` of another page".to_owned())
            })?),
        };
    Ok(Page { limit, before })
}
