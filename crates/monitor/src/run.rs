//! A run: from settings to the summary.

use std::io::{IsTerminal as _, Write as _};
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use spinfo_telemetry::{ServiceDefaults, Settings as TelemetrySettings, Telemetry};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use tokio::sync::watch;
use tokio::task::{AbortHandle, JoinSet};
use tokio::time::{Instant, MissedTickBehavior, interval};

use crate::cli::{self, Cli, OutputFlag, TOKEN_VARIABLE, Terminal};
use crate::health::Health;
use crate::output::{self, Output};
use crate::report::Event;
use crate::schedule::Schedule;
use crate::server::{self, Server};
use crate::settings::{Environment, Settings, TargetSettings};
use crate::signals::Signals;
use crate::stats::{Snapshot, TargetStats};
use crate::target::{Bounds, Runner, Shared};
use crate::telemetry::Instruments;
use crate::view;

/// How long the telemetry that is left at the end may take to be sent.
const FLUSH: Duration = Duration::from_secs(5);

/// How often the live table is drawn.
const FRAME: Duration = Duration::from_millis(250);

/// How a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// As it should.
    Good,
    /// Too many requests failed.
    Failures,
    /// By a second signal, with things left undone.
    Interrupted,
}

/// Resolves what was asked for, and does it.
///
/// # Errors
/// What makes no sense in flags, files and environment, before any request is sent.
pub(crate) fn run(cli: &Cli) -> anyhow::Result<Verdict> {
    let environment = Environment {
        token: cli::environment(TOKEN_VARIABLE),
        variables: cli::variables().collect(),
    };
    let settings = Settings::resolve(cli, &cli::arguments(), &environment)?;
    let terminal = Terminal::from_process();
    let form = output::chosen(
        settings.run.output,
        std::io::stdout().is_terminal(),
        std::io::stdin().is_terminal(),
        &terminal,
    );

    let defaults = ServiceDefaults {
        name: "spinfo-monitor".to_owned(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        namespace: Some("spinfo".to_owned()),
        endpoint: None,
    };
    let telemetry_settings = TelemetrySettings::from_env(&cli::environment, defaults)?;
    let telemetry = Telemetry::start(&telemetry_settings)?;
    spinfo_telemetry::init_logging(&cli.log.options(form == OutputFlag::Live), Some(&telemetry))?;
    for warning in &telemetry_settings.warnings {
        tracing::warn!("{warning}");
    }

    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .context("cannot start the runtime")?;
    let instruments = Instruments::new(&telemetry, telemetry_settings.sampler.ratio);
    let verdict = runtime.block_on(monitor(settings, form, &terminal, &telemetry, instruments));
    // A look-up of a name may hang in a thread.
    runtime.shutdown_background();
    let verdict = verdict?;
    if verdict != Verdict::Interrupted && !telemetry.shutdown(FLUSH) {
        tracing::warn!(timeout = ?FLUSH, "telemetry was left when the time to send it was over");
    }
    Ok(verdict)
}

async fn monitor(
    settings: Settings,
    form: OutputFlag,
    terminal: &Terminal,
    telemetry: &Telemetry,
    instruments: Instruments,
) -> anyhow::Result<Verdict> {
    let mut signals = Signals::listen().context("cannot listen for signals")?;
    let listener = match settings.run.listen {
        Some(address) => Some(server::bind(address).await?),
        None => None,
    };
    let colour = |stream_is_terminal| {
        view::colour(
            stream_is_terminal,
            terminal.no_color.as_deref(),
            terminal.term.as_deref(),
        )
    };
    let (stdout_colour, stderr_colour) = (
        colour(std::io::stdout().is_terminal()),
        colour(std::io::stderr().is_terminal()),
    );

    let start = Instant::now();
    let stats: Vec<_> = settings
        .targets
        .iter()
        .map(|target| stats(target, start))
        .collect();
    let board = stats.iter().map(|stats| stats.anew(start)).collect();
    let (output, commands) = Output::open(form, stdout_colour, board)?;
    let health = Arc::new(Health::new(&settings.targets, start));
    let _server = listener.map(|listener| {
        let server = Server {
            metrics: telemetry.metrics_page(),
            health: health.clone(),
        };
        AbortOnDrop(tokio::spawn(server.serve(listener)).abort_handle())
    });

    let (events, received) = unbounded_channel();
    let (stop, stopped) = watch::channel(false);
    let bounds = Bounds {
        until: settings.run.duration.map(|duration| start + duration),
        count: settings.run.count,
    };
    let shared = Shared {
        instruments: Arc::new(instruments),
        health: health.clone(),
        events,
        stop: stopped,
        limits: bounds,
    };
    let fail_over = settings.run.fail_over;
    let _targets = spawn(settings.targets, Arc::new(shared), start);

    let mut run = Run {
        received,
        commands,
        stop,
        health,
        output,
        stats,
    };
    let ended = run.until_ended(&mut signals).await;
    let now = Instant::now();
    let snapshots: Vec<_> = run.stats.iter().map(|stats| stats.snapshot(now)).collect();
    let worst = snapshots
        .iter()
        .map(|target| target.error_share)
        .fold(0.0, f64::max);
    let left_out = run.output.finish(&snapshots, worst);
    summarise(&snapshots, stderr_colour, left_out);
    Ok(match ended {
        Ended::AtOnce => Verdict::Interrupted,
        Ended::Finished if worst > fail_over => Verdict::Failures,
        Ended::Finished => Verdict::Good,
    })
}

fn stats(target: &TargetSettings, start: Instant) -> TargetStats {
    TargetStats::new(
        target.name.clone(),
        target.status.to_string(),
        target.interval,
        start,
    )
}

/// Starts a task for each target. They end with the set.
fn spawn(targets: Vec<TargetSettings>, shared: Arc<Shared>, start: Instant) -> JoinSet<()> {
    let mut tasks = JoinSet::new();
    let count = targets.len();
    for (index, target) in targets.into_iter().enumerate() {
        let schedule = Schedule::new(start, target.interval, (index, count));
        tasks.spawn(Runner::new(index, target, shared.clone(), start).run(schedule));
    }
    tasks
}

/// What goes on while the targets' tasks run.
struct Run {
    received: UnboundedReceiver<Event>,
    commands: Option<UnboundedReceiver<view::Command>>,
    stop: watch::Sender<bool>,
    health: Arc<Health>,
    output: Output,
    stats: Vec<TargetStats>,
}

enum Ended {
    /// All targets have ended.
    Finished,
    /// The user did not want to wait for that.
    AtOnce,
}

impl Run {
    async fn until_ended(&mut self, signals: &mut Signals) -> Ended {
        let mut frames = interval(FRAME);
        frames.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                event = self.received.recv() => match event {
                    Some(event) => self.take(&event),
                    None => return Ended::Finished,
                },
                command = next(&mut self.commands) => match command {
                    view::Command::Reset => self.output.reset(Instant::now()),
                    view::Command::Quit => if !self.begin_stop("key") {
                        return Ended::AtOnce;
                    },
                },
                signal = signals.next() => if !self.begin_stop(signal) {
                    return Ended::AtOnce;
                },
                _ = frames.tick() => self.output.draw(Instant::now()),
            }
        }
    }

    fn take(&mut self, event: &Event) {
        let now = Instant::now();
        output::count(&mut self.stats, event, now);
        if self.output.show(event, now).is_err() {
            self.begin_stop("nobody reads stdout");
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
        self.output.stopping();
        true
    }
}

/// The next command of a user who has somewhere to give it.
async fn next(commands: &mut Option<UnboundedReceiver<view::Command>>) -> view::Command {
    if let Some(receiver) = commands {
        match receiver.recv().await {
            Some(command) => return command,
            None => *commands = None,
        }
    }
    std::future::pending().await
}

/// Says on stderr how it went.
fn summarise(targets: &[Snapshot], colour: bool, left_out: u64) {
    let mut stderr = std::io::stderr().lock();
    // Nobody is left to tell when stderr is closed.
    let _ = write!(stderr, "{}", view::summary::text(targets, colour));
    if left_out > 0 {
        let _ = writeln!(
            stderr,
            "{left_out} lines were left out because stdout was read too slowly"
        );
    }
}

struct AbortOnDrop(AbortHandle);

impl Drop for AbortOnDrop {
    fn drop(&mut self) {
        self.0.abort();
    }
}
