//! What every program of ours begins and ends with.
//!
//! In the order in which a program needs them:
//!
//! - [`command_line`]: parses the flags; [`parsers`] reads their values, [`environment`] what is no flag
//! - [`generate`]: man page, completions and reference, made from the flags' definitions
//! - [`network`]: the flags of both clients
//! - [`log`] and [`telemetry`]: the flags of logging, and OpenTelemetry from its start to its last export
//! - [`signals`]: what stops the program
//! - [`server`]: `/metrics` and health over HTTP
//! - [`exit`]: exit codes, and the one place that prints an error

pub mod command_line;
pub mod environment;
pub mod exit;
pub mod generate;
pub mod log;
pub mod network;
pub mod parsers;
pub mod server;
pub mod signals;
pub mod telemetry;

/// A task that is aborted when this value is dropped.
pub struct AbortOnDrop(tokio::task::AbortHandle);

impl AbortOnDrop {
    /// Starts the task. Needs a runtime.
    #[must_use]
    pub fn spawn(task: impl Future<Output = ()> + Send + 'static) -> Self {
        Self(tokio::spawn(task).abort_handle())
    }
}

impl Drop for AbortOnDrop {
    fn drop(&mut self) {
        self.0.abort();
    }
}
