//! Attribute keys.

pub use opentelemetry_semantic_conventions::attribute::{
    CLIENT_ADDRESS, DEPLOYMENT_ENVIRONMENT_NAME, ERROR_TYPE, HOST_NAME, HTTP_REQUEST_METHOD,
    HTTP_REQUEST_METHOD_ORIGINAL, HTTP_RESPONSE_STATUS_CODE, HTTP_ROUTE, NETWORK_PEER_ADDRESS,
    NETWORK_PEER_PORT, NETWORK_PROTOCOL_VERSION, SERVER_ADDRESS, SERVER_PORT, SERVICE_INSTANCE_ID,
    SERVICE_NAME, SERVICE_NAMESPACE, SERVICE_VERSION, URL_FULL, URL_PATH, URL_QUERY, URL_SCHEME,
    URL_TEMPLATE, USER_AGENT_ORIGINAL,
};

/// Id of the component in `spin.toml` that a span, log line or measurement is about, for example `hello`.
pub const COMPONENT: &str = "wasm.component";
/// Kind of a trap, low in cardinality, for example `unreachable`, `out_of_bounds`, `interrupt`, `out_of_memory`.
pub const TRAP_KIND: &str = "wasm.trap.kind";
/// Outcome of a look-up in the cache of compiled code: `hit` or `miss`.
pub const CACHE_RESULT: &str = "spinfo.cache.result";
/// Why a request was turned away before it ran, for example `queue_full`, `connections`, `draining`.
pub const REJECTION_REASON: &str = "spinfo.rejection.reason";
/// Outcome of a reload: `ok`, or `refused` when the new version could not be served.
pub const RELOAD_RESULT: &str = "spinfo.reload.result";
/// The first digits of the digest over an application's manifest, components and files, for example `3f5a90c1d2e4`.
pub const APP_REVISION: &str = "spinfo.app.revision";
/// How many versions of its application a process had loaded with this one.
pub const APP_GENERATION: &str = "spinfo.app.generation";
/// What became of a change that the monitor asked for: `ok` when the status endpoint showed it, `failed`, or `mismatch` when it showed
/// something else.
pub const MONITOR_RESULT: &str = "spinfo.monitor.result";
