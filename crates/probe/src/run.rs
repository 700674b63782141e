//! One check, or one after another: attempts, output, and the end.

use std::io::Write as _;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use spinfo_client::Client;
use spinfo_program::exit;
use spinfo_program::signals::Signals;

use crate::check::{self, Outcome, Severity};
use crate::cli::{Format, Job};
use crate::schedule::Schedule;
use crate::span::CheckSpan;
use crate::telemetry::Telemetry;
use crate::{json, nagios, prometheus};

/// How long the telemetry of the last check may take to be sent. A receiver that is not there must not make a health check late.
const FLUSH: Duration = Duration::from_secs(2);

/// Checks until there is nothing left to check, and gives the severity of the last check.
///
/// # Errors
/// When there can be no check.
pub(crate) fn run(job: &Job) -> anyhow::Result<Severity> {
    let client = Client::new(job.connection.clone())?;
    let telemetry = match job.output.telemetry {
        true => Telemetry::from_environment(complain)?,
        false => None,
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .context("cannot start the runtime")?;
    let probe = Probe {
        job,
        client,
        telemetry,
    };
    let last = runtime.block_on(probe.go())?;
    if let Some(telemetry) = probe.telemetry {
        telemetry.shutdown(FLUSH);
    }
    last.context("stopped before the first check was done")
}

struct Probe<'a> {
    job: &'a Job,
    client: Client,
    telemetry: Option<Telemetry>,
}

impl Probe<'_> {
    /// The severity of the last check that was finished.
    async fn go(&self) -> anyhow::Result<Option<Severity>> {
        let mut signals = Signals::listen().context("cannot listen for signals")?;
        let Some(interval) = self.job.interval else {
            let outcome = tokio::select! {
                outcome = self.check() => outcome,
                signal = signals.next() => bail!("stopped by {signal} before the check was done"),
            };
            // The exit code tells it even if nobody reads the line.
            let _ = self.publish(&outcome);
            return Ok(Some(outcome.severity()));
        };
        let mut schedule = Schedule::every(interval);
        let first = Instant::now();
        let mut last = None;
        loop {
            let outcome = tokio::select! {
                outcome = self.check() => outcome,
                _ = signals.next() => return Ok(last),
            };
            last = Some(outcome.severity());
            if self.publish(&outcome).is_err() {
                // The reader of a pipe has gone.
                return Ok(last);
            }
            let next = schedule.next(first.elapsed(), rand::random_range(-1.0..=1.0));
            let pause = next.saturating_sub(first.elapsed());
            tokio::select! {
                () = tokio::time::sleep(pause) => {}
                _ = signals.next() => return Ok(last),
            }
        }
    }

    /// As many attempts as are allowed and needed.
    async fn check(&self) -> Outcome {
        let settings = &self.job.settings;
        let mut attempt = 1;
        loop {
            let tracing = self.telemetry.as_ref().and_then(Telemetry::tracing);
            let span = CheckSpan::begin(tracing, &settings.target);
            let mut outcome = check::run(&self.client, settings, &span).await;
            outcome.attempt = attempt;
            let status = outcome.http.as_ref().map(|http| http.status);
            span.end(status, outcome.failure());
            if outcome.severity() == Severity::Ok || attempt > settings.retries {
                return outcome;
            }
            attempt += 1;
            tokio::time::sleep(self.job.retry_pause).await;
        }
    }

    /// Tells everybody who wants to know.
    ///
    /// # Errors
    /// When nobody reads stdout.
    fn publish(&self, outcome: &Outcome) -> std::io::Result<()> {
        let settings = &self.job.settings;
        if let Some(telemetry) = &self.telemetry {
            telemetry.record(&settings.target, outcome);
        }
        // Before the line, so that whoever has read it finds the file.
        if let Some(file) = &self.job.output.prometheus {
            let written = prometheus::write(outcome, &settings.target.to_string(), file);
            if let Err(error) = written {
                complain(&exit::chain(&error.into()));
            }
        }
        let text = match self.job.output.format {
            Format::Line => nagios::output(outcome, settings, false),
            Format::LongText => nagios::output(outcome, settings, true),
            Format::Json => json::line(outcome, settings),
        };
        let mut stdout = std::io::stdout().lock();
        writeln!(stdout, "{text}")?;
        stdout.flush()
    }
}

/// What does not change the outcome of a check goes to stderr.
fn complain(message: &str) {
    let _ = writeln!(std::io::stderr(), "spinfo-probe: {message}");
}
