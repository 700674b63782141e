//! Attributes: keys, and what their values may be. An attribute's comment is its help.

use crate::Attribute;
use crate::Values::{Any, Of, StatusOr};
use crate::values::{
    CacheResult, ChangeResult, ClientError, ComponentError, HostError, HttpMethod, HttpVersion,
    LossReason, Phase, RejectionReason, ReloadResult, Signal, StatusState, TrapKind, UploadOutcome,
    UrlScheme,
};

macro_rules! attributes {
    ($($(#[doc = $help:literal])+ $name:ident = $key:literal, $values:expr;)+) => {
        $(
            $(#[doc = $help])+
            pub const $name: Attribute = Attribute {
                key: $key,
                help: concat!($($help),+).trim_ascii(),
                values: $values,
            };
        )+

        /// All there are.
        pub const ALL: &[Attribute] = &[$($name),+];

        /// The keys alone, for who sends them.
        pub mod key {
            /// The same for all senders, whatever its values are.
            pub const ERROR_TYPE: &str = "error.type";
            $($(#[doc = $help])+ pub const $name: &str = $key;)+
        }
    };
}

attributes! {
    /// id of the component in `spin.toml`, for example `hello`
    COMPONENT = "wasm.component", Any;
    /// what ended an instance before its time
    TRAP_KIND = "wasm.trap.kind", Of(TrapKind::VALUES);
    /// which limit a request or a connection met
    REJECTION_REASON = "spinfo.rejection.reason", Of(RejectionReason::VALUES);
    /// outcome of a look-up in the cache of compiled code
    CACHE_RESULT = "spinfo.cache.result", Of(CacheResult::VALUES);
    /// outcome of a reload
    RELOAD_RESULT = "spinfo.reload.result", Of(ReloadResult::VALUES);
    /// beginning of the SHA-256 over an application's manifest, components and files
    APP_REVISION = "spinfo.app.revision", Any;
    /// how many versions of the application the process had loaded with this one
    APP_GENERATION = "spinfo.app.generation", Any;
    /// how many requests this instance has had
    INSTANCE_REQUESTS = "spinfo.instance.requests", Any;
    /// state that `/status` simulates
    STATUS_STATE = "spinfo.status.state", Of(StatusState::VALUES);
    /// what became of an upload
    OUTCOME = "outcome", Of(UploadOutcome::VALUES);
    /// what became of an upload, where it was refused
    UPLOAD_OUTCOME = "spinfo.upload.outcome", Of(UploadOutcome::VALUES);
    /// bytes of an uploaded file
    UPLOAD_SIZE = "spinfo.upload.size", Any;
    /// words of an uploaded file
    UPLOAD_WORDS = "spinfo.upload.words", Any;
    /// kind of telemetry
    SIGNAL = "signal", Of(Signal::VALUES);
    /// what became of a change that the monitor asked for
    MONITOR_RESULT = "spinfo.monitor.result", Of(ChangeResult::VALUES);
    /// part of a request
    PHASE = "phase", Of(Phase::VALUES);
    /// seconds that the server's clock is ahead of the probe's
    CLOCK_OFFSET = "spinfo.probe.clock.offset", Any;
    /// seconds that the true offset may be away from that
    CLOCK_ERROR_BOUND = "spinfo.probe.clock.error_bound", Any;

    /// why the host failed to answer, else the status when it is a 5xx
    HOST_ERROR = "error.type", StatusOr(HostError::VALUES);
    /// the status when it is a 5xx, or what failed within the component
    COMPONENT_ERROR = "error.type", StatusOr(ComponentError::VALUES);
    /// the status when it is an error, or why there is none
    CLIENT_ERROR = "error.type", StatusOr(ClientError::VALUES);
    /// why telemetry did not arrive
    LOSS_REASON = "error.type", Of(LossReason::VALUES);

    /// method
    HTTP_REQUEST_METHOD = "http.request.method", Of(HttpMethod::VALUES);
    /// method as the client sent it, if it is not a known one
    HTTP_REQUEST_METHOD_ORIGINAL = "http.request.method_original", Any;
    /// status of the answer; there is none when the client left before
    HTTP_RESPONSE_STATUS_CODE = "http.response.status_code", StatusOr(&[]);
    /// route that matched, never the path itself
    HTTP_ROUTE = "http.route", Any;
    /// version of HTTP
    NETWORK_PROTOCOL_VERSION = "network.protocol.version", Of(HttpVersion::VALUES);
    /// address of the other end of the connection
    NETWORK_PEER_ADDRESS = "network.peer.address", Any;
    /// port of the other end of the connection
    NETWORK_PEER_PORT = "network.peer.port", Any;
    /// address of the client
    CLIENT_ADDRESS = "client.address", Any;
    /// the server's name, as the client asked for it
    SERVER_ADDRESS = "server.address", Any;
    /// the server's port, as the client asked for it
    SERVER_PORT = "server.port", Any;
    /// whether there is TLS
    URL_SCHEME = "url.scheme", Of(UrlScheme::VALUES);
    /// path
    URL_PATH = "url.path", Any;
    /// query, credentials `REDACTED`
    URL_QUERY = "url.query", Any;
    /// URL, credentials `REDACTED`
    URL_FULL = "url.full", Any;
    /// path as it was configured
    URL_TEMPLATE = "url.template", Any;
    /// the client's `User-Agent`
    USER_AGENT_ORIGINAL = "user_agent.original", Any;

    /// `spin.key_value`
    DB_SYSTEM_NAME = "db.system.name", Any;
    /// key-value operation, for example `get`
    DB_OPERATION_NAME = "db.operation.name", Any;
    /// label of the store
    DB_NAMESPACE = "db.namespace", Any;

    /// the application's name in `spin.toml`, `spinfo-probe` or `spinfo-monitor`
    SERVICE_NAME = "service.name", Any;
    /// what the service belongs to
    SERVICE_NAMESPACE = "service.namespace", Any;
    /// version of the application, of the component or of the program
    SERVICE_VERSION = "service.version", Any;
    /// random, for the life of the process
    SERVICE_INSTANCE_ID = "service.instance.id", Any;
    /// where it was given
    DEPLOYMENT_ENVIRONMENT_NAME = "deployment.environment.name", Any;
    /// where it was given
    HOST_NAME = "host.name", Any;
    /// `rust`
    TELEMETRY_SDK_LANGUAGE = "telemetry.sdk.language", Any;
    /// `opentelemetry`
    TELEMETRY_SDK_NAME = "telemetry.sdk.name", Any;
    /// version of the SDK
    TELEMETRY_SDK_VERSION = "telemetry.sdk.version", Any;
}
