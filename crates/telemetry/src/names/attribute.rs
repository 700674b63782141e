//! Attribute keys.

pub use opentelemetry_semantic_conventions::attribute::{
    CLIENT_ADDRESS, CLIENT_PORT, DB_COLLECTION_NAME, DB_NAMESPACE, DB_OPERATION_NAME,
    DB_SYSTEM_NAME, DEPLOYMENT_ENVIRONMENT_NAME, ERROR_TYPE, EXCEPTION_MESSAGE,
    EXCEPTION_STACKTRACE, EXCEPTION_TYPE, HOST_NAME, HTTP_REQUEST_BODY_SIZE, HTTP_REQUEST_METHOD,
    HTTP_REQUEST_METHOD_ORIGINAL, HTTP_REQUEST_RESEND_COUNT, HTTP_RESPONSE_BODY_SIZE,
    HTTP_RESPONSE_STATUS_CODE, HTTP_ROUTE, NETWORK_PEER_ADDRESS, NETWORK_PEER_PORT,
    NETWORK_PROTOCOL_NAME, NETWORK_PROTOCOL_VERSION, OS_TYPE, PROCESS_PID, SERVER_ADDRESS,
    SERVER_PORT, SERVICE_INSTANCE_ID, SERVICE_NAME, SERVICE_NAMESPACE, SERVICE_VERSION,
    TELEMETRY_SDK_LANGUAGE, TELEMETRY_SDK_NAME, TELEMETRY_SDK_VERSION, TLS_PROTOCOL_VERSION,
    URL_FULL, URL_PATH, URL_QUERY, URL_SCHEME, USER_AGENT_ORIGINAL,
};

/// Id of the component in `spin.toml` that a span, log line or measurement is about, for example `hello`.
pub const COMPONENT: &str = "wasm.component";
/// Whether the request ran on an instance that had served others before (boolean, span attribute).
pub const INSTANCE_REUSED: &str = "wasm.instance.reused";
/// Kind of a trap, low in cardinality, for example `unreachable`, `out_of_bounds`, `interrupt`, `out_of_memory`.
pub const TRAP_KIND: &str = "wasm.trap.kind";
/// Outcome of a look-up in the cache of compiled code: `hit` or `miss`.
pub const CACHE_RESULT: &str = "spinfo.cache.result";
/// Why a request was turned away before it ran, for example `queue_full`, `connections`, `draining`.
pub const REJECTION_REASON: &str = "spinfo.rejection.reason";
/// Outcome of a reload: `applied` or `refused`.
pub const RELOAD_RESULT: &str = "spinfo.reload.result";
/// Revision of the application that is being served: 1 at start, one more with each reload that was applied.
pub const APPLICATION_REVISION: &str = "spinfo.application.revision";
/// Name of the key-value store that was used, as in the manifest.
pub const KEY_VALUE_STORE: &str = "spinfo.key_value.store";
