//! One check: its steps, and what each of them finds.
//!
//! - [`fetch`]: the request, its redirects and where the time goes
//! - [`expect`]: what the answer has to be
//! - [`certificate`]: how long it is still valid
//! - [`skew`]: whether the server's clock is right
//! - [`outcome`]: what comes of it

mod certificate;
pub(crate) mod expect;
mod fetch;
mod outcome;
mod skew;
#[cfg(test)]
pub(crate) mod tests;

use std::num::NonZeroUsize;
use std::time::{Duration, Instant, SystemTime};

use http::HeaderMap;
use spinfo_client::{Client, Target};

use self::expect::{BodyPattern, StatusSet};
pub(crate) use self::outcome::{
    CertificateSeen, ClockSeen, Finding, Http, Outcome, PhaseTimes, Severity, Step,
};
use crate::clock::Source;
use crate::quantity;
use crate::range::Range;
use crate::span::CheckSpan;

/// What is asked, and what the answer has to be.
pub(crate) struct Settings {
    pub(crate) target: Target,
    /// Sent with each request.
    pub(crate) headers: HeaderMap,
    pub(crate) status: StatusSet,
    pub(crate) body: Option<BodyPattern>,
    /// Bytes.
    pub(crate) max_body: usize,
    pub(crate) max_redirects: u32,
    /// Ranges of seconds.
    pub(crate) warning: Option<Range>,
    pub(crate) critical: Option<Range>,
    /// `None` for what fits the certificate.
    pub(crate) cert_warning: Option<Duration>,
    pub(crate) cert_critical: Option<Duration>,
    /// `None` leaves the clock alone.
    pub(crate) clock: Option<ClockSettings>,
    /// For everything, the clock included.
    pub(crate) timeout: Duration,
    /// Attempts after the first.
    pub(crate) retries: u32,
}

/// How the clock is measured, and how far it may be off.
pub(crate) struct ClockSettings {
    pub(crate) source: Source,
    pub(crate) path: String,
    pub(crate) samples: NonZeroUsize,
    pub(crate) max_skew: Duration,
}

/// Checks once. Whatever goes wrong is a finding.
pub(crate) async fn run(client: &Client, settings: &Settings, span: &CheckSpan) -> Outcome {
    let started = SystemTime::now();
    let began = Instant::now();
    let deadline = began + settings.timeout;
    let mut fetched = fetch::fetch(client, settings, (began, deadline), span).await;
    let mut outcome = Outcome {
        started,
        time: fetched.time,
        findings: Vec::new(),
        http: None,
        body_mismatch: None,
        certificate: fetched.certificate.take(),
        clock: None,
        attempt: 1,
        trace_id: span.trace_id(),
    };
    let answer = match fetched.answer {
        Ok(answer) => {
            judge_answer(&answer, settings, &mut outcome);
            Some(answer)
        }
        Err(finding) => {
            outcome.findings.push(finding);
            None
        }
    };
    if let Some(seen) = &outcome.certificate {
        let finding = certificate::judge(seen, started);
        outcome.findings.push(finding);
    }
    if let (Some(clock), Some(answer)) = (&settings.clock, &answer) {
        let (finding, seen) = skew::measure(
            &mut fetched.connection,
            skew::Question {
                clock,
                settings,
                checked: &answer.target,
                deadline,
            },
            span,
        )
        .await;
        outcome.findings.push(finding);
        outcome.clock = seen;
    }
    outcome.http = answer.map(|answer| answer.http);
    outcome
}

fn judge_answer(answer: &fetch::Answer, settings: &Settings, outcome: &mut Outcome) {
    let time = outcome.time;
    let status = answer.http.status;
    let said = format!(
        "HTTP {} in {}",
        status.as_u16(),
        quantity::seconds(time.as_secs_f64())
    );
    outcome.findings.push(if settings.status.contains(status) {
        Finding::new(Step::Http, Severity::Ok, said)
    } else {
        Finding {
            error_type: Some("status"),
            ..Finding::new(
                Step::Http,
                Severity::Critical,
                format!("{said}, expected {}", settings.status),
            )
        }
    });
    outcome.findings.extend(judge_time(time, settings));
    outcome.body_mismatch = settings
        .body
        .as_ref()
        .map(|pattern| !pattern.is_in(&answer.body));
    if let (Some(pattern), Some(true)) = (&settings.body, outcome.body_mismatch) {
        let compressed = answer
            .encoding
            .as_ref()
            .map_or_else(String::new, |encoding| {
                format!(" (content-encoding: {encoding})")
            });
        outcome.findings.push(Finding::new(
            Step::Body,
            Severity::Critical,
            format!("the body{compressed} {pattern}"),
        ));
    }
}

fn judge_time(time: Duration, settings: &Settings) -> Option<Finding> {
    let seconds = time.as_secs_f64();
    let ranges = [
        (Severity::Critical, &settings.critical),
        (Severity::Warning, &settings.warning),
    ];
    let (severity, range) = ranges.into_iter().find_map(|(severity, range)| {
        let range = range.as_ref().filter(|range| range.alerts(seconds))?;
        Some((severity, range))
    })?;
    Some(Finding::new(
        Step::Time,
        severity,
        format!(
            "the time of {} is {} the {} range {range}",
            quantity::seconds(seconds),
            range.side(),
            severity.name().to_lowercase()
        ),
    ))
}
