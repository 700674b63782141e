//! The life of one target: requests on schedule, changes in between, and the state put back at the end.

use std::sync::Arc;

use http::Method;
use spinfo_names::values::ChangeResult;
use tokio::sync::mpsc::UnboundedSender;
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until};

use crate::change::Changes;
use crate::document::Document;
use crate::health::Health;
use crate::report::{Change, Event, Outcome, Report, ReportError, Sent};
use crate::request::Requests;
use crate::say::harmless;
use crate::schedule::Schedule;
use crate::settings::{Endpoints, RequestSettings};
use crate::telemetry::Instruments;

/// What the targets of one run have in common.
pub(crate) struct Shared {
    pub(crate) settings: Arc<RequestSettings>,
    pub(crate) instruments: Arc<Instruments>,
    pub(crate) health: Arc<Health>,
    pub(crate) events: UnboundedSender<Event>,
    /// True when no more requests are to be started.
    pub(crate) stop: watch::Receiver<bool>,
    /// No request starts at or after this moment.
    pub(crate) until: Option<Instant>,
    /// Requests to each target.
    pub(crate) count: Option<u64>,
}

/// Requests one target until something stops it.
pub(crate) struct Runner {
    index: usize,
    endpoints: Endpoints,
    requests: Requests,
    changes: Changes,
    /// Since when the target fails, and how many requests have.
    failing: Option<(Instant, u64)>,
    shared: Arc<Shared>,
}

impl Runner {
    pub(crate) fn new(
        index: usize,
        endpoints: Endpoints,
        shared: Arc<Shared>,
        start: Instant,
    ) -> Self {
        let flags = &shared.settings.flags;
        let changes = Changes::new(flags.change_interval, flags.change_timeout, start);
        shared.instruments.announce(&endpoints.status);
        Self {
            index,
            endpoints,
            requests: Requests::new(shared.settings.clone(), shared.instruments.clone()),
            changes,
            failing: None,
            shared,
        }
    }

    /// Runs until a stop, the end of time or the last request. A request under way is always finished.
    pub(crate) async fn run(mut self, mut schedule: Schedule) {
        let (until, count) = (self.shared.until, self.shared.count);
        let mut stop = self.shared.stop.clone();
        let mut done = 0;
        while count.is_none_or(|count| done < count) {
            match next_tick(&mut schedule, &mut stop, until).await {
                Some(missed) => self.missed(missed),
                None => break,
            }
            if until.is_some_and(|until| Instant::now() >= until) {
                break;
            }
            self.request().await;
            done += 1;
            let another = count.is_none_or(|count| done < count)
                && until.is_none_or(|until| schedule.next_at() < until)
                && !*stop.borrow();
            // A change that no request follows would be made for nothing.
            if another {
                self.change().await;
            }
        }
        self.put_back().await;
        self.shared.health.finished(self.index, None);
    }

    fn missed(&self, ticks: u64) {
        if ticks > 0 {
            self.shared
                .instruments
                .missed(&self.endpoints.status, ticks);
            self.tell(Event::Missed(self.index, ticks));
        }
    }

    async fn request(&mut self) {
        let done = self
            .requests
            .send(Method::GET, &self.endpoints.status)
            .await;
        let document = done.document();
        let error = done.error(self.changes.promise(), document.as_ref());
        let report = Report {
            sent: done.sent(&self.endpoints.name, document.as_ref(), error),
            reused: done.reused,
            phases: done.phases,
        };
        {
            // The log record leads to the trace.
            let _trace = done.attach();
            self.log(&report.sent);
        }
        done.finish(&self.shared.instruments, report.sent.error.as_ref());
        self.shared
            .health
            .finished(self.index, Some(Instant::now()));
        self.tell(Event::Report(self.index, report));
        if let Some(change) = self.changes.seen(document.as_ref(), Instant::now()) {
            self.tell_change(change);
        }
    }

    /// A log record for operators when the target begins to fail and when it is well again. Each single request is in the reports.
    fn log(&mut self, sent: &Sent) {
        let (target, endpoint) = (sent.target.as_str(), sent.endpoint.as_str());
        self.failing = match (&sent.error, self.failing) {
            (None, None) => None,
            (None, Some((since, failed))) => {
                let seconds = since.elapsed().as_secs_f64();
                tracing::info!(target, endpoint, seconds, failed, "requests succeed again");
                None
            }
            (Some(error), None) => {
                tracing::warn!(
                    target,
                    endpoint,
                    "error.type" = error.kind,
                    error = &*harmless(&error.message),
                    "requests fail"
                );
                Some((Instant::now(), 1))
            }
            (Some(_), Some((since, failed))) => Some((since, failed + 1)),
        };
    }

    /// Asks for a change if it is time for one.
    async fn change(&mut self) {
        let asked = Instant::now();
        if self.changes.is_due(asked) {
            let (change, document) = self.ask(Method::POST).await;
            let answered = self
                .changes
                .answered(change, document, asked, Instant::now());
            if let Some(change) = answered {
                self.tell_change(change);
            }
        }
    }

    /// Puts a state back that this program has changed.
    async fn put_back(&mut self) {
        if self.changes.is_pending() {
            tracing::info!(endpoint = %self.endpoints.change, "stopped before a request could show the last change");
        }
        if self.changes.is_to_be_put_back() && !self.shared.settings.flags.keep_state {
            let (change, _) = self.ask(Method::DELETE).await;
            self.tell_change(change);
        }
    }

    /// Sends a request that changes the state: `POST` to the endpoint for changes, or `DELETE` to the status endpoint.
    async fn ask(&mut self, method: Method) -> (Change, Option<Document>) {
        let target = match method {
            Method::DELETE => &self.endpoints.status,
            _ => &self.endpoints.change,
        };
        let done = self.requests.send(method, target).await;
        self.shared
            .health
            .finished(self.index, Some(Instant::now()));
        let has_token = self.shared.settings.authorization.is_some();
        let error = done
            .error(None, None)
            .map(|error| advised(error, done.status(), has_token));
        let document = done.document();
        let change = Change {
            result: match error {
                None => Outcome::Ok,
                Some(_) => Outcome::Failed,
            },
            sent: done.sent(&self.endpoints.name, document.as_ref(), error),
            seen_revision: None,
        };
        done.finish(&self.shared.instruments, change.sent.error.as_ref());
        (change, document)
    }

    fn tell_change(&self, change: Change) {
        let (target, endpoint) = (change.sent.target.as_str(), change.sent.endpoint.as_str());
        match &change.sent.error {
            _ if change.result == Outcome::Unsupported => {
                tracing::info!(target, endpoint, "the server has no endpoint for changes");
            }
            Some(error) => tracing::warn!(
                target,
                endpoint,
                "error.type" = error.kind,
                error = &*harmless(&error.message),
                "a change of the state came to nothing"
            ),
            None => {}
        }
        let result = match change.result {
            Outcome::Ok => Some(ChangeResult::Ok),
            Outcome::Failed => Some(ChangeResult::Failed),
            Outcome::Mismatch => Some(ChangeResult::Mismatch),
            // That a server knows no changes is none.
            Outcome::Unsupported => None,
        };
        if let Some(result) = result {
            let target = &self.endpoints.status;
            self.shared.instruments.changed(target, result, 1);
        }
        self.tell(Event::Change(self.index, change));
    }

    fn tell(&self, event: Event) {
        // After a second signal nobody listens any more.
        let _ = self.shared.events.send(event);
    }
}

/// Waits for the next tick, and says how many have been missed. `None` when there is no next one, because of a stop or the end of time.
async fn next_tick(
    schedule: &mut Schedule,
    stop: &mut watch::Receiver<bool>,
    until: Option<Instant>,
) -> Option<u64> {
    let end = async {
        match until {
            Some(until) => sleep_until(until).await,
            None => std::future::pending().await,
        }
    };
    tokio::select! {
        biased;
        // The sender lives as long as the run.
        _ = stop.wait_for(|stop| *stop) => None,
        () = end => None,
        missed = schedule.tick() => Some(missed),
    }
}

fn advised(error: ReportError, status: Option<u16>, has_token: bool) -> ReportError {
    let advice = match (status, has_token) {
        (Some(401 | 403), false) => {
            "the server wants a token: --admin-token-file or SPINFO_ADMIN_TOKEN"
        }
        (Some(401 | 403), true) => "the server does not accept the token",
        (Some(404 | 405), _) => "the server has no endpoint for changes; it is not asked again",
        _ => return error,
    };
    ReportError {
        message: format!("{}: {advice}", error.message),
        ..error
    }
}
