//! The host: runs a Spin application on wasmtime.
//!
//! In the order in which things happen:
//!
//! - [`cli`]: flags and environment, read once; [`limits`]: those that bound what the host takes on
//! - [`commands`]: `up`, `build` and `check`
//! - [`configuration`]: the manifest, the runtime configuration and the variables
//! - [`revision`]: which version of it that is, and [`reload`]: how another one takes its place
//! - [`lifecycle`]: whether the process is about to end
//! - [`server`]: from a bound listener to the last response
//! - [`admin`]: `/livez`, `/readyz`, `/metrics` and `/revision`
//! - [`runtime`]: the engine, the application as linked components and a route table, their instances, and the way of a request into one
//! - [`key_value`] and [`variables`]: what components import beside WASI; [`bindings`] is generated for them
//! - [`tls`]: certificates and trusted roots
//! - [`metrics`] and [`trace`]: what is measured and traced

mod admin;
mod bindings;
mod cli;
mod commands;
mod configuration;
mod key_value;
mod lifecycle;
mod limits;
mod metrics;
mod reload;
mod revision;
mod runtime;
mod server;
mod tls;
mod trace;
mod variables;

use std::process::ExitCode;

use spinfo_program::{command_line, exit};

/// Runs the program: 0 when it did what it was asked to, 1 when that failed, 2 for flags that make no sense.
#[must_use]
pub fn main() -> ExitCode {
    match commands::run(command_line::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => exit::report(&error, exit::FAILURE),
    }
}
