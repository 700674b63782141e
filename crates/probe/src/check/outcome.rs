//! What one check has found: measurements, and what they mean.

use std::net::SocketAddr;
use std::time::{Duration, SystemTime};

use http::{StatusCode, Version};

use crate::timestamp::seconds_between;

/// How bad something is, from best to worst: the worst finding decides over the whole check.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Severity {
    /// As it should be.
    Ok,
    /// Nothing can be said, which is no sign of health but no failure either.
    Unknown,
    /// Somebody should look.
    Warning,
    /// It does not work.
    Critical,
}

impl Severity {
    /// The exit code of the Monitoring Plugins guidelines.
    pub(crate) fn exit_code(self) -> u8 {
        match self {
            Self::Ok => 0,
            Self::Warning => 1,
            Self::Critical => 2,
            Self::Unknown => 3,
        }
    }

    /// Its name in the guidelines.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Ok => "OK",
            Self::Warning => "WARNING",
            Self::Critical => "CRITICAL",
            Self::Unknown => "UNKNOWN",
        }
    }
}

/// A part of the check.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// Asking, and the status of the answer.
    Http,
    /// How long that took.
    Time,
    /// The answer's body.
    Body,
    /// The server's certificate.
    Certificate,
    /// The server's clock.
    Clock,
}

impl Step {
    /// Its name in JSON.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Time => "time",
            Self::Body => "body",
            Self::Certificate => "certificate",
            Self::Clock => "clock",
        }
    }
}

/// What one step has to say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Finding {
    /// Which step.
    pub(crate) step: Step,
    /// How bad it is.
    pub(crate) severity: Severity,
    /// What is the matter, for people. Holds no secrets.
    pub(crate) text: String,
    /// The sort of a failed request, one of few words as for `error.type`.
    pub(crate) error_type: Option<&'static str>,
}

impl Finding {
    /// A finding that is no failed request.
    pub(crate) fn new(step: Step, severity: Severity, text: impl Into<String>) -> Self {
        Self {
            step,
            severity,
            text: text.into(),
            error_type: None,
        }
    }
}

/// One check. What was not measured is absent.
#[derive(Clone, Debug)]
pub(crate) struct Outcome {
    /// When it began, by the local clock.
    pub(crate) started: SystemTime,
    /// How long the HTTP check took, redirects included and the clock's measurement excluded, even when it failed.
    pub(crate) time: Duration,
    /// What it means, in the order of the steps.
    pub(crate) findings: Vec<Finding>,
    /// The answer, when there was a whole one.
    pub(crate) http: Option<Http>,
    /// Whether the body is not the expected one, where one is expected.
    pub(crate) body_mismatch: Option<bool>,
    /// The certificate that expires first, of all servers on the way.
    pub(crate) certificate: Option<CertificateSeen>,
    /// The clock, when it could be measured.
    pub(crate) clock: Option<ClockSeen>,
    /// Which attempt this was; the first is 1.
    pub(crate) attempt: u32,
    /// The trace that shows the check, when it is exported.
    pub(crate) trace_id: Option<String>,
}

/// An answer and how it came.
#[derive(Clone, Debug)]
pub(crate) struct Http {
    /// Where it came from after redirects, without secrets.
    pub(crate) url: String,
    /// Its status.
    pub(crate) status: StatusCode,
    /// Its version of HTTP.
    pub(crate) version: Version,
    /// The address that answered; with a proxy, the proxy's.
    pub(crate) peer: SocketAddr,
    /// Whether it came over TLS.
    pub(crate) tls: bool,
    /// Redirects that were followed.
    pub(crate) redirects: u32,
    /// Bytes of the body.
    pub(crate) size: u64,
    /// `content-length`, when the answer had one.
    pub(crate) content_length: Option<u64>,
    /// From the beginning of the check to the head of this answer.
    pub(crate) first_byte: Duration,
    /// Where the time went, added up over redirects.
    pub(crate) phases: PhaseTimes,
}

/// Time in each phase of all requests of a check, without that for the clock.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct PhaseTimes {
    /// Looking up names.
    pub(crate) resolve: Duration,
    /// Opening TCP connections.
    pub(crate) connect: Duration,
    /// TLS handshakes; absent without TLS.
    pub(crate) tls: Option<Duration>,
    /// From the request to the head of the answer.
    pub(crate) processing: Duration,
    /// From the head to the last byte.
    pub(crate) transfer: Duration,
}

/// A certificate's times.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct CertificateSeen {
    /// Whom it is for.
    pub(crate) subject: String,
    /// When it begins to be valid.
    pub(crate) not_before: SystemTime,
    /// When it ends to be valid.
    pub(crate) not_after: SystemTime,
    /// With less than this left it is a warning.
    pub(crate) warning: Duration,
    /// With less than this left it is critical.
    pub(crate) critical: Duration,
}

impl CertificateSeen {
    /// Seconds until it expires, negative when it has.
    pub(crate) fn left(&self, now: SystemTime) -> f64 {
        seconds_between(now, self.not_after)
    }
}

/// The server's clock against ours.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct ClockSeen {
    /// Where the server's time came from: `json`, `text` or `date`.
    pub(crate) source: String,
    /// Seconds by which the server's clock is ahead.
    pub(crate) offset: f64,
    /// The true offset is at most this many seconds from the measured one.
    pub(crate) bound: f64,
    /// The greatest offset that is allowed, in seconds.
    pub(crate) max_skew: f64,
    /// Seconds of the shortest way there and back.
    pub(crate) delay: f64,
    /// Samples that the estimate rests on.
    pub(crate) used: usize,
    /// Samples taken.
    pub(crate) taken: usize,
    /// Whether it is certainly within the limit (`within`), certainly not (`outside`), or neither (`undecided`).
    pub(crate) verdict: &'static str,
}

impl Outcome {
    /// The worst of all findings.
    pub(crate) fn severity(&self) -> Severity {
        let severities = self.findings.iter().map(|finding| finding.severity);
        severities.max().unwrap_or(Severity::Unknown)
    }

    /// Whether the server works. A clock that cannot be judged does not make it fail.
    pub(crate) fn is_success(&self) -> bool {
        self.severity() != Severity::Critical
    }

    /// The sort of failure, for `error.type`, and the message of a check that is critical.
    pub(crate) fn failure(&self) -> Option<(&'static str, String)> {
        let mut types = self
            .findings
            .iter()
            .filter_map(|finding| finding.error_type);
        (self.severity() == Severity::Critical)
            .then(|| (types.next().unwrap_or("check"), self.message()))
    }

    /// All findings as one line, the worst first.
    pub(crate) fn message(&self) -> String {
        let mut findings: Vec<_> = self.findings.iter().collect();
        // Stable: within a severity the order of the steps remains.
        findings.sort_by_key(|finding| std::cmp::Reverse(finding.severity));
        let texts: Vec<_> = findings.iter().map(|finding| &*finding.text).collect();
        texts.join(", ")
    }
}
