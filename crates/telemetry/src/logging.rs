//! The `tracing` subscriber: every event to stderr, as a line for people or as JSON, and to OTLP when logs are exported.

mod format;

use std::io::IsTerminal as _;

use opentelemetry_appender_tracing::layer::OpenTelemetryTracingBridge;
use tracing::level_filters::LevelFilter;
use tracing::{Level, Subscriber, subscriber};
use tracing_subscriber::filter::{FilterFn, Targets, filter_fn};
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::{Layer as _, Registry};

use crate::{Error, Telemetry};

/// How log lines look.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LogFormat {
    /// Text on a terminal, JSON elsewhere.
    #[default]
    Auto,
    /// One line for people per event.
    Text,
    /// One JSON object per line and event.
    Json,
}

/// Levels of a program whose user asks for nothing.
const DEFAULT_FILTER: &str = "info";

/// What [`init_logging`] sets up. The caller reads flags and environment.
#[derive(Clone, Debug, Default)]
pub struct LogOptions {
    /// How lines look.
    pub format: LogFormat,
    /// Levels, for all targets or by target: `warn`, or `info,spinfo=debug,h2=off`. `None` is `info`.
    pub filter: Option<String>,
    /// Whether the environment variable `NO_COLOR` is set to something (no-color.org).
    pub no_color: bool,
}

/// Targets of the libraries that carry telemetry out. What they say about it must not become telemetry.
const EXPORTER_TARGETS: [&str; 7] = [
    "h2",
    "hyper",
    "hyper_util",
    "opentelemetry",
    "rustls",
    "tonic",
    "tower",
];

/// Makes this process's events go to stderr, and to OTLP when `telemetry` exports logs.
///
/// A log line carries `trace_id` and `span_id` when an OpenTelemetry context with a span is active on the thread that logs.
///
/// # Errors
///
/// [`Error::LogFilter`] when the filter cannot be read, [`Error::LoggingAlreadySet`] when a subscriber is already there.
pub fn init_logging(options: &LogOptions, telemetry: Option<&Telemetry>) -> Result<(), Error> {
    let terminal = std::io::stderr().is_terminal();
    let subscriber = subscriber(options, telemetry, terminal, std::io::stderr)?;
    subscriber::set_global_default(subscriber).map_err(|_| Error::LoggingAlreadySet)
}

fn subscriber<W>(
    options: &LogOptions,
    telemetry: Option<&Telemetry>,
    terminal: bool,
    writer: W,
) -> Result<impl Subscriber + Send + Sync + use<W>, Error>
where
    W: for<'w> MakeWriter<'w> + Send + Sync + 'static,
{
    let levels = levels(options.filter.as_deref().unwrap_or(DEFAULT_FILTER))?;
    let json = match options.format {
        LogFormat::Auto => !terminal,
        LogFormat::Text => false,
        LogFormat::Json => true,
    };
    let lines = tracing_subscriber::fmt::layer()
        .with_writer(writer)
        .with_ansi(false)
        // It would report a broken stderr to stderr, by a macro that panics when that fails.
        .log_internal_errors(false);
    let lines = if json {
        lines.event_format(format::Json).boxed()
    } else {
        lines
            .event_format(format::Text {
                colour: terminal && !options.no_color,
            })
            .boxed()
    };
    let bridge = telemetry
        .filter(|telemetry| telemetry.is_logging_enabled())
        .map(|telemetry| {
            OpenTelemetryTracingBridge::new(telemetry.logger_provider())
                .with_filter(not_from_exporters())
        });
    Ok(Registry::default().with(levels).with(lines).with(bridge))
}

fn not_from_exporters() -> FilterFn {
    filter_fn(|metadata| {
        let target = metadata.target();
        let root = target.split_once("::").map_or(target, |(root, _)| root);
        !EXPORTER_TARGETS.contains(&root) && !root.starts_with("opentelemetry")
    })
}

/// Reads a filter. A bare word that is no level would be taken for a target and turn on everything below it, so it is refused.
fn levels(filter: &str) -> Result<Targets, Error> {
    let refused = |reason: String| Error::LogFilter {
        filter: filter.to_owned(),
        reason,
    };
    for part in filter.split(',').map(str::trim) {
        if part.is_empty() {
            return Err(refused("there is nothing between two commas".to_owned()));
        }
        if !part.contains('=') && part.parse::<LevelFilter>().is_err() {
            return Err(refused(format!(
                "{part} is no level; levels are off, error, warn, info, debug and trace"
            )));
        }
    }
    let filter: String = filter
        .split(',')
        .map(str::trim)
        .collect::<Vec<_>>()
        .join(",");
    filter.parse().map_err(|why| refused(format!("{why}")))
}

/// The name of a level in JSON and text.
const fn level_name(level: &Level) -> &'static str {
    match *level {
        Level::ERROR => "ERROR",
        Level::WARN => "WARN",
        Level::INFO => "INFO",
        Level::DEBUG => "DEBUG",
        Level::TRACE => "TRACE",
    }
}

#[cfg(test)]
mod tests;
