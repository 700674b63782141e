//! Metrics. A metric's comment is its help.

use crate::Kind::{Counter, Gauge, Histogram, UpDownCounter};
use crate::Sender::{Component, Host, Monitor, Probe, ProbeTextfile};
use crate::attribute::*;
use crate::{Attribute, Kind, Metric};

/// Bucket boundaries, in seconds, that the semantic conventions recommend for requests.
const SECONDS: Kind = Histogram(&[
    0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0,
]);

/// The same, and finer below: a component answers in less than a millisecond.
const FINE_SECONDS: Kind = Histogram(&[
    0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5,
    5.0, 10.0,
]);

/// For work that takes microseconds.
const MICROSECONDS: Kind = Histogram(&[
    0.000_005, 0.000_01, 0.000_025, 0.000_05, 0.000_1, 0.000_25, 0.000_5, 0.001, 0.005, 0.025, 0.1,
    1.0,
]);

/// For bodies: from 256 B to 256 MiB.
const BYTES: Kind = Histogram(&[
    256.0,
    1024.0,
    4096.0,
    16_384.0,
    65_536.0,
    1_048_576.0,
    4_194_304.0,
    16_777_216.0,
    268_435_456.0,
]);

const SERVER_REQUEST: &[Attribute] = &[
    HTTP_REQUEST_METHOD,
    HTTP_ROUTE,
    HTTP_RESPONSE_STATUS_CODE,
    URL_SCHEME,
    NETWORK_PROTOCOL_VERSION,
    HOST_ERROR,
];

macro_rules! metrics {
    ($($(#[doc = $help:literal])+ $name:ident = $text:literal, $unit:literal, $kind:expr, $senders:expr, $attributes:expr;)+) => {
        $(
            $(#[doc = $help])+
            pub const $name: Metric = Metric {
                name: $text,
                unit: $unit,
                help: concat!($($help),+).trim_ascii(),
                kind: $kind,
                senders: &$senders,
                attributes: $attributes,
            };
        )+

        /// All there are.
        pub const ALL: &[Metric] = &[$($name),+];
    };
}

metrics! {
    /// Duration of requests, until the last byte of the response.
    HTTP_SERVER_REQUEST_DURATION = "http.server.request.duration", "s", SECONDS, [Host], SERVER_REQUEST;
    /// Requests under way.
    HTTP_SERVER_ACTIVE_REQUESTS = "http.server.active_requests", "{request}", UpDownCounter, [Host], &[HTTP_REQUEST_METHOD, URL_SCHEME];
    /// Size of the bodies of requests, as far as they were read.
    HTTP_SERVER_REQUEST_BODY_SIZE = "http.server.request.body.size", "By", BYTES, [Host], SERVER_REQUEST;
    /// Size of the bodies of responses, as far as they were sent.
    HTTP_SERVER_RESPONSE_BODY_SIZE = "http.server.response.body.size", "By", BYTES, [Host], SERVER_REQUEST;
    /// Open connections of clients.
    CONNECTIONS = "spinfo.connections", "{connection}", UpDownCounter, [Host], &[];
    /// Requests that wait for a free place.
    QUEUE_DEPTH = "spinfo.queue.depth", "{request}", UpDownCounter, [Host], &[];
    /// Requests and connections that met a limit.
    REJECTIONS = "spinfo.rejections", "{request}", Counter, [Host], &[REJECTION_REASON];
    /// Requests of components to servers that the manifest does not allow.
    OUTBOUND_DENIED = "spinfo.outbound.denied", "{request}", Counter, [Host], &[COMPONENT];
    /// Look-ups in the cache of compiled code.
    COMPILE_CACHE_LOOKUPS = "spinfo.compile_cache.lookups", "{lookup}", Counter, [Host], &[CACHE_RESULT];
    /// Always 1: its attributes tell which version of the application is served.
    APP_INFO = "spinfo.app.info", "{version}", Gauge, [Host], &[APP_REVISION, APP_GENERATION];
    /// Reloads of the application.
    RELOADS = "spinfo.reloads", "{reload}", Counter, [Host], &[RELOAD_RESULT];
    /// Instances of the component that exist now.
    INSTANCES_LIVE = "wasm.instances.live", "{instance}", UpDownCounter, [Host], &[COMPONENT];
    /// Instances created.
    INSTANCES_CREATED = "wasm.instances.created", "{instance}", Counter, [Host], &[COMPONENT];
    /// Requests served by an instance that had served others before.
    INSTANCES_REUSED = "wasm.instances.reused", "{request}", Counter, [Host], &[COMPONENT];
    /// Time to make an instance.
    INSTANTIATION_DURATION = "wasm.instantiation.duration", "s", MICROSECONDS, [Host], &[COMPONENT];
    /// Traps of components.
    TRAPS = "wasm.traps", "{trap}", Counter, [Host], &[COMPONENT, TRAP_KIND];
    /// Most linear memory that an instance of the component has used.
    MEMORY_HIGH_WATER = "wasm.memory.high_water", "By", Gauge, [Host], &[COMPONENT];

    /// Spans that never reached the receiver.
    SPANS_DROPPED = "spinfo.telemetry.spans.dropped", "{span}", Counter, [Host, Probe, Monitor], &[LOSS_REASON];
    /// Log records that never reached the receiver.
    LOGS_DROPPED = "spinfo.telemetry.logs.dropped", "{log_record}", Counter, [Host, Monitor], &[LOSS_REASON];
    /// Exports of metrics that failed; values are cumulative, so the next export makes up for it.
    METRIC_EXPORTS_FAILED = "spinfo.telemetry.metric_exports.failed", "{export}", Counter, [Host, Probe, Monitor], &[LOSS_REASON];

    /// Duration of requests within the component, streamed answers until their last chunk.
    COMPONENT_REQUEST_DURATION = "spinfo.component.request.duration", "s", FINE_SECONDS, [Component],
        &[COMPONENT, HTTP_REQUEST_METHOD, HTTP_ROUTE, HTTP_RESPONSE_STATUS_CODE, COMPONENT_ERROR];
    /// Changes of the state that `/status` simulates, by the state that they led to.
    STATUS_CHANGES = "spinfo.status.changes", "{change}", Counter, [Component], &[STATUS_STATE];
    /// Uploads, by what became of them.
    WORDCOUNT_UPLOADS = "spinfo.wordcount.uploads", "{upload}", Counter, [Component], &[OUTCOME];
    /// Words counted in uploads.
    WORDCOUNT_WORDS = "spinfo.wordcount.words", "{word}", Counter, [Component], &[];
    /// Spans and log records of components that never reached the receiver.
    COMPONENT_DROPPED = "spinfo.telemetry.dropped", "{item}", Counter, [Component], &[SIGNAL];

    /// Duration of requests, from the look-up of the name to the last byte.
    HTTP_CLIENT_REQUEST_DURATION = "http.client.request.duration", "s", SECONDS, [Monitor],
        &[HTTP_REQUEST_METHOD, HTTP_RESPONSE_STATUS_CODE, NETWORK_PROTOCOL_VERSION, SERVER_ADDRESS, SERVER_PORT, URL_TEMPLATE, CLIENT_ERROR];
    /// Changes of the server's state that were asked for, by what became of them.
    MONITOR_CHANGES = "spinfo.monitor.changes", "{change}", Counter, [Monitor], &[SERVER_ADDRESS, SERVER_PORT, URL_TEMPLATE, MONITOR_RESULT];
    /// Requests left out because the one before was still under way.
    MONITOR_MISSED = "spinfo.monitor.missed", "{request}", Counter, [Monitor], &[SERVER_ADDRESS, SERVER_PORT, URL_TEMPLATE];

    // Names in Prometheus are those of blackbox_exporter where it has one.
    /// Whether the server works: 1, or 0 when the check is CRITICAL.
    PROBE_SUCCESS = "probe.success", "", Gauge, [Probe], &[URL_FULL];
    /// How long the check took, with redirects, without the measurement of the clock.
    PROBE_DURATION = "probe.duration", "s", Gauge, [Probe], &[URL_FULL];
    /// Status of the last answer.
    PROBE_HTTP_STATUS_CODE = "probe.http.status_code", "", Gauge, [Probe], &[URL_FULL];
    // A unit would become a part of the name, which blackbox_exporter's has not.
    /// When the first certificate of the chain expires, in seconds since 1970.
    PROBE_EARLIEST_CERT_EXPIRY = "probe.ssl.earliest_cert_expiry", "", Gauge, [Probe], &[URL_FULL];
    /// How long that certificate is valid in all.
    PROBE_EARLIEST_CERT_LIFETIME = "spinfo.probe.ssl.earliest_cert_lifetime", "s", Gauge, [Probe], &[URL_FULL];
    /// How far the server's clock is ahead of the probe's.
    PROBE_CLOCK_OFFSET = "spinfo.probe.clock.offset", "s", Gauge, [Probe], &[URL_FULL];
    /// The true offset is at most this far from the measured one.
    PROBE_CLOCK_ERROR_BOUND = "spinfo.probe.clock.error_bound", "s", Gauge, [Probe], &[URL_FULL];
    /// Whether the body is not the one that was expected.
    PROBE_FAILED_DUE_TO_REGEX = "probe.failed_due_to_regex", "", Gauge, [ProbeTextfile], &[URL_FULL];
    /// How long looking up addresses took.
    PROBE_DNS_LOOKUP_TIME = "probe.dns_lookup_time", "s", Gauge, [ProbeTextfile], &[URL_FULL];
    /// How long each phase of the requests took, added up over redirects.
    PROBE_HTTP_DURATION = "probe.http.duration", "s", Gauge, [ProbeTextfile], &[URL_FULL, PHASE];
    /// Version of HTTP of the last answer.
    PROBE_HTTP_VERSION = "probe.http.version", "", Gauge, [ProbeTextfile], &[URL_FULL];
    /// Whether the last answer came over TLS.
    PROBE_HTTP_SSL = "probe.http.ssl", "", Gauge, [ProbeTextfile], &[URL_FULL];
    /// How many redirects were followed.
    PROBE_HTTP_REDIRECTS = "probe.http.redirects", "", Gauge, [ProbeTextfile], &[URL_FULL];
    /// Length of the body as the last answer's head has it, in bytes.
    PROBE_HTTP_CONTENT_LENGTH = "probe.http.content_length", "", Gauge, [ProbeTextfile], &[URL_FULL];
    /// Length of the body that came, in bytes.
    PROBE_HTTP_UNCOMPRESSED_BODY_LENGTH = "probe.http.uncompressed_body_length", "", Gauge, [ProbeTextfile], &[URL_FULL];
    /// 4 or 6, for the version of IP of the last connection.
    PROBE_IP_PROTOCOL = "probe.ip_protocol", "", Gauge, [ProbeTextfile], &[URL_FULL];
}
