//! Whether the server's clock is right: what the measurement means for the check.

use std::time::Instant;

use spinfo_client::{Target, Warm};

use super::outcome::{ClockSeen, Finding, Severity, Step};
use super::{ClockSettings, Settings, fetch};
use crate::clock::{self, ClockError, Measurement, Plan, Verdict};
use crate::quantity;
use crate::span::CheckSpan;

/// What is to be measured.
pub(super) struct Question<'a> {
    pub(super) clock: &'a ClockSettings,
    pub(super) settings: &'a Settings,
    /// The URL that answered.
    pub(super) checked: &'a Target,
    pub(super) deadline: Instant,
}

/// Measures over the connection that the answer came over.
pub(super) async fn measure(
    connection: &mut Warm,
    question: Question<'_>,
    span: &CheckSpan,
) -> (Finding, Option<ClockSeen>) {
    let Question {
        clock,
        settings,
        checked,
        deadline,
    } = question;
    let time = match checked.join(&clock.path) {
        Ok(time) => time,
        Err(error) => {
            return (
                unknown(format!("no clock at {}: {error}", clock.path)),
                None,
            );
        }
    };
    let mut headers = fetch::headers_for(settings, checked);
    let span = span.clock(&time, &mut headers);
    let plan = Plan {
        source: clock.source,
        time: &time,
        checked,
        headers: &headers,
        samples: clock.samples,
        max_skew: clock.max_skew,
        deadline,
    };
    let measured = clock::measure(connection, &plan).await;
    span.end_clock(&measured);
    match measured {
        Ok(measurement) => (judge(&measurement, clock), Some(seen(&measurement, clock))),
        Err(error) => (failed(&error, clock), None),
    }
}

fn judge(measurement: &Measurement, clock: &ClockSettings) -> Finding {
    let limit = quantity::seconds(clock.max_skew.as_secs_f64());
    let estimate = &measurement.estimate;
    let (severity, text) = match measurement.verdict {
        Verdict::Within => (Severity::Ok, format!("clock {estimate} (max skew {limit})")),
        Verdict::Outside => (
            Severity::Critical,
            format!("clock {estimate} is off by more than {limit}"),
        ),
        Verdict::Undecided => (
            Severity::Unknown,
            format!("clock {estimate} may be within {limit} or not"),
        ),
    };
    Finding::new(Step::Clock, severity, text)
}

fn failed(error: &ClockError, clock: &ClockSettings) -> Finding {
    match error {
        ClockError::Contradiction(contradiction)
            if contradiction.verdict(clock.max_skew) == Verdict::Outside =>
        {
            Finding::new(Step::Clock, Severity::Critical, format!("clock: {error}"))
        }
        ClockError::Failed(failure) => Finding {
            error_type: Some(failure.error_type()),
            ..unknown(format!("clock: {error}"))
        },
        _ => unknown(format!("clock: {error}")),
    }
}

fn unknown(text: String) -> Finding {
    Finding::new(Step::Clock, Severity::Unknown, text)
}

fn seen(measurement: &Measurement, clock: &ClockSettings) -> ClockSeen {
    let estimate = &measurement.estimate;
    ClockSeen {
        source: measurement.source.to_string(),
        offset: estimate.offset_s(),
        bound: estimate.bound_s(),
        max_skew: clock.max_skew.as_secs_f64(),
        delay: estimate.delay_s(),
        used: estimate.used,
        taken: estimate.taken,
        verdict: match measurement.verdict {
            Verdict::Within => "within",
            Verdict::Outside => "outside",
            Verdict::Undecided => "undecided",
        },
    }
}
