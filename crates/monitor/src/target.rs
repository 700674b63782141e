//! The life of one target: requests on schedule, changes in between, and the state put back at the end.

use std::sync::Arc;

use http::Method;
use tokio::sync::mpsc::UnboundedSender;
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until};

use crate::change::Changes;
use crate::document::Document;
use crate::health::Health;
use crate::report::{Change, Event, Outcome, Report, ReportError};
use crate::request::{Ask, Done, Requests, method_name};
use crate::schedule::Schedule;
use crate::settings::TargetSettings;
use crate::telemetry::Instruments;
use crate::trouble::{self, Trouble};

/// What the targets of one run have in common.
pub(crate) struct Shared {
    pub(crate) instruments: Arc<Instruments>,
    pub(crate) health: Arc<Health>,
    pub(crate) events: UnboundedSender<Event>,
    /// True when no more requests are to be started.
    pub(crate) stop: watch::Receiver<bool>,
    pub(crate) limits: Bounds,
}

/// When a run ends by itself.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Bounds {
    /// No request starts at or after this moment.
    pub(crate) until: Option<Instant>,
    /// Requests to each target.
    pub(crate) count: Option<u64>,
}

/// Requests one target until something stops it.
pub(crate) struct Runner {
    index: usize,
    settings: TargetSettings,
    requests: Requests,
    changes: Option<Changes>,
    trouble: Trouble,
    shared: Arc<Shared>,
}

impl Runner {
    pub(crate) fn new(
        index: usize,
        settings: TargetSettings,
        shared: Arc<Shared>,
        start: Instant,
    ) -> Self {
        let requests = Requests::new(&settings, shared.instruments.clone());
        let changes = settings
            .change_interval
            .map(|interval| Changes::new(interval, settings.change_timeout, start));
        shared
            .instruments
            .announce(&settings.status, &settings.status_path);
        Self {
            index,
            settings,
            requests,
            changes,
            trouble: Trouble::default(),
            shared,
        }
    }

    /// Runs until a stop, the end of time or the last request. A request under way is always finished.
    pub(crate) async fn run(mut self, mut schedule: Schedule) {
        let mut stop = self.shared.stop.clone();
        let bounds = self.shared.limits;
        let mut done = 0;
        while bounds.count.is_none_or(|count| done < count) {
            if !next_tick(&mut schedule, &mut stop, bounds.until, |missed| {
                self.missed(missed)
            })
            .await
            {
                break;
            }
            self.request().await;
            done += 1;
            let another = bounds.count.is_none_or(|count| done < count)
                && bounds.until.is_none_or(|until| schedule.next_at() < until)
                && !*stop.borrow();
            // A change that no request follows would be made for nothing.
            if another {
                self.change().await;
            }
        }
        self.put_back().await;
        self.shared.health.ended(self.index);
    }

    fn missed(&self, ticks: u64) {
        if ticks > 0 {
            self.shared.instruments.missed(
                &self.settings.status,
                &self.settings.status_path,
                ticks,
            );
            self.tell(Event::Missed(self.index, ticks));
        }
    }

    async fn request(&mut self) {
        let settings = &self.settings;
        let done = self
            .requests
            .send(Ask {
                method: Method::GET,
                target: &settings.status,
                path: &settings.status_path,
                authorization: None,
            })
            .await;
        let document = Document::parse(done.body());
        let promise = self.changes.as_ref().and_then(Changes::promise);
        let error = done.error(promise, document.as_ref());
        let report = Report {
            timestamp: done.timestamp,
            target: settings.name.clone(),
            endpoint: settings.status.to_string(),
            method: "GET",
            duration: done.duration,
            success: error.is_none(),
            status: done.status(),
            state: document.as_ref().map(|document| document.state.clone()),
            revision: document.as_ref().map(|document| document.revision),
            reused: done.reused,
            phases: done.phases,
            trace_id: done.trace_id.clone(),
            error,
        };
        {
            // The log record leads to the trace.
            let _trace = done.attach();
            self.trouble.report(&report);
        }
        done.finish(self.requests.instruments(), report.error.as_ref());
        self.shared.health.finished(self.index);
        self.tell(Event::Report(self.index, report));
        let outcome = self
            .changes
            .as_mut()
            .and_then(|changes| changes.seen(document.as_ref(), Instant::now()));
        if let Some(change) = outcome {
            self.tell_change(change);
        }
    }

    /// Asks for a change if it is time for one.
    async fn change(&mut self) {
        let asked = Instant::now();
        if !self
            .changes
            .as_ref()
            .is_some_and(|changes| changes.is_due(asked))
        {
            return;
        }
        let (mut change, done) = self.ask(Method::POST).await;
        let body = done.body().to_vec();
        done.finish(self.requests.instruments(), change.error.as_ref());
        // What the answer promises is still to be shown.
        change.success = false;
        change.result = Outcome::Failed;
        let outcome = self
            .changes
            .as_mut()
            .and_then(|changes| changes.answered(change, &body, asked, Instant::now()));
        if let Some(change) = outcome {
            self.tell_change(change);
        }
    }

    /// Puts a state back that this program has changed.
    async fn put_back(&mut self) {
        let Some(changes) = &self.changes else { return };
        if changes.is_pending() {
            tracing::info!(endpoint = %self.settings.change, "stopped before a request could show the last change");
        }
        if self.settings.keep_state || !changes.is_to_be_put_back() {
            return;
        }
        let (change, done) = self.ask(Method::DELETE).await;
        done.finish(self.requests.instruments(), change.error.as_ref());
        self.tell_change(change);
    }

    /// Sends a request that changes the state: `POST` to the endpoint for changes, or `DELETE` to the status endpoint.
    async fn ask(&mut self, method: Method) -> (Change, Done) {
        let settings = &self.settings;
        let (target, path) = match method {
            Method::DELETE => (&settings.status, &settings.status_path),
            _ => (&settings.change, &settings.change_path),
        };
        let name = method_name(&method);
        let done = self
            .requests
            .send(Ask {
                method,
                target,
                path,
                authorization: settings.authorization.as_ref(),
            })
            .await;
        self.shared.health.finished(self.index);
        let error = done
            .error(None, None)
            .map(|error| advised(error, done.status(), settings.authorization.is_some()));
        let document = Document::parse(done.body());
        let change = Change {
            timestamp: done.timestamp,
            target: settings.name.clone(),
            endpoint: target.to_string(),
            method: name,
            duration: done.duration,
            success: error.is_none(),
            status: done.status(),
            result: if error.is_none() {
                Outcome::Ok
            } else {
                Outcome::Failed
            },
            error,
            state: document.as_ref().map(|document| document.state.clone()),
            revision: document.as_ref().map(|document| document.revision),
            seen_revision: None,
            trace_id: done.trace_id.clone(),
        };
        (change, done)
    }

    fn tell_change(&self, change: Change) {
        trouble::change(&change);
        self.shared.instruments.changed(
            &self.settings.status,
            &self.settings.status_path,
            change.result,
            1,
        );
        self.tell(Event::Change(self.index, change));
    }

    fn tell(&self, event: Event) {
        // After a second signal nobody listens any more.
        let _ = self.shared.events.send(event);
    }
}

/// Waits for the next tick. False when there is none, because of a stop or the end of time.
async fn next_tick(
    schedule: &mut Schedule,
    stop: &mut watch::Receiver<bool>,
    until: Option<Instant>,
    missed: impl FnOnce(u64),
) -> bool {
    let end = async {
        match until {
            Some(until) => sleep_until(until).await,
            None => std::future::pending().await,
        }
    };
    let over = |at: Instant| until.is_some_and(|until| at >= until);
    tokio::select! {
        biased;
        // The sender lives as long as the run.
        _ = stop.wait_for(|stop| *stop) => false,
        () = end => false,
        ticks = schedule.tick() => {
            missed(ticks);
            !over(Instant::now())
        }
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
