//! OpenTelemetry for native programs: settings from `OTEL_*`, export over OTLP, `/metrics`, logs, and the names they use.
//!
//! Read in this order:
//! - [`settings`]: what the environment asks for, parsed once into [`Settings`];
//! - [`telemetry`]: [`Telemetry`], the value that owns the providers and whose end flushes them;
//! - `pipeline`: the bounded queues and the one background thread that empties them;
//! - `exporter`: OTLP over HTTP/protobuf and gRPC on one HTTP stack;
//! - [`metrics`]: the `/metrics` page, OpenMetrics 1.0;
//! - [`instruments`]: instruments made from the table of metrics;
//! - [`exemplars`]: the same, whose measurements lead to traces;
//! - [`logging`]: the `tracing` subscriber, to stderr and to OTLP;
//! - [`propagation`]: W3C trace context and baggage in HTTP headers;
//! - [`names`]: the keys of attributes, and what may go into their values.
//!
//! Two properties hold throughout. The environment is never read here: the caller passes its values, so the same settings give
//! the same behaviour everywhere. And losing the receiver costs telemetry only: queues are bounded, what does not fit is counted and
//! dropped, and no caller ever waits for an export.

pub mod settings;
pub mod telemetry;

mod exporter;
mod pipeline;

pub mod exemplars;
pub mod instruments;
pub mod logging;
pub mod metrics;
pub mod names;
pub mod propagation;

pub use exemplars::{Counter, ExemplarFilter, Histogram};
pub use logging::{LogFormat, LogOptions, init_logging};
pub use metrics::{MetricsPage, OPEN_METRICS_CONTENT_TYPE};
pub use propagation::Propagator;
pub use settings::{ServiceDefaults, Settings};
pub use telemetry::Telemetry;

/// Why telemetry or logging could not be set up.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// An environment variable asks for something that cannot be done, and guessing would send data to the wrong place.
    #[error("{variable}: {reason}")]
    Variable {
        /// Name of the environment variable.
        variable: String,
        /// What is wrong with its value and what to write instead.
        reason: String,
    },
    /// A certificate or key named by an environment variable cannot be used.
    #[error("{path}: {reason}")]
    Certificate {
        /// The file.
        path: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The background thread or its runtime could not be started.
    #[error("cannot start the telemetry thread")]
    Thread(#[source] std::io::Error),
    /// The filter of log levels cannot be read.
    #[error("log filter {filter:?}: {reason}; write a level or a list such as info,spinfo=debug")]
    LogFilter {
        /// The filter as given.
        filter: String,
        /// What is wrong with it.
        reason: String,
    },
    /// Another subscriber already receives this process's events.
    #[error("logging is already set up in this process")]
    LoggingAlreadySet,
}
