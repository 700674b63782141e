//! Asks a server for its time until enough is known.

use std::num::NonZeroUsize;
use std::time::{Duration, Instant};

use http::HeaderMap;
use spinfo_client::{FailureKind, Target, Warm};

use super::anchor::Anchor;
use super::error::ClockError;
use super::estimate::Estimate;
use super::interval::Verdict;
use super::placement::{self, Next};
use super::sample::Sample;
use super::source::{Question, Source};
use super::stamp::{Nanos, duration};

/// How long the measurement may go on when the verdict stands already. More samples only make the numbers that are shown more exact.
const FOR_THE_NUMBERS: Duration = Duration::from_millis(200);

/// What is to be measured, and how far it may go.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Plan<'a> {
    /// Where the time comes from.
    pub(crate) source: Source,
    /// What answers with the time as JSON or text.
    pub(crate) time: &'a Target,
    /// What answers with a `Date`.
    pub(crate) checked: &'a Target,
    /// Headers of every request.
    pub(crate) headers: &'a HeaderMap,
    /// The greatest number of samples.
    pub(crate) samples: NonZeroUsize,
    /// The greatest offset that is allowed.
    pub(crate) max_skew: Duration,
    /// When there must be a result.
    pub(crate) deadline: Instant,
}

/// What is known about a server's clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Measurement {
    /// Where the time came from; never [`Source::Auto`].
    pub(crate) source: Source,
    /// The offset.
    pub(crate) estimate: Estimate,
    /// Whether it is allowed.
    pub(crate) verdict: Verdict,
}

/// Measures the offset of a server's clock over one connection. With [`Source::Auto`] the `Date` is asked for when the other sources
/// have no time.
///
/// It ends when there are as many samples as the plan wants; when a verdict stands and more would take long; when more would say
/// nothing; or at the deadline, with what is known then.
///
/// # Errors
/// When nothing is known then, when the answers contradict each other, or when the local clock was set meanwhile.
pub(crate) async fn measure(warm: &mut Warm, plan: &Plan<'_>) -> Result<Measurement, ClockError> {
    if plan.source != Source::Date {
        let time = Question::new(plan.source, plan.time, plan.headers);
        match repeat(warm, plan, time).await {
            Err(error) if plan.source == Source::Auto && has_no_time(&error) => {}
            measured => return measured,
        }
    }
    let date = Question::new(Source::Date, plan.checked, plan.headers);
    repeat(warm, plan, date).await
}

/// Whether an answer says that the time is to be looked for elsewhere.
fn has_no_time(error: &ClockError) -> bool {
    match error {
        ClockError::NotATime { .. } | ClockError::Cached { .. } => true,
        ClockError::Failed(failure) => matches!(
            failure.kind,
            FailureKind::Reset | FailureKind::Protocol | FailureKind::Body
        ),
        _ => false,
    }
}

async fn repeat(
    warm: &mut Warm,
    plan: &Plan<'_>,
    question: Question<'_>,
) -> Result<Measurement, ClockError> {
    let anchor = Anchor::now();
    let measured = repeat_from(&anchor, warm, plan, question).await;
    with_step(measured, anchor.step())
}

/// What was measured while the local clock was set, or slept with its machine, is about neither the clock before nor the one after.
fn with_step(
    measured: Result<Measurement, ClockError>,
    step: Option<Nanos>,
) -> Result<Measurement, ClockError> {
    match (measured, step) {
        (Ok(_) | Err(ClockError::Contradiction(_)), Some(by)) => Err(ClockError::Stepped { by }),
        (measured, _) => measured,
    }
}

async fn repeat_from(
    anchor: &Anchor,
    warm: &mut Warm,
    plan: &Plan<'_>,
    question: Question<'_>,
) -> Result<Measurement, ClockError> {
    let mut end = plan.deadline;
    let (first, source) = question.ask(warm, anchor, end).await?;
    let mut later = Vec::new();
    loop {
        let estimate = Estimate::of(&first, &later)?;
        let verdict = estimate.verdict(plan.max_skew);
        let measured = Measurement {
            source,
            estimate,
            verdict,
        };
        if verdict != Verdict::Undecided {
            end = end.min(Instant::now() + FOR_THE_NUMBERS);
        }
        if later.len() + 1 == plan.samples.get() {
            return Ok(measured);
        }
        // A handshake after the pause would take the request past its moment.
        if warm.connect(question.target(), end).await.is_err() {
            return Ok(measured);
        }
        let tick = later
            .iter()
            .map(Sample::tick)
            .fold(first.tick(), Nanos::min);
        let pause = match placement::next(anchor.not_after(Instant::now()), &estimate, tick) {
            Next::Now => Duration::ZERO,
            Next::In(pause) => pause,
            Next::Enough => return Ok(measured),
        };
        if Instant::now() + pause + duration(estimate.delay()) > end {
            return Ok(measured);
        }
        tokio::time::sleep(pause).await;
        match question.ask(warm, anchor, plan.deadline).await {
            Ok((sample, _)) => later.push(sample),
            // What is known stays true.
            Err(_) => return Ok(measured),
        }
    }
}

#[cfg(test)]
mod servers;
#[cfg(test)]
mod tests;
