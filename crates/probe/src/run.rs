//! One check, or one after another: attempts, output, and the end.

use std::io::Write as _;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use spinfo_client::Client;

use crate::check::{self, Outcome, Severity};
use crate::cli::{Format, Job};
use crate::schedule::Schedule;
use crate::telemetry::{CheckSpan, Telemetry};
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
        true => Telemetry::from_environment()?,
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
        let Some(interval) = self.job.interval else {
            let outcome = self.check().await;
            // The exit code tells it even if nobody reads the line.
            let _ = self.publish(&outcome);
            return Ok(Some(outcome.severity()));
        };
        let mut stop = std::pin::pin!(stop_signal()?);
        let mut schedule = Schedule::every(interval);
        let first = Instant::now();
        let mut last = None;
        loop {
            let outcome = tokio::select! {
                outcome = self.check() => outcome,
                () = &mut stop => return Ok(last),
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
                () = &mut stop => return Ok(last),
            }
        }
    }

    /// As many attempts as are allowed and needed.
    async fn check(&self) -> Outcome {
        let settings = &self.job.settings;
        let mut attempt = 1;
        loop {
            let span = CheckSpan::begin(self.telemetry.as_ref(), &settings.target);
            let mut outcome = check::run(&self.client, settings, &span).await;
            outcome.attempt = attempt;
            span.end(&outcome);
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
                complain(&anyhow::Error::from(error));
            }
        }
        let text = match self.job.output.format {
            Format::Line => nagios::output(outcome, settings, false),
            Format::LongText => nagios::output(outcome, settings, true),
            Format::Json => json::line(outcome, settings)?,
        };
        let mut stdout = std::io::stdout().lock();
        writeln!(stdout, "{text}")?;
        stdout.flush()
    }
}

/// What does not change the outcome of a check goes to stderr.
pub(crate) fn complain(error: &anyhow::Error) {
    let _ = writeln!(std::io::stderr(), "spinfo-probe: {error:#}");
}

/// Completes with SIGTERM or SIGINT. Heard from now on, so that none ends the process without its exit code.
fn stop_signal() -> anyhow::Result<impl Future<Output = ()>> {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        let listen = |kind| signal(kind).context("cannot listen for signals");
        let mut terminate = listen(SignalKind::terminate())?;
        let mut interrupt = listen(SignalKind::interrupt())?;
        Ok(async move {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
            }
        })
    }
    #[cfg(not(unix))]
    {
        Ok(async {
            // Were it impossible to hear Ctrl-C, the system would end the process itself.
            let _ = tokio::signal::ctrl_c().await;
        })
    }
}
