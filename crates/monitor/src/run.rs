//! A run: from flags to the summary.

use std::io::{self, IsTerminal as _, Write as _};
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use http::StatusCode;
use spinfo_program::AbortOnDrop;
use spinfo_program::server::{Routes, TEXT, response};
use spinfo_program::signals::Signals;
use spinfo_program::telemetry::{service, shutdown, start};
use spinfo_telemetry::Telemetry;
use tokio::net::TcpListener;
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::Instant;

use crate::cli::{self, Cli, RunFlags};
use crate::health::Health;
use crate::report::Event;
use crate::say::{Output, summary};
use crate::schedule::Schedule;
use crate::settings::{Endpoints, RequestSettings};
use crate::stats::{TargetStats, TargetSummary};
use crate::target::{Runner, Shared};
use crate::telemetry::Instruments;

/// How long the telemetry that is left at the end may take to be sent.
const FLUSH: Duration = Duration::from_secs(5);

/// How a run ended.
#[derive(Debug)]
pub(crate) enum Verdict {
    /// As it should.
    Good,
    /// Too many requests failed.
    Failures,
    /// With a stdout that nothing can be written to.
    Unwritten(io::Error),
    /// By a second signal, with things left undone.
    Interrupted,
}

/// Resolves what was asked for, and does it.
///
/// # Errors
/// What makes no sense in flags, files and environment, before any request is sent.
pub(crate) fn run(cli: Cli) -> anyhow::Result<Verdict> {
    let settings = Arc::new(RequestSettings::new(
        &cli,
        cli::token(),
        &spinfo_program::environment::variable,
    )?);
    let targets = cli
        .urls
        .iter()
        .map(|url| Endpoints::new(url, &cli.requests))
        .collect::<anyhow::Result<Vec<_>>>()?;
    let (telemetry_settings, telemetry) = start(service("spinfo-monitor"), &cli.log.options())?;
    let instruments = Instruments::new(&telemetry, telemetry_settings.sampler.ratio);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .context("cannot start the runtime")?;
    let verdict = runtime.block_on(monitor(targets, settings, cli.run, &telemetry, instruments));
    // A look-up of a name may hang in a thread.
    runtime.shutdown_background();
    let verdict = verdict?;
    if !matches!(verdict, Verdict::Interrupted) {
        shutdown(telemetry, FLUSH);
    }
    Ok(verdict)
}

async fn monitor(
    targets: Vec<Endpoints>,
    settings: Arc<RequestSettings>,
    flags: RunFlags,
    telemetry: &Telemetry,
    instruments: Instruments,
) -> anyhow::Result<Verdict> {
    let mut signals = Signals::listen_with_hangup().context("cannot listen for signals")?;
    let stdout = io::stdout();
    let output = Output::open(flags.output, stdout.is_terminal(), cli::colour(&stdout))?;
    let start = Instant::now();
    let names = targets.iter().map(|target| target.name.clone());
    let health = Arc::new(Health::new(names, &settings.flags, start));
    let _server = match flags.listen {
        Some(address) => {
            let listener = TcpListener::bind(address).await;
            let listener =
                listener.with_context(|| format!("--listen: cannot listen on {address}"))?;
            Some(serve(listener, telemetry, health.clone())?)
        }
        None => None,
    };
    let stats = targets
        .iter()
        .map(|target| {
            let (name, endpoint) = (target.name.clone(), target.status.to_string());
            TargetStats::new(name, endpoint, settings.flags.interval, start)
        })
        .collect();

    let (events, received) = unbounded_channel();
    let (stop, stopped) = watch::channel(false);
    let shared = Arc::new(Shared {
        settings,
        instruments: Arc::new(instruments),
        health: health.clone(),
        events,
        stop: stopped,
        until: flags.duration.map(|duration| start + duration),
        count: flags.count,
    });
    let _targets = spawn(targets, &shared, start);
    // Each target has its own: when the last one ends, so do the events.
    drop(shared);

    let mut run = Run {
        received,
        stop,
        health,
        output,
        stats,
        unwritten: None,
    };
    let interrupted = run.until_ended(&mut signals).await;
    Ok(run.finish(interrupted, flags.fail_over))
}

/// Serves `/metrics` and `/healthz`, and says on the log where.
fn serve(
    listener: TcpListener,
    telemetry: &Telemetry,
    health: Arc<Health>,
) -> anyhow::Result<AbortOnDrop> {
    let address = listener
        .local_addr()
        .context("cannot tell the address that was bound")?;
    let routes = Routes::new()
        .metrics(telemetry.metrics_page())
        .get("/healthz", move |_| {
            let (status, text) = match health.trouble(Instant::now()) {
                None => (StatusCode::OK, "ok".to_owned()),
                Some(trouble) => (StatusCode::SERVICE_UNAVAILABLE, trouble),
            };
            std::future::ready(response(status, TEXT, text + "\n"))
        });
    tracing::info!(%address, "serving /metrics and /healthz");
    Ok(AbortOnDrop::spawn(routes.serve(listener)))
}

/// Starts a task for each target. They end with the set.
fn spawn(targets: Vec<Endpoints>, shared: &Arc<Shared>, start: Instant) -> JoinSet<()> {
    let mut tasks = JoinSet::new();
    let count = targets.len();
    for (index, target) in targets.into_iter().enumerate() {
        let schedule = Schedule::new(start, shared.settings.flags.interval, (index, count));
        tasks.spawn(Runner::new(index, target, shared.clone(), start).run(schedule));
    }
    tasks
}

/// What goes on while the targets' tasks run.
struct Run {
    received: UnboundedReceiver<Event>,
    stop: watch::Sender<bool>,
    health: Arc<Health>,
    output: Output,
    stats: Vec<TargetStats>,
    /// Why nothing can be written to stdout.
    unwritten: Option<io::Error>,
}

impl Run {
    /// Returns when all targets have ended, or with true when the user does not want to wait for that.
    async fn until_ended(&mut self, signals: &mut Signals) -> bool {
        loop {
            tokio::select! {
                event = self.received.recv() => match event {
                    Some(event) => self.take(&event),
                    None => return false,
                },
                signal = signals.next() => if !self.begin_stop(signal) {
                    return true;
                },
            }
        }
    }

    fn take(&mut self, event: &Event) {
        if let Some(stats) = self.stats.get_mut(event.index()) {
            stats.count(event);
        }
        if let Err(error) = self.output.show(event) {
            self.begin_stop(match error.kind() {
                io::ErrorKind::BrokenPipe => "nobody reads stdout",
                _ => "stdout cannot be written to",
            });
            self.unwritten = Some(error);
        }
    }

    /// Lets no more requests start. False when that has been said before.
    fn begin_stop(&mut self, reason: &str) -> bool {
        if self.stop.send_replace(true) {
            return false;
        }
        tracing::info!(
            reason,
            "stopping: finishing what is under way; a second signal ends at once"
        );
        self.health.stop();
        true
    }

    /// Says how it went.
    fn finish(self, interrupted: bool, fail_over: f64) -> Verdict {
        let now = Instant::now();
        let targets: Vec<_> = self.stats.iter().map(|stats| stats.summary(now)).collect();
        let worst = targets
            .iter()
            .map(|target| target.error_share)
            .fold(0.0, f64::max);
        let (left_out, written) = self.output.finish(&targets, worst);
        summarise(&targets, left_out);
        // Who has stopped reading, as head(1) does, has seen enough.
        let unwritten = self
            .unwritten
            .or(written.err())
            .filter(|error| error.kind() != io::ErrorKind::BrokenPipe);
        match unwritten {
            _ if interrupted => Verdict::Interrupted,
            Some(error) => Verdict::Unwritten(error),
            None if worst > fail_over => Verdict::Failures,
            None => Verdict::Good,
        }
    }
}

/// Says on stderr how it went.
fn summarise(targets: &[TargetSummary], left_out: u64) {
    let mut stderr = io::stderr().lock();
    // Nobody is left to tell when stderr is closed.
    let _ = write!(stderr, "{}", summary::text(targets, cli::colour(&stderr)));
    if left_out > 0 {
        let _ = writeln!(
            stderr,
            "{left_out} lines were left out because stdout was read too slowly"
        );
    }
}
