//! The file in a `multipart/form-data` body (RFC 7578), read as it comes in.
//!
//! `multer` parses, but takes in all that the client has sent so far and sets no bound to a part's headers. So the
//! body reaches it through [`Paced`]: small pieces, one for each turn, and not many of them where no file's bytes
//! are expected.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};

use bytes::Bytes;
use futures::{Stream, StreamExt};
use multer::{Field, Multipart};
use spinfo_guest::BodyError;

#[cfg(test)]
mod tests;

/// Bytes a file may have: 10 MiB, as the original service has it.
pub(crate) const FILE_LIMIT: usize = 10_485_760;

/// Bytes of a body beyond the file: boundaries, headers, other fields. An announced length past both limits is
/// refused unread.
pub(crate) const OVERHEAD_LIMIT: usize = 1 << 20;

/// Bytes that all other fields together may have; a form of this page has none.
const OTHER_FIELDS_LIMIT: usize = 64 << 10;

/// Parts in a form; more have no use here.
const PARTS_LIMIT: usize = 32;

/// Bytes handed on at a time; with it the parser holds at most two pieces and a boundary of a file.
const PIECE: usize = 16 << 10;

/// Bytes handed on between two parts. Headers of up to 16 KiB pass, whatever stands before them in their piece.
const BETWEEN_PARTS_LIMIT: usize = 2 * PIECE;

/// RFC 2046, section 5.1.1.
const BOUNDARY_LIMIT: usize = 70;

/// Why there is no (whole) file in a body.
#[derive(Debug, thiserror::Error)]
pub(crate) enum FormError {
    #[error("the content-type must be multipart/form-data")]
    NotAForm,
    #[error("the content-type needs a boundary of 1 to {BOUNDARY_LIMIT} characters")]
    Boundary,
    #[error("the file is larger than {FILE_LIMIT} bytes")]
    FileTooLarge,
    #[error("the fields beside the file are larger than {OTHER_FIELDS_LIMIT} bytes")]
    OtherFieldsTooLarge,
    #[error("the form has more than {PARTS_LIMIT} parts")]
    TooManyParts,
    #[error("the headers of a part are larger than {PIECE} bytes")]
    HeadersTooLarge,
    #[error("the form has more than one file; send one at a time")]
    SecondFile,
    #[error("the form is not well-formed multipart: {0}")]
    Malformed(&'static str),
    #[error(transparent)]
    Body(#[from] BodyError),
}

impl From<multer::Error> for FormError {
    fn from(error: multer::Error) -> Self {
        match error {
            multer::Error::StreamReadFailed(cause) => match cause.downcast::<PaceError>() {
                Ok(cause) => match *cause {
                    PaceError::TooMuch => Self::HeadersTooLarge,
                    PaceError::Body(error) => Self::Body(error),
                },
                Err(_) => Self::Malformed("it cannot be read"),
            },
            // The parser's own words quote the client.
            multer::Error::IncompleteFieldData { .. } | multer::Error::IncompleteStream => {
                Self::Malformed("it ends early, or a boundary is missing or garbled")
            }
            multer::Error::ReadHeaderFailed(_)
            | multer::Error::DecodeHeaderName { .. }
            | multer::Error::DecodeHeaderValue { .. }
            | multer::Error::IncompleteHeaders => {
                Self::Malformed("the headers of a part cannot be parsed")
            }
            _ => Self::Malformed("it cannot be parsed"),
        }
    }
}

/// The boundary that a `content-type` names.
pub(crate) fn boundary(content_type: &str) -> Result<String, FormError> {
    let media_type = content_type.split(';').next().unwrap_or_default();
    if !media_type
        .trim()
        .eq_ignore_ascii_case("multipart/form-data")
    {
        return Err(FormError::NotAForm);
    }
    match multer::parse_boundary(content_type) {
        Ok(boundary) if (1..=BOUNDARY_LIMIT).contains(&boundary.len()) => Ok(boundary),
        _ => Err(FormError::Boundary),
    }
}

/// A form whose parts are read one after another.
pub(crate) struct Form<'b> {
    parts: Multipart<'b>,
    /// The file that is being read. The parser goes on to the next part only when it is gone.
    file: Option<Field<'b>>,
    file_bytes_left: usize,
    allowance: Allowance,
    parts_left: usize,
    other_bytes_left: usize,
}

impl<'b> Form<'b> {
    /// `body` is borrowed, so that what the form did not need can still be read from it.
    pub(crate) fn new<S>(body: &'b mut S, boundary: String) -> Self
    where
        S: Stream<Item = Result<Bytes, BodyError>> + Send + Unpin,
    {
        let allowance = Allowance::default();
        let paced = Paced {
            body,
            rest: Bytes::new(),
            gave: false,
            allowance: allowance.clone(),
        };
        Self {
            parts: Multipart::new(paced, boundary),
            file: None,
            file_bytes_left: 0,
            allowance,
            parts_left: PARTS_LIMIT,
            other_bytes_left: OTHER_FIELDS_LIMIT,
        }
    }

    /// Goes on to the next file of the field `name` and tells whether there is one; if not, the form was read to
    /// its end.
    ///
    /// Other parts before it are read and forgotten, also a field of this name without a file name: that is what
    /// browsers send when no file was chosen.
    pub(crate) async fn next_file(&mut self, name: &str) -> Result<bool, FormError> {
        self.file = None;
        loop {
            self.allowance.set(BETWEEN_PARTS_LIMIT);
            let Some(mut part) = self.parts.next_field().await? else {
                return Ok(false);
            };
            self.parts_left = self
                .parts_left
                .checked_sub(1)
                .ok_or(FormError::TooManyParts)?;
            self.allowance.set(usize::MAX);
            if part.name() == Some(name) && part.file_name().is_some_and(|name| !name.is_empty()) {
                self.file = Some(part);
                self.file_bytes_left = FILE_LIMIT;
                return Ok(true);
            }
            while let Some(chunk) = part.chunk().await? {
                take(&mut self.other_bytes_left, &chunk).ok_or(FormError::OtherFieldsTooLarge)?;
            }
        }
    }

    /// The next bytes of the file, at most some 32 KiB, until it ends.
    pub(crate) async fn chunk(&mut self) -> Result<Option<Bytes>, FormError> {
        let Some(file) = &mut self.file else {
            return Ok(None);
        };
        let chunk = file.chunk().await?;
        if let Some(chunk) = &chunk {
            take(&mut self.file_bytes_left, chunk).ok_or(FormError::FileTooLarge)?;
        }
        Ok(chunk)
    }
}

fn take(left: &mut usize, chunk: &Bytes) -> Option<()> {
    *left = left.checked_sub(chunk.len())?;
    Some(())
}

/// Bytes that may be handed on until it is set anew.
#[derive(Clone, Default)]
struct Allowance(Arc<AtomicUsize>);

impl Allowance {
    fn set(&self, bytes: usize) {
        self.0.store(bytes, Ordering::Relaxed);
    }

    fn take(&self, bytes: usize) -> Result<(), PaceError> {
        let left = self.0.load(Ordering::Relaxed).checked_sub(bytes);
        left.map(|left| self.set(left)).ok_or(PaceError::TooMuch)
    }
}

#[derive(Debug, thiserror::Error)]
enum PaceError {
    #[error("too much between two parts")]
    TooMuch,
    #[error(transparent)]
    Body(BodyError),
}

/// A body in pieces with a turn between any two: the parser reads until it is told to wait.
struct Paced<'b, S> {
    body: &'b mut S,
    rest: Bytes,
    gave: bool,
    allowance: Allowance,
}

impl<S> Stream for Paced<'_, S>
where
    S: Stream<Item = Result<Bytes, BodyError>> + Unpin,
{
    type Item = Result<Bytes, PaceError>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if std::mem::take(&mut self.gave) {
            context.waker().wake_by_ref();
            return Poll::Pending;
        }
        while self.rest.is_empty() {
            match futures::ready!(self.body.poll_next_unpin(context)) {
                Some(Ok(chunk)) => self.rest = chunk,
                Some(Err(error)) => return Poll::Ready(Some(Err(PaceError::Body(error)))),
                None => return Poll::Ready(None),
            }
        }
        let length = self.rest.len().min(PIECE);
        if let Err(error) = self.allowance.take(length) {
            return Poll::Ready(Some(Err(error)));
        }
        self.gave = true;
        Poll::Ready(Some(Ok(self.rest.split_to(length))))
    }
}
