//! What there is to say about one request, and about one change of the server's state.

use std::time::{Duration, SystemTime};

use serde::Serialize;
use serde::ser::Serializer;

/// One request to a status endpoint, as a client saw it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Report {
    /// When the request was started, by this machine's clock; RFC 3339 in UTC.
    #[serde(serialize_with = "rfc3339")]
    pub timestamp: SystemTime,
    /// The name that the fleet file gives the target, otherwise its URL without secrets.
    pub target: String,
    /// The URL that was requested, without secrets.
    pub endpoint: String,
    /// The method.
    pub method: &'static str,
    /// From the start, which includes the connection if there had to be a new one, to the end of the body or to the failure.
    #[serde(rename = "duration_seconds", serialize_with = "seconds")]
    pub duration: Duration,
    /// 2xx, or the code of the state that was asked for.
    pub success: bool,
    /// The answer's code, if there was an answer.
    pub status: Option<u16>,
    /// Why it counts as a failure.
    pub error: Option<ReportError>,
    /// `state` of the body, if it is a document of spinfo's status endpoint: `ok`, `degraded`, `failing`.
    pub state: Option<String>,
    /// `revision` of the body.
    pub revision: Option<u64>,
    /// Whether the connection had served a request before.
    pub reused: bool,
    /// Where the time went.
    pub phases: Phases,
    /// Under which this request is found in a tracing backend, if it is sampled; 32 hexadecimal digits.
    pub trace_id: Option<String>,
}

/// A failure.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ReportError {
    /// `dns`, `connect`, `proxy`, `tls`, `timeout`, `reset`, `protocol`, `status` or `body`.
    #[serde(rename = "type")]
    pub kind: &'static str,
    /// For people.
    pub message: String,
}

/// Where the time of a request went; absent is what did not happen: a reused connection has no DNS, no connect and no TLS.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Phases {
    /// Resolving the name.
    #[serde(serialize_with = "some_seconds")]
    pub dns: Option<Duration>,
    /// TCP, and the proxy's consent if there is a proxy.
    #[serde(serialize_with = "some_seconds")]
    pub connect: Option<Duration>,
    /// The TLS handshake.
    #[serde(serialize_with = "some_seconds")]
    pub tls: Option<Duration>,
    /// From sending the request to the answer's head.
    #[serde(serialize_with = "some_seconds")]
    pub first_byte: Option<Duration>,
}

/// One request that the server move on to its next state, and what came of it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Change {
    /// When the request was started; RFC 3339 in UTC.
    #[serde(serialize_with = "rfc3339")]
    pub timestamp: SystemTime,
    /// As in [`Report::target`].
    pub target: String,
    /// The URL that was requested, without secrets.
    pub endpoint: String,
    /// `POST`, or `DELETE` for what puts the state back at the end.
    pub method: &'static str,
    /// From the start to the moment when the outcome was known: when the status endpoint first showed the change, or when it was given up.
    #[serde(rename = "duration_seconds", serialize_with = "seconds")]
    pub duration: Duration,
    /// Whether the outcome is [`Outcome::Ok`].
    pub success: bool,
    /// The answer's code, if there was an answer.
    pub status: Option<u16>,
    /// Why it counts as a failure.
    pub error: Option<ReportError>,
    /// What became of it.
    pub result: Outcome,
    /// The state that the answer promised.
    pub state: Option<String>,
    /// The revision that the answer promised.
    pub revision: Option<u64>,
    /// The greatest revision that the status endpoint has shown; greater than `revision` when somebody else has changed the state since.
    pub seen_revision: Option<u64>,
    /// As in [`Report::trace_id`].
    pub trace_id: Option<String>,
}

/// What became of a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// The status endpoint has shown it, or a later one.
    Ok,
    /// The request for it failed.
    Failed,
    /// The server said yes, and the status endpoint did not show it in time, or showed something else.
    Mismatch,
    /// The server has no endpoint for changes (404 or 405). Said once for each target.
    Unsupported,
}

impl Outcome {
    /// The name, as it stands in reports and as the value of the metric's attribute.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Failed => "failed",
            Self::Mismatch => "mismatch",
            Self::Unsupported => "unsupported",
        }
    }
}

/// One thing that happened to the target of this index.
#[derive(Clone, Debug, PartialEq)]
pub enum Event {
    /// A request is finished.
    Report(usize, Report),
    /// A change's outcome is known.
    Change(usize, Change),
    /// So many ticks went by while a request was under way.
    Missed(usize, u64),
}

fn rfc3339<S: Serializer>(time: &SystemTime, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&timestamp(*time))
}

/// RFC 3339 with microseconds, in UTC.
pub fn timestamp(time: SystemTime) -> String {
    match jiff::Timestamp::try_from(time) {
        Ok(time) => format!("{time:.6}"),
        // Only years past 9999 have no such form.
        Err(_) => String::from("9999-12-31T23:59:59.999999Z"),
    }
}

pub(crate) fn seconds<S: Serializer>(
    duration: &Duration,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    serializer.serialize_f64(rounded(*duration))
}

#[expect(
    clippy::ref_option,
    reason = "the signature is serde's: it passes the field by reference"
)]
pub(crate) fn some_seconds<S: Serializer>(
    duration: &Option<Duration>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    duration.map(rounded).serialize(serializer)
}

/// Seconds to the microsecond: more digits are noise, and make lines hard to read.
fn rounded(duration: Duration) -> f64 {
    (duration.as_secs_f64() * 1e6).round() / 1e6
}
