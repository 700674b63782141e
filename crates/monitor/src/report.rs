//! What there is to say about one request, and about one change of the server's state.

use std::time::{Duration, SystemTime};

use serde::Serialize;
use serde::ser::Serializer;

/// One request to a status endpoint, as a client saw it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct Report {
    #[serde(flatten)]
    pub(crate) sent: Sent,
    /// Whether the connection had served a request before.
    pub(crate) reused: bool,
    /// Where the time went.
    pub(crate) phases: Phases,
}

/// One request that the server move on to its next state, and what came of it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct Change {
    /// Its duration is the time until the outcome was known: when the status endpoint first showed the change, or when it was given up.
    #[serde(flatten)]
    pub(crate) sent: Sent,
    /// What became of it.
    pub(crate) result: Outcome,
    /// The greatest revision that the status endpoint has shown; greater than `revision` when somebody else has changed the state since.
    pub(crate) seen_revision: Option<u64>,
}

/// What there is to say about any request.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct Sent {
    /// When it was started, by this machine's clock; RFC 3339 in UTC.
    #[serde(serialize_with = "rfc3339")]
    pub(crate) timestamp: SystemTime,
    /// The URL of the command line, without secrets.
    pub(crate) target: String,
    /// The URL that was requested, without secrets.
    pub(crate) endpoint: String,
    /// `GET`, `POST` for a change, or `DELETE` for what puts the state back at the end.
    pub(crate) method: String,
    /// From the start, which includes the connection if there had to be a new one, to the end of the body or to the failure.
    #[serde(rename = "duration_seconds", serialize_with = "seconds")]
    pub(crate) duration: Duration,
    /// 2xx, or the code of the state that was asked for; of a change, that it took effect.
    pub(crate) success: bool,
    /// The answer's code, if there was an answer.
    pub(crate) status: Option<u16>,
    /// Why it counts as a failure.
    pub(crate) error: Option<ReportError>,
    /// `state` of the body, if it is a document of spinfo's status endpoint: what it shows, or promises after a change.
    pub(crate) state: Option<String>,
    /// `revision` of the body.
    pub(crate) revision: Option<u64>,
    /// Under which it is found in a tracing backend, if it is sampled; 32 hexadecimal digits.
    pub(crate) trace_id: Option<String>,
}

/// A failure.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct ReportError {
    /// `dns`, `connect`, `proxy`, `tls`, `timeout`, `reset`, `protocol`, `status` or `body`.
    #[serde(rename = "type")]
    pub(crate) kind: &'static str,
    /// For people.
    pub(crate) message: String,
}

/// Where the time of a request went, in seconds. What did not happen is absent: a reused connection has no DNS, connect and TLS.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub(crate) struct Phases {
    /// Resolving the name.
    pub(crate) dns: Option<f64>,
    /// TCP, and the proxy's consent if there is a proxy.
    pub(crate) connect: Option<f64>,
    /// The TLS handshake.
    pub(crate) tls: Option<f64>,
    /// From sending the request to the answer's head.
    pub(crate) first_byte: Option<f64>,
}

/// What became of a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Outcome {
    /// The status endpoint has shown it, or a later one.
    Ok,
    /// The request for it failed.
    Failed,
    /// The server said yes, and the status endpoint did not show it in time, or showed something else.
    Mismatch,
    /// The server has no endpoint for changes (404 or 405). Said once for each target.
    Unsupported,
}

/// One thing that happened to the target of this index.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Event {
    /// A request is finished.
    Report(usize, Report),
    /// A change's outcome is known.
    Change(usize, Change),
    /// So many ticks went by while a request was under way.
    Missed(usize, u64),
}

impl Event {
    /// The target's.
    pub(crate) fn index(&self) -> usize {
        match self {
            Self::Report(index, _) | Self::Change(index, _) | Self::Missed(index, _) => *index,
        }
    }
}

fn rfc3339<S: Serializer>(time: &SystemTime, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(&humantime::format_rfc3339_micros(*time))
}

fn seconds<S: Serializer>(duration: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_f64(rounded(*duration))
}

/// Seconds to the microsecond: more digits are noise, and make lines hard to read.
pub(crate) fn rounded(duration: Duration) -> f64 {
    (duration.as_secs_f64() * 1e6).round() / 1e6
}
