//! Metric names. The unit stands beside each name; units are UCUM as OpenTelemetry has them.

pub use opentelemetry_semantic_conventions::metric::{
    HTTP_CLIENT_REQUEST_DURATION, HTTP_SERVER_ACTIVE_REQUESTS, HTTP_SERVER_REQUEST_BODY_SIZE,
    HTTP_SERVER_REQUEST_DURATION, HTTP_SERVER_RESPONSE_BODY_SIZE,
};

/// Instances of components that exist now (`{instance}`, up-down counter, by component).
pub const INSTANCES_LIVE: &str = "wasm.instances.live";
/// Instances created since start (`{instance}`, counter, by component).
pub const INSTANCES_CREATED: &str = "wasm.instances.created";
/// Requests served by an instance that had served others before (`{request}`, counter, by component).
pub const INSTANCES_REUSED: &str = "wasm.instances.reused";
/// Time to make a new instance (`s`, histogram, by component).
pub const INSTANTIATION_DURATION: &str = "wasm.instantiation.duration";
/// Guest traps (`{trap}`, counter, by component and [`TRAP_KIND`](super::TRAP_KIND)).
pub const TRAPS: &str = "wasm.traps";
/// Most linear memory any instance of a component has used (`By`, gauge, by component).
pub const MEMORY_HIGH_WATER: &str = "wasm.memory.high_water";

/// Requests waiting for a free slot (`{request}`, up-down counter).
pub const QUEUE_DEPTH: &str = "spinfo.queue.depth";
/// Requests turned away before they ran (`{request}`, counter, by [`REJECTION_REASON`](super::REJECTION_REASON)).
pub const REJECTIONS: &str = "spinfo.rejections";
/// Open client connections (`{connection}`, up-down counter).
pub const CONNECTIONS: &str = "spinfo.connections";
/// Look-ups in the cache of compiled code (`{lookup}`, counter, by [`CACHE_RESULT`](super::CACHE_RESULT)).
pub const COMPILE_CACHE_LOOKUPS: &str = "spinfo.compile_cache.lookups";

/// Reloads of the application (`{reload}`, counter, by [`RELOAD_RESULT`](super::RELOAD_RESULT)).
pub const RELOADS: &str = "spinfo.reloads";
/// The version of the application that is served (`{version}`, gauge that is always 1, by [`APP_REVISION`](super::APP_REVISION) and
/// [`APP_GENERATION`](super::APP_GENERATION)).
pub const APP_INFO: &str = "spinfo.app.info";

/// Spans lost before they reached a receiver (`{span}`, counter, by `error.type`: `queue_full`, `export_failed`, `rejected`).
pub const SPANS_DROPPED: &str = "spinfo.telemetry.spans.dropped";
/// Log records lost before they reached a receiver (`{log_record}`, counter, by `error.type` like [`SPANS_DROPPED`]).
pub const LOGS_DROPPED: &str = "spinfo.telemetry.logs.dropped";
/// Metric exports that failed (`{export}`, counter, by `error.type` like [`SPANS_DROPPED`]); values are cumulative, so the next one that
/// succeeds carries them.
pub const METRIC_EXPORTS_FAILED: &str = "spinfo.telemetry.metric_exports.failed";

/// Requests of guests to hosts that the manifest does not allow (`{request}`, counter, by component).
pub const OUTBOUND_DENIED: &str = "spinfo.outbound.denied";

/// Changes of a server's state that the monitor asked for (`{change}`, counter, by
/// [`MONITOR_RESULT`](super::MONITOR_RESULT), `server.address`, `server.port` and `url.template`).
pub const MONITOR_CHANGES: &str = "spinfo.monitor.changes";
/// Requests that the monitor left out because the one before was still under way (`{request}`, counter, by `server.address`,
/// `server.port` and `url.template`).
pub const MONITOR_MISSED: &str = "spinfo.monitor.missed";

// What the probe measures, each a gauge by `url.full`. With underscores the first four are those of blackbox_exporter, and all are
// those of the probe's file for Prometheus.

/// Whether the server works: 1 or 0 (no unit, gauge).
pub const PROBE_SUCCESS: &str = "probe.success";
/// Time of the HTTP check (`s`, gauge).
pub const PROBE_DURATION: &str = "probe.duration";
/// Status of the last answer (no unit, gauge).
pub const PROBE_HTTP_STATUS_CODE: &str = "probe.http.status_code";
/// When the first certificate of the chain expires, in seconds since 1970 (no unit, for Prometheus would append it to the name; gauge).
pub const PROBE_EARLIEST_CERT_EXPIRY: &str = "probe.ssl.earliest_cert_expiry";
/// How long that certificate is valid in all (`s`, gauge).
pub const PROBE_EARLIEST_CERT_LIFETIME: &str = "spinfo.probe.ssl.earliest_cert_lifetime";
/// How far the server's clock is ahead of the probe's (`s`, gauge).
pub const PROBE_CLOCK_OFFSET: &str = "spinfo.probe.clock.offset";
/// How far the true offset may be from the measured one (`s`, gauge).
pub const PROBE_CLOCK_ERROR_BOUND: &str = "spinfo.probe.clock.error_bound";
