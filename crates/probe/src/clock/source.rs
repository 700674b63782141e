//! Where the server's time is taken from, and how it is asked for there.

use std::fmt;
use std::time::Instant;

use bytes::Bytes;
use http::header::{ACCEPT, AGE, CACHE_CONTROL, DATE};
use http::{HeaderMap, HeaderValue, Method};
use spinfo_client::{Answer, Limits, Request, Target, Warm};

use super::anchor::Anchor;
use super::error::{ClockError, excerpt};
use super::http_date;
use super::reading::{self, Reading};
use super::sample::Sample;

/// The longest answer that is read as a time, in bytes: the JSON of `/now` has fewer than 200.
const BODY_BYTES: usize = 4096;

/// Where the server's time is taken from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Source {
    /// The first of the others that the server has.
    Auto,
    /// Two stamps in JSON, as `/now` of spinfo gives them.
    Json,
    /// A time as text (RFC 3339).
    Text,
    /// The header `Date` (RFC 9110, section 6.6.1), which has whole seconds. A server that makes it once and sends it for longer than
    /// its second looks as far behind as that.
    Date,
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Auto => "auto",
            Self::Json => "json",
            Self::Text => "text",
            Self::Date => "date",
        })
    }
}

/// A request that is sent again and again.
pub(super) struct Question<'a> {
    source: Source,
    target: &'a Target,
    headers: HeaderMap,
}

impl<'a> Question<'a> {
    /// Of `source` at `target`, with what the user wants in every request.
    pub(super) fn new(source: Source, target: &'a Target, headers: &HeaderMap) -> Self {
        let mut headers = headers.clone();
        let accept = match source {
            Source::Auto => Some("application/json, text/plain;q=0.5"),
            Source::Json => Some("application/json"),
            Source::Text => Some("text/plain"),
            Source::Date => None,
        };
        if let Some(accept) = accept {
            headers.insert(ACCEPT, HeaderValue::from_static(accept));
        }
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
        Self {
            source,
            target,
            headers,
        }
    }

    pub(super) fn target(&self) -> &Target {
        self.target
    }

    /// Asks once. The answer's source is never [`Source::Auto`].
    pub(super) async fn ask(
        &self,
        warm: &mut Warm,
        anchor: &Anchor,
        deadline: Instant,
    ) -> Result<(Sample, Source), ClockError> {
        // Every answer has the header, whatever the method and the status.
        let method = if self.source == Source::Date {
            Method::HEAD
        } else {
            Method::GET
        };
        let request = Request {
            method,
            target: self.target,
            headers: &self.headers,
            body: Bytes::new(),
        };
        let limits = Limits {
            body_bytes: BODY_BYTES,
            deadline,
        };
        let answer = warm.send(request, limits).await?.answer;
        if let Some(age) = answer.headers.get(AGE) {
            // RFC 9111, section 5.1: such an answer was not made for this request.
            return Err(ClockError::Cached {
                target: self.target.to_string(),
                age: excerpt(age.as_bytes()),
            });
        }
        // A server may send the head before it makes the body.
        let (reading, arrived) = match self.source {
            Source::Date => (self.date(&answer)?, answer.head_at),
            _ => (self.body(&answer)?, answer.finished_at),
        };
        let sample = Sample {
            local_sent: anchor.not_after(answer.sent_at),
            local_received: anchor.not_before(arrived),
            received: reading.received,
            transmitted: reading.transmitted,
        };
        Ok((sample, reading.source))
    }

    fn date(&self, answer: &Answer) -> Result<Reading, ClockError> {
        let date = answer
            .headers
            .get(DATE)
            .map_or(&[][..], HeaderValue::as_bytes);
        std::str::from_utf8(date)
            .ok()
            .and_then(http_date::parse)
            .map(|stamp| Reading::once(stamp, Source::Date))
            .ok_or_else(|| ClockError::NoDate {
                target: self.target.to_string(),
                came: excerpt(date),
            })
    }

    fn body(&self, answer: &Answer) -> Result<Reading, ClockError> {
        answer
            .status
            .is_success()
            .then(|| reading::read(&answer.body, self.source))
            .flatten()
            .ok_or_else(|| ClockError::NotATime {
                target: self.target.to_string(),
                expected: match self.source {
                    Source::Text => "a time as RFC 3339 text",
                    Source::Json => "a JSON object with received_ns and transmitted_ns",
                    Source::Auto | Source::Date => "a time",
                },
                status: answer.status,
                came: excerpt(&answer.body),
            })
    }
}
