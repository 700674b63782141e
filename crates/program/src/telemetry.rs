//! OpenTelemetry and logging, from their start to the last export.

use std::time::Duration;

use http::Version;
use spinfo_telemetry::{LogOptions, ServiceDefaults, Settings, Telemetry, init_logging};

use crate::environment;

/// What the probe and the monitor say of themselves where `OTEL_*` says nothing.
#[must_use]
pub fn service(name: &str) -> ServiceDefaults {
    ServiceDefaults {
        name: name.to_owned(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        namespace: Some("spinfo".to_owned()),
        endpoint: None,
    }
}

/// Starts what `OTEL_*` and the flags of logging ask for; what is ignored of `OTEL_*` is logged.
///
/// # Errors
/// Names the variable that can't be honoured, or the flag.
pub fn start(defaults: ServiceDefaults, log: &LogOptions) -> anyhow::Result<(Settings, Telemetry)> {
    let settings = Settings::from_env(&environment::variable, defaults)?;
    let telemetry = Telemetry::start(&settings)?;
    init_logging(log, Some(&telemetry))?;
    for warning in &settings.warnings {
        tracing::warn!("{warning}");
    }
    Ok((settings, telemetry))
}

/// Sends what is left, for at most `limit`. Blocks the thread; nothing may be recorded afterwards.
pub fn shutdown(telemetry: Telemetry, limit: Duration) {
    if !telemetry.shutdown(limit) {
        tracing::warn!(timeout = ?limit, "telemetry was left when the time to send it was over");
    }
}

/// `network.protocol.version` of the semantic conventions.
#[must_use]
pub fn protocol_version(version: Version) -> &'static str {
    match version {
        Version::HTTP_09 => "0.9",
        Version::HTTP_10 => "1.0",
        Version::HTTP_2 => "2",
        Version::HTTP_3 => "3",
        _ => "1.1",
    }
}
