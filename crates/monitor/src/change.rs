//! Changes of the server's state: what was promised, and whether the status endpoint keeps it.
//!
//! Requests and changes of one target follow each other on one task, so no request is under way while a change is. That leaves only
//! what others do: a greater revision is theirs, and means that ours has been there.

use std::time::Duration;

use tokio::time::Instant;

use crate::document::Document;
use crate::report::{Change, Outcome, ReportError};

/// The state that a server is in before anybody changes it.
const OK: &str = "ok";

/// The changes of one target.
#[derive(Debug)]
pub(crate) struct Changes {
    interval: Duration,
    timeout: Duration,
    due: Instant,
    /// None is wanted, or the server has no endpoint for them.
    off: bool,
    /// Promised, and not seen yet.
    pending: Option<Pending>,
    /// What the last change promised, as long as no later revision has been seen.
    promise: Option<Document>,
    /// The last request for a change got no answer that could be read, so it may have been heard or not.
    uncertain: bool,
    /// Whether the state that was shown last is another than `ok`.
    shows_trouble: bool,
}

/// A change that waits for its outcome.
#[derive(Debug)]
struct Pending {
    report: Change,
    asked: Instant,
    /// Started this long after the server's answer, a request must show it.
    answered: Instant,
}

impl Changes {
    /// The first change is due one interval after `now`; an interval of nothing means none.
    pub(crate) fn new(interval: Duration, timeout: Duration, now: Instant) -> Self {
        Self {
            interval,
            timeout,
            due: now + interval.min(LONGEST),
            off: interval.is_zero(),
            pending: None,
            promise: None,
            uncertain: false,
            shows_trouble: false,
        }
    }

    /// Whether it is time to ask for a change. Never while the last one's outcome is open.
    pub(crate) fn is_due(&self, now: Instant) -> bool {
        now >= self.due && self.pending.is_none() && !self.off
    }

    /// The state that was asked for, and that nobody has changed since.
    pub(crate) fn promise(&self) -> Option<&Document> {
        self.promise.as_ref()
    }

    /// Whether the server is in another state than `ok` because of this program, as far as that can be known.
    pub(crate) fn is_to_be_put_back(&self) -> bool {
        let promised = self
            .promise
            .as_ref()
            .is_some_and(|promise| promise.state != OK);
        promised || (self.uncertain && self.shows_trouble)
    }

    /// Takes the answer to a request for a change that was sent at `asked` and answered at `now`, and what it promises. Returns the
    /// report when its outcome is known already.
    pub(crate) fn answered(
        &mut self,
        mut report: Change,
        promise: Option<Document>,
        asked: Instant,
        now: Instant,
    ) -> Option<Change> {
        self.schedule_after(now);
        if matches!(report.sent.status, Some(404 | 405)) {
            self.off = true;
            report.result = Outcome::Unsupported;
            return Some(report);
        }
        if report.sent.error.is_some() {
            self.uncertain |= report.sent.status.is_none();
            return Some(report);
        }
        let Some(promise) = promise else {
            self.uncertain = true;
            (report.sent.success, report.result) = (false, Outcome::Failed);
            report.sent.error = Some(body_error(
                "the answer is no status document: state, code and revision are expected",
            ));
            return Some(report);
        };
        self.promise = Some(promise);
        self.uncertain = false;
        self.pending = Some(Pending {
            report,
            asked,
            answered: now,
        });
        None
    }

    /// Looks at what a request that was finished at `now` showed. Returns the report of a change whose outcome that decides.
    pub(crate) fn seen(&mut self, document: Option<&Document>, now: Instant) -> Option<Change> {
        let verdict = self.verdict(document, now);
        self.shows_trouble = document.map_or(self.shows_trouble, |shown| shown.state != OK);
        // A later revision is somebody else's: the state that was asked for is no more.
        if let (Some(shown), Some(promise)) = (document, &self.promise)
            && shown.revision > promise.revision
        {
            self.promise = None;
        }
        let (result, message) = verdict?;
        let pending = self.pending.take()?;
        let mut report = pending.report;
        report.sent.duration = now - pending.asked;
        report.seen_revision = document.map(|document| document.revision);
        report.result = result;
        report.sent.success = result == Outcome::Ok;
        report.sent.error = message.map(|message| body_error(&message));
        Some(report)
    }

    /// Whether a change waits for its outcome.
    pub(crate) fn is_pending(&self) -> bool {
        self.pending.is_some()
    }

    fn verdict(
        &self,
        document: Option<&Document>,
        now: Instant,
    ) -> Option<(Outcome, Option<String>)> {
        let (pending, promise) = (self.pending.as_ref()?, self.promise.as_ref()?);
        let revision = promise.revision;
        match document {
            Some(shown) if shown.revision > revision => Some((Outcome::Ok, None)),
            Some(shown) if shown == promise => Some((Outcome::Ok, None)),
            Some(shown) if shown.revision == revision => {
                let (asked, state) = (&promise.state, &shown.state);
                let message = format!(
                    "revision {revision} was to be {asked} and is {state}: another change was made at the same moment"
                );
                Some((Outcome::Mismatch, Some(message)))
            }
            _ if now < pending.answered + self.timeout => None,
            Some(shown) => {
                let message = format!(
                    "revision {} is still shown, {revision} was promised",
                    shown.revision
                );
                Some((Outcome::Mismatch, Some(message)))
            }
            None => Some((
                Outcome::Mismatch,
                Some(format!(
                    "no answer showed a revision, {revision} was promised"
                )),
            )),
        }
    }

    /// On a fixed schedule as well; changes that could not be made in time are left out.
    fn schedule_after(&mut self, now: Instant) {
        let behind = now.saturating_duration_since(self.due).as_nanos()
            / self.interval.as_nanos().max(1)
            + 1;
        let steps = u32::try_from(behind).unwrap_or(u32::MAX);
        self.due += self.interval.saturating_mul(steps).min(LONGEST);
    }
}

/// Keeps instants within what the system can count.
const LONGEST: Duration = Duration::from_secs(365 * 86_400);

fn body_error(message: &str) -> ReportError {
    ReportError {
        kind: "body",
        message: message.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use std::time::SystemTime;

    use super::*;
    use crate::report::Sent;

    const INTERVAL: Duration = Duration::from_secs(60);
    const TIMEOUT: Duration = Duration::from_secs(10);

    fn document(state: &str, code: u16, revision: u64) -> Document {
        Document {
            state: state.to_owned(),
            code,
            revision,
            changed_at: Some(format!("r{revision}")),
        }
    }

    fn sent(status: u16) -> Change {
        let sent = Sent {
            timestamp: SystemTime::UNIX_EPOCH,
            target: String::new(),
            endpoint: String::new(),
            method: "POST".to_owned(),
            duration: Duration::ZERO,
            success: false,
            status: Some(status),
            error: (status >= 300).then(|| ReportError {
                kind: "status",
                message: String::new(),
            }),
            state: Some("failing".to_owned()),
            revision: Some(5),
            trace_id: None,
        };
        Change {
            sent,
            result: Outcome::Failed,
            seen_revision: None,
        }
    }

    /// A change to revision 5 that the server has agreed to.
    async fn agreed() -> (Changes, Instant) {
        let start = Instant::now();
        let mut changes = Changes::new(INTERVAL, TIMEOUT, start);
        assert!(!changes.is_due(start + INTERVAL / 2));
        let now = start + INTERVAL;
        assert!(changes.is_due(now));
        assert_eq!(
            changes.answered(sent(200), Some(document("failing", 503, 5)), now, now),
            None
        );
        assert!(!changes.is_due(now + 2 * INTERVAL), "one at a time");
        (changes, now)
    }

    #[tokio::test(start_paused = true)]
    async fn it_took_effect_when_it_is_shown() {
        let (mut changes, asked) = agreed().await;
        assert_eq!(changes.promise().map(|promise| promise.code), Some(503));
        assert_eq!(
            changes.seen(Some(&document("ok", 200, 4)), asked),
            None,
            "an old one is waited out"
        );
        assert_eq!(changes.seen(None, asked), None);
        let now = asked + Duration::from_secs(1);
        let change = changes
            .seen(Some(&document("failing", 503, 5)), now)
            .unwrap();
        assert_eq!(
            (change.result, change.sent.success, change.sent.duration),
            (Outcome::Ok, true, Duration::from_secs(1))
        );
        assert_eq!(
            (change.sent.revision, change.seen_revision),
            (Some(5), Some(5))
        );
        assert!(changes.is_to_be_put_back());
        assert!(changes.is_due(asked + INTERVAL) && !changes.is_due(now));
    }

    #[tokio::test(start_paused = true)]
    async fn it_was_lost_when_it_is_not_shown_in_time() {
        for shown in [Some(document("ok", 200, 4)), None] {
            let (mut changes, asked) = agreed().await;
            assert_eq!(
                changes.seen(shown.as_ref(), asked + Duration::from_secs(9)),
                None
            );
            let change = changes.seen(shown.as_ref(), asked + TIMEOUT).unwrap();
            assert_eq!(
                (change.result, change.sent.success),
                (Outcome::Mismatch, false)
            );
            assert!(
                change
                    .sent
                    .error
                    .unwrap()
                    .message
                    .contains("5 was promised")
            );
        }
    }

    #[tokio::test(start_paused = true)]
    async fn somebody_elses_later_change_means_that_it_took_effect() {
        let (mut changes, asked) = agreed().await;
        let change = changes.seen(Some(&document("ok", 200, 6)), asked).unwrap();
        assert_eq!(
            (change.result, change.seen_revision),
            (Outcome::Ok, Some(6))
        );
        assert_eq!(changes.promise(), None, "the state is not ours any more");
        assert!(!changes.is_to_be_put_back());
    }

    #[tokio::test(start_paused = true)]
    async fn the_same_revision_with_another_state_is_a_mismatch() {
        let (mut changes, asked) = agreed().await;
        let change = changes.seen(Some(&document("ok", 200, 5)), asked).unwrap();
        assert_eq!(change.result, Outcome::Mismatch);
        assert!(change.sent.error.unwrap().message.contains("same moment"));
    }

    #[tokio::test(start_paused = true)]
    async fn a_server_without_changes_is_asked_once() {
        for status in [404, 405] {
            let now = Instant::now();
            let mut changes = Changes::new(INTERVAL, TIMEOUT, now);
            let change = changes
                .answered(sent(status), None, now, now + INTERVAL)
                .unwrap();
            assert_eq!(change.result, Outcome::Unsupported);
            assert!(!changes.is_due(now + 10 * INTERVAL));
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_change_that_is_refused_is_tried_again() {
        let now = Instant::now();
        let mut changes = Changes::new(INTERVAL, TIMEOUT, now);
        let change = changes
            .answered(sent(401), None, now, now + INTERVAL)
            .unwrap();
        assert_eq!(change.result, Outcome::Failed);
        assert!(!changes.is_due(now + INTERVAL) && changes.is_due(now + 2 * INTERVAL));
        let change = changes
            .answered(sent(200), None, now, now + 2 * INTERVAL)
            .unwrap();
        assert_eq!(
            (change.result, change.sent.error.unwrap().kind),
            (Outcome::Failed, "body")
        );
    }

    #[tokio::test(start_paused = true)]
    async fn a_change_whose_answer_was_lost_may_have_been_made() {
        let now = Instant::now();
        for (shown, to_be_put_back) in [("failing", true), ("ok", false)] {
            let mut changes = Changes::new(INTERVAL, TIMEOUT, now);
            let error = Some(ReportError {
                kind: "timeout",
                message: String::new(),
            });
            let mut lost = sent(200);
            (lost.sent.status, lost.sent.error) = (None, error);
            assert_eq!(
                changes.answered(lost, None, now, now).unwrap().result,
                Outcome::Failed
            );
            changes.seen(Some(&document(shown, 503, 9)), now);
            assert_eq!(changes.is_to_be_put_back(), to_be_put_back);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn ok_needs_no_putting_back() {
        let now = Instant::now();
        let mut changes = Changes::new(INTERVAL, TIMEOUT, now);
        assert_eq!(
            changes.answered(sent(200), Some(document("ok", 200, 3)), now, now),
            None
        );
        assert!(!changes.is_to_be_put_back());
        assert!(changes.is_pending());
    }
}
