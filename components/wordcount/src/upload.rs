//! `POST /file_upload`: takes a file, counts its words and remembers it.
//!
//! A drop-in for the service `bldrtech/filewcount`: the same field, limit and sentences. Clients that ask for JSON
//! get JSON and problem documents, browsers the page, all others the sentences as plain text.
//!
//! The file is never in memory as a whole. An upload holds the distinct words (see [`WordCounter`] for the bound), the
//! piece that is about to be stored (256 KiB) and at most 32 KiB of the body ahead of it.

use futures::StreamExt;
use serde::Serialize;
use spinfo_guest::names::attribute::{OUTCOME, UPLOAD_OUTCOME, UPLOAD_SIZE, UPLOAD_WORDS};
use spinfo_guest::names::metric::{WORDCOUNT_UPLOADS, WORDCOUNT_WORDS};
use spinfo_guest::names::values::UploadOutcome;
use spinfo_guest::{
    Answer, Cx, KeyValue, LimitedBody, Media, Problem, Request, Response, StatusCode, StoreError,
};

use crate::STORE;
use crate::files::FileView;
use crate::form::{FILE_LIMIT, Form, FormError, OVERHEAD_LIMIT, boundary};
use crate::memory::Share;
use crate::page::{LATEST, Notice, page};
use crate::uploads::{CommitError, Upload, Uploads};
use crate::words::{Counts, NotText, WordCounter};

#[cfg(test)]
mod tests;

/// The field of the form that has the file.
const FIELD: &str = "new_file";

const MISSING_FILE: &str = "Missing File";
const NOT_TEXT: &str = "Problem parsing uploaded file. Is it TEXT?";

/// Why an upload was not remembered.
#[derive(Debug, thiserror::Error)]
enum Refusal {
    #[error("{MISSING_FILE}")]
    MissingFile,
    #[error("{NOT_TEXT}")]
    NotText(#[from] NotText),
    #[error(transparent)]
    Form(#[from] FormError),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Commit(#[from] CommitError),
}

pub(crate) async fn upload(cx: Cx, request: Request) -> Answer {
    let media = media(&request);
    let uploads = Uploads::new(cx.store(STORE).await?);
    let received = receive(&cx, &uploads, request).await;
    let outcome = match &received {
        Ok(_) => UploadOutcome::Counted,
        Err(refusal) => refusal.outcome(),
    };
    let attributes = [KeyValue::new(OUTCOME.key, outcome.as_str())];
    cx.count(&WORDCOUNT_UPLOADS, 1, &attributes);
    match received {
        Ok(upload) => {
            cx.count(&WORDCOUNT_WORDS, upload.counts.words.into(), &[]);
            counted(&cx, &uploads, media, upload).await
        }
        Err(refusal) => refused(&cx, &uploads, media, refusal).await,
    }
}

/// What the client wants: who reads problem documents reads JSON.
fn media(request: &Request) -> Media {
    let accept = request.header("accept").unwrap_or_default();
    match accept
        .to_ascii_lowercase()
        .contains("application/problem+json")
    {
        true => Media::Json,
        false => request.preferred(&[Media::Text, Media::Html, Media::Json]),
    }
}

async fn receive(cx: &Cx, uploads: &Uploads, request: Request) -> Result<Upload, Refusal> {
    let content_type = request.header("content-type").map(str::to_owned);
    let limit = (FILE_LIMIT + OVERHEAD_LIMIT) as u64;
    let mut body = request
        .into_body(limit)
        .map_err(|_| FormError::FileTooLarge)?;
    let result = match boundary(content_type.as_deref().unwrap_or_default()) {
        Ok(boundary) => remember(cx, uploads, &mut body, boundary).await,
        Err(error) => Err(error.into()),
    };
    let Err(refusal) = result else { return result };
    // A client that is still sending would not read the answer. What is left is bounded by the limit.
    while let Some(Ok(_)) = body.next().await {}
    let says_a_form = !matches!(refusal, Refusal::Form(FormError::NotAForm));
    match body.received() {
        0 if content_type.is_none() || says_a_form => Err(Refusal::MissingFile),
        _ => Err(refusal),
    }
}

async fn remember(
    cx: &Cx,
    uploads: &Uploads,
    body: &mut LimitedBody,
    boundary: String,
) -> Result<Upload, Refusal> {
    let mut span = cx.span("receive file");
    let mut form = Form::new(body, boundary);
    let mut draft = uploads.draft(cx.now(), cx.random());
    let read = async {
        if !form.next_file(FIELD).await? {
            return Err(Refusal::MissingFile);
        }
        let mut counter = WordCounter::default();
        let share = Share::new();
        while let Some(chunk) = form.chunk().await? {
            share.turn().await;
            counter.feed(&chunk)?;
            share.set(counter.allocated());
            draft.write(&chunk).await?;
        }
        // Only a form that ends as it should has come in whole.
        match form.next_file(FIELD).await? {
            true => Err(Refusal::from(FormError::SecondFile)),
            false => Ok(counter.finish()?),
        }
    };
    match read.await {
        Ok(counts) => {
            let upload = draft.commit(counts, cx.now()).await?;
            span.set(UPLOAD_SIZE.key, upload.bytes.cast_signed());
            span.set(UPLOAD_WORDS.key, i64::from(upload.counts.words));
            Ok(upload)
        }
        Err(refusal) => {
            span.set(UPLOAD_OUTCOME.key, refusal.outcome().as_str());
            draft.discard().await;
            Err(refusal)
        }
    }
}

fn sentence(counts: Counts) -> String {
    let Counts { words, unique } = counts;
    match words {
        0 => format!(
            "File Received... But it was empty. Word Count:{words}, Uniq-Word Count:{unique}"
        ),
        _ => format!("File Received. Thanks! Word Count:{words}, Uniq-Word Count:{unique}"),
    }
}

#[derive(Serialize)]
struct Counted<'a> {
    message: &'a str,
    #[serde(flatten)]
    file: FileView,
}

/// From here on nothing turns into an error: the upload is remembered.
async fn counted(cx: &Cx, uploads: &Uploads, media: Media, upload: Upload) -> Answer {
    let sentence = sentence(upload.counts);
    let response = match media {
        Media::Text => Response::text(sentence),
        Media::Json => {
            let name = uploads
                .name(&upload)
                .await
                .unwrap_or_else(|_| upload.exact_name());
            Response::json(&Counted {
                message: &sentence,
                file: FileView::new(name, &upload),
            })?
        }
        Media::Html => match uploads.list(LATEST, cx.now()).await {
            Ok(listing) => page(cx, Some(Notice::Counted(&sentence, &upload)), &listing),
            Err(_) => Response::text(sentence),
        },
    };
    Ok(response
        .header("vary", "accept")
        .header("cache-control", "no-store"))
}

async fn refused(cx: &Cx, uploads: &Uploads, media: Media, refusal: Refusal) -> Answer {
    let words = matches!(refusal, Refusal::MissingFile | Refusal::NotText(_));
    let problem = Problem::from(refusal).header("vary", "accept");
    let (status, detail) = (problem.status(), problem.detail().to_owned());
    match media {
        Media::Text if words => Ok(Response::text(detail)
            .status(status)
            .header("vary", "accept")
            .header("cache-control", "no-store")),
        Media::Html if status.is_client_error() => {
            let listing = uploads.list(LATEST, cx.now()).await?;
            let page = page(cx, Some(Notice::Failed(&detail)), &listing);
            Ok(page.status(status).header("vary", "accept"))
        }
        _ => Err(problem),
    }
}

impl Refusal {
    /// For metrics and spans.
    fn outcome(&self) -> UploadOutcome {
        match self {
            Self::MissingFile => UploadOutcome::Missing,
            Self::NotText(_) => UploadOutcome::NotText,
            Self::Form(FormError::FileTooLarge | FormError::OtherFieldsTooLarge) => {
                UploadOutcome::TooLarge
            }
            Self::Form(FormError::Body(_)) => UploadOutcome::Interrupted,
            Self::Form(_) => UploadOutcome::Malformed,
            Self::Commit(CommitError::TooSlow) => UploadOutcome::TooSlow,
            Self::Store(_) | Self::Commit(_) => UploadOutcome::Failed,
        }
    }
}

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        let text = refusal.to_string();
        match refusal {
            Refusal::MissingFile => Self::bad_request(text),
            // RFC 9110, section 15.5.16: also when the data itself shows that it has an unsupported format.
            Refusal::NotText(cause) => {
                Self::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, text).cause(cause)
            }
            Refusal::Form(error) => match error {
                FormError::NotAForm => Self::unsupported_media_type("multipart/form-data"),
                FormError::FileTooLarge | FormError::OtherFieldsTooLarge => {
                    Self::new(StatusCode::PAYLOAD_TOO_LARGE, text)
                }
                FormError::Body(error) => error.into(),
                _ => Self::bad_request(text),
            },
            Refusal::Store(error) | Refusal::Commit(CommitError::Store(error)) => error.into(),
            Refusal::Commit(CommitError::TooSlow) => Self::new(StatusCode::REQUEST_TIMEOUT, text),
            Refusal::Commit(error @ CommitError::Clock(_)) => Self::internal(error),
        }
    }
}
