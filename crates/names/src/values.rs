//! The closed sets of values. A value's comment is its help.

use crate::Value;

macro_rules! values {
    ($($(#[doc = $about:literal])+ $set:ident { $($(#[doc = $help:literal])+ $variant:ident = $name:literal,)+ })+) => { $(
        $(#[doc = $about])+
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum $set {
            $($(#[doc = $help])+ $variant,)+
        }

        impl $set {
            /// All there are.
            pub const ALL: &[Self] = &[$(Self::$variant),+];
            /// All there are, as they are sent.
            pub const VALUES: &[Value] = &[$(Value { name: $name, help: concat!($($help),+).trim_ascii() }),+];

            /// The value as it is sent.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $name),+
                }
            }
        }

        impl From<$set> for &'static str {
            fn from(value: $set) -> Self {
                value.as_str()
            }
        }
    )+ };
}

values! {
    /// `wasm.trap.kind`
    TrapKind {
        /// the component panicked, or met another instruction that is never to be reached
        Unreachable = "unreachable",
        /// it needed more memory than an instance may have
        MemoryLimit = "memory_limit",
        /// it read or wrote outside of its memory
        MemoryOutOfBounds = "memory_out_of_bounds",
        /// its calls were nested too deeply
        StackOverflow = "stack_overflow",
        /// it divided an integer by zero
        DivisionByZero = "division_by_zero",
        /// another trap of WebAssembly
        Other = "other",
        /// an interface of the host failed
        HostError = "host_error",
    }

    /// `spinfo.rejection.reason`: the limit that a request or a connection met
    RejectionReason {
        /// as many requests wait already as may
        QueueFull = "queue_full",
        /// no place came free in the time that a request may wait
        QueueTimeout = "queue_timeout",
        /// there was no room for another instance
        NoInstance = "no_instance",
        /// the body was larger than may be
        BodyTooLarge = "body_too_large",
        /// the component took longer than it may
        RequestTimeout = "request_timeout",
        /// as many connections are open as may be
        Connections = "connections",
        /// the head of a request took too long to arrive
        HeaderTimeout = "header_timeout",
        /// the head of a request was larger than may be
        HeaderTooLarge = "header_too_large",
        /// the TLS handshake took too long
        HandshakeTimeout = "handshake_timeout",
        /// as many requests of components to other servers are under way as may be
        OutboundLimit = "outbound_limit",
    }

    /// `error.type` of the host
    HostError {
        /// no route matches the path
        NoRoute = "no_route",
        /// the request is not one that can be handed to a component
        BadRequest = "bad_request",
        /// the body is larger than may be
        BodyTooLarge = "body_too_large",
        /// no place came free
        QueueFull = "queue_full",
        /// a component that another one called is not there
        NoComponent = "no_component",
        /// there was no room for another instance
        NoInstance = "no_instance",
        /// the component took too long
        Timeout = "timeout",
        /// the component trapped
        Trap = "trap",
        /// the component ended without an answer
        NoResponse = "no_response",
        /// the answer broke off
        IncompleteResponse = "incomplete_response",
        /// the client left before the end of the answer
        ClientDisconnected = "client_disconnected",
    }

    /// `error.type` of a component
    ComponentError {
        /// a key-value operation failed
        KeyValueError = "key_value_error",
    }

    /// `error.type` of probe and monitor
    ClientError {
        /// the server's name has no address
        Dns = "dns",
        /// no connection
        Connect = "connect",
        /// the proxy refused or is not there
        Proxy = "proxy",
        /// no TLS session, or not with the right server
        Tls = "tls",
        /// the deadline passed
        Timeout = "timeout",
        /// the connection ended before an answer
        Reset = "reset",
        /// what came is not HTTP
        Protocol = "protocol",
        /// the body was cut short or is too large
        Body = "body",
        /// the status is not one that was expected
        Status = "status",
        /// the server's time cannot be read
        Clock = "clock",
        /// another finding that made the check critical, such as a body or a certificate
        Check = "check",
    }

    /// `error.type` of telemetry that did not arrive
    LossReason {
        /// more came than the queue holds
        QueueFull = "queue_full",
        /// the receiver is not there, or failed
        ExportFailed = "export_failed",
        /// the receiver took a part of it only
        Rejected = "rejected",
    }

    /// `spinfo.cache.result`
    CacheResult {
        /// taken from the cache
        Hit = "hit",
        /// compiled
        Miss = "miss",
    }

    /// `spinfo.reload.result`
    ReloadResult {
        /// the new version is served
        Ok = "ok",
        /// the new version cannot be served, the old one goes on
        Refused = "refused",
    }

    /// `spinfo.monitor.result`: what became of a change that was asked for
    ChangeResult {
        /// the status showed it
        Ok = "ok",
        /// it was not made
        Failed = "failed",
        /// the status showed something else
        Mismatch = "mismatch",
    }

    /// `spinfo.status.state`
    StatusState {
        /// answers below 400, without a delay
        Ok = "ok",
        /// answers with a 4xx code, or late
        Degraded = "degraded",
        /// answers with a 5xx code
        Failing = "failing",
    }

    /// `outcome` of an upload
    UploadOutcome {
        /// its words are counted
        Counted = "counted",
        /// there is no file
        Missing = "missing",
        /// the file is no text
        NotText = "not_text",
        /// the file or the form is too large
        TooLarge = "too_large",
        /// the body broke off
        Interrupted = "interrupted",
        /// the form cannot be read
        Malformed = "malformed",
        /// it took so long that its place was given away
        TooSlow = "too_slow",
        /// it could not be stored
        Failed = "failed",
    }

    /// `signal`: what a component could not send
    Signal {
        /// spans
        Spans = "spans",
        /// log records
        Logs = "logs",
    }

    /// `phase` of the probe's request
    Phase {
        /// looking up the server's name
        Resolve = "resolve",
        /// opening the connection
        Connect = "connect",
        /// the TLS handshake
        Tls = "tls",
        /// from the request to the head of the answer
        Processing = "processing",
        /// the body
        Transfer = "transfer",
    }

    /// `http.request.method`: what RFC 9110 and RFC 5789 define, as the semantic conventions ask
    HttpMethod {
        /// RFC 9110
        Get = "GET",
        /// RFC 9110
        Head = "HEAD",
        /// RFC 9110
        Post = "POST",
        /// RFC 9110
        Put = "PUT",
        /// RFC 9110
        Delete = "DELETE",
        /// RFC 9110
        Connect = "CONNECT",
        /// RFC 9110
        Options = "OPTIONS",
        /// RFC 9110
        Trace = "TRACE",
        /// RFC 5789
        Patch = "PATCH",
        /// every other method: a client may send any token, and a metric must not get a series for each
        Other = "_OTHER",
    }

    /// `network.protocol.version`
    HttpVersion {
        /// HTTP/1.0
        V10 = "1.0",
        /// HTTP/1.1
        V11 = "1.1",
        /// HTTP/2
        V2 = "2",
    }

    /// `url.scheme`
    UrlScheme {
        /// without TLS
        Http = "http",
        /// with TLS
        Https = "https",
    }
}

impl HttpMethod {
    /// The one of this name, else [`Other`](Self::Other). Names are case-sensitive.
    pub fn of(name: &str) -> Self {
        Self::ALL
            .iter()
            .copied()
            .find(|known| known.as_str() == name)
            .unwrap_or(Self::Other)
    }

    /// What the name of a span begins with: unknown methods are `HTTP` there, by the semantic conventions.
    pub const fn span_name(self) -> &'static str {
        match self {
            Self::Other => "HTTP",
            known => known.as_str(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unknown_methods_share_one_name() {
        assert_eq!(HttpMethod::of("PATCH"), HttpMethod::Patch);
        for odd in ["get", "BREW", "_OTHER", "PROPFIND", ""] {
            assert_eq!(HttpMethod::of(odd).as_str(), "_OTHER", "{odd}");
        }
        assert_eq!(HttpMethod::of("BREW").span_name(), "HTTP");
    }
}
