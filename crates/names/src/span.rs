//! Which attributes spans and resources have.

use crate::attribute::*;
use crate::{Attribute, Sender};

/// What the spans of one kind, or the resource, of a sender have in common.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Group {
    /// Who sends it.
    pub sender: Sender,
    /// `SERVER`, `CLIENT` or `INTERNAL`; empty for a resource.
    pub kind: &'static str,
    /// All attributes that there may be.
    pub attributes: &'static [Attribute],
}

const fn group(sender: Sender, kind: &'static str, attributes: &'static [Attribute]) -> Group {
    Group {
        sender,
        kind,
        attributes,
    }
}

/// Spans, by sender and kind.
#[rustfmt::skip]
pub const SPANS: &[Group] = &[
    group(Sender::Host, "SERVER", &[
        HTTP_REQUEST_METHOD, HTTP_REQUEST_METHOD_ORIGINAL, HTTP_ROUTE, HTTP_RESPONSE_STATUS_CODE, URL_SCHEME, URL_PATH, URL_QUERY,
        SERVER_ADDRESS, SERVER_PORT, CLIENT_ADDRESS, NETWORK_PEER_ADDRESS, NETWORK_PEER_PORT, USER_AGENT_ORIGINAL, APP_REVISION, HOST_ERROR,
    ]),
    group(Sender::Host, "INTERNAL", &[COMPONENT, TRAP_KIND, HOST_ERROR]),
    group(Sender::Component, "INTERNAL", &[
        HTTP_REQUEST_METHOD, HTTP_ROUTE, HTTP_RESPONSE_STATUS_CODE, URL_PATH, INSTANCE_REQUESTS,
        UPLOAD_SIZE, UPLOAD_WORDS, UPLOAD_OUTCOME, COMPONENT_ERROR,
    ]),
    group(Sender::Component, "CLIENT", &[DB_SYSTEM_NAME, DB_OPERATION_NAME, DB_NAMESPACE, COMPONENT_ERROR]),
    group(Sender::Probe, "CLIENT", &[
        URL_FULL, SERVER_ADDRESS, SERVER_PORT, NETWORK_PEER_ADDRESS, NETWORK_PEER_PORT, NETWORK_PROTOCOL_VERSION, HTTP_REQUEST_METHOD,
        HTTP_RESPONSE_STATUS_CODE, CLOCK_OFFSET, CLOCK_ERROR_BOUND, CLIENT_ERROR,
    ]),
    group(Sender::Monitor, "CLIENT", &[
        URL_FULL, URL_TEMPLATE, SERVER_ADDRESS, SERVER_PORT, NETWORK_PEER_ADDRESS, NETWORK_PEER_PORT, NETWORK_PROTOCOL_VERSION,
        HTTP_REQUEST_METHOD, HTTP_RESPONSE_STATUS_CODE, CLIENT_ERROR,
    ]),
];

const RESOURCE: &[Attribute] = &[
    SERVICE_NAME,
    SERVICE_NAMESPACE,
    SERVICE_VERSION,
    SERVICE_INSTANCE_ID,
    DEPLOYMENT_ENVIRONMENT_NAME,
    TELEMETRY_SDK_LANGUAGE,
    TELEMETRY_SDK_NAME,
    TELEMETRY_SDK_VERSION,
];

/// Resources, by sender. More attributes can be given in `OTEL_RESOURCE_ATTRIBUTES`.
#[rustfmt::skip]
pub const RESOURCES: &[Group] = &[
    group(Sender::Host, "", RESOURCE),
    group(Sender::Component, "", &[
        SERVICE_NAME, SERVICE_NAMESPACE, SERVICE_VERSION, SERVICE_INSTANCE_ID, DEPLOYMENT_ENVIRONMENT_NAME, COMPONENT,
        TELEMETRY_SDK_LANGUAGE, TELEMETRY_SDK_NAME, TELEMETRY_SDK_VERSION,
    ]),
    group(Sender::Probe, "", RESOURCE),
    group(Sender::Monitor, "", RESOURCE),
];
