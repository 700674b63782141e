//! How a request fails: one kind of few for metrics, one sentence for people.

use std::error::Error;
use std::fmt;
use std::time::{Duration, Instant};

use crate::certificate::Certificate;

/// A request that got no usable answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Failure {
    /// What sort of failure.
    pub kind: FailureKind,
    /// What happened and what to do about it, for people. Never holds a password or a header's value.
    pub message: String,
    /// How long it took to fail, where that was measured.
    pub after: Option<Duration>,
    /// What the server presented, where it was not believed.
    pub certificate: Option<Certificate>,
}

/// The sorts of failures, in the order in which a request can meet them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FailureKind {
    /// The host's name has no usable address.
    Dns,
    /// No address accepted a TCP connection.
    Connect,
    /// The proxy can't be reached or refused.
    Proxy,
    /// No TLS session, or not with the right server.
    Tls,
    /// The deadline passed during this phase.
    Timeout(Phase),
    /// The connection ended before the head of an answer came.
    Reset,
    /// What came isn't HTTP.
    Protocol,
    /// A whole answer with a status that isn't the expected one. Only callers use it.
    Status,
    /// The body was cut short or is longer than the limit.
    Body,
}

/// What a request was doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Phase {
    /// Looking up the host's addresses.
    Dns,
    /// Opening a TCP connection.
    Connect,
    /// Asking the proxy for a tunnel.
    Proxy,
    /// The TLS handshake.
    Tls,
    /// Sending the request and waiting for the head of the answer.
    Head,
    /// Reading the answer's body.
    Body,
}

impl FailureKind {
    /// The value of the attribute `error.type`: one of few words.
    #[must_use]
    pub fn error_type(self) -> &'static str {
        match self {
            Self::Dns => "dns",
            Self::Connect => "connect",
            Self::Proxy => "proxy",
            Self::Tls => "tls",
            Self::Timeout(_) => "timeout",
            Self::Reset => "reset",
            Self::Protocol => "protocol",
            Self::Status => "status",
            Self::Body => "body",
        }
    }
}

impl fmt::Display for FailureKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.error_type())
    }
}

impl fmt::Display for Phase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Dns => "looking up the host's address",
            Self::Connect => "connecting",
            Self::Proxy => "waiting for the proxy",
            Self::Tls => "in the TLS handshake",
            Self::Head => "waiting for the head of the answer",
            Self::Body => "reading the answer's body",
        })
    }
}

impl Failure {
    /// A failure whose duration isn't known.
    pub fn new(kind: FailureKind, message: impl Into<String>) -> Self {
        Self {
            kind,
            message: message.into(),
            after: None,
            certificate: None,
        }
    }

    /// The value of the attribute `error.type`.
    #[must_use]
    pub fn error_type(&self) -> &'static str {
        self.kind.error_type()
    }

    /// The deadline passed during `phase` of something that began at `since`.
    pub(crate) fn timeout(phase: Phase, since: Instant) -> Self {
        let after = since.elapsed();
        let message = format!("timed out after {:.3} s, {phase}", after.as_secs_f64());
        Self {
            kind: FailureKind::Timeout(phase),
            message,
            after: Some(after),
            certificate: None,
        }
    }

    /// The same failure of something that began at `since`.
    pub(crate) fn since(mut self, since: Instant) -> Self {
        self.after = Some(since.elapsed());
        self
    }
}

/// An error and its causes in one line. A cause that its parent's text already ends with isn't repeated.
pub(crate) fn chain(error: &(dyn Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let next = error.to_string();
        if !text.ends_with(&next) {
            text.push_str(": ");
            text.push_str(&next);
        }
        cause = error.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_timeout_says_in_which_phase() {
        let failure = Failure::timeout(Phase::Tls, Instant::now());
        assert_eq!(failure.error_type(), "timeout");
        assert!(
            failure.to_string().ends_with("s, in the TLS handshake"),
            "{failure}"
        );
        assert!(failure.after.is_some());
    }

    #[test]
    fn a_chain_is_one_line_without_repetition() {
        #[derive(Debug, thiserror::Error)]
        #[error("cannot connect: refused")]
        struct Outer(#[source] Inner);
        #[derive(Debug, thiserror::Error)]
        #[error("refused")]
        struct Inner;
        assert_eq!(chain(&Outer(Inner)), "cannot connect: refused");
    }
}
