//! Where one signal goes: `OTEL_<SIGNAL>_EXPORTER` and `OTEL_EXPORTER_OTLP_*`, a signal's own form before the general one.

use std::path::PathBuf;
use std::time::Duration;

use http::uri::{PathAndQuery, Uri};
use http::{HeaderMap, HeaderName, HeaderValue};
use percent_encoding::percent_decode_str;

use super::Variables;
use crate::Error;

/// One destination over OTLP.
#[derive(Clone, Debug)]
pub struct Export {
    /// Full URL of the request, path included.
    pub endpoint: Uri,
    /// How it is spoken to.
    pub protocol: Protocol,
    /// Sent with every request.
    pub headers: HeaderMap,
    /// Most time for one batch, retries included.
    pub timeout: Duration,
    /// Compression of request bodies.
    pub compression: Compression,
    /// PEM file of the certificates to trust instead of the system's.
    pub certificate: Option<PathBuf>,
    /// PEM files of the certificate and key to present to the receiver (mutual TLS).
    pub client_identity: Option<(PathBuf, PathBuf)>,
}

/// Transport of OTLP.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protocol {
    /// `http/protobuf`, the default.
    HttpProtobuf,
    /// `grpc`.
    Grpc,
}

/// `OTEL_EXPORTER_OTLP_COMPRESSION`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Compression {
    /// Bodies as they are.
    None,
    /// gzip (RFC 1952).
    Gzip,
}

/// One of the three kinds of telemetry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Signal {
    Traces,
    Metrics,
    Logs,
}

impl Signal {
    pub(super) const ALL: [Self; 3] = [Self::Traces, Self::Metrics, Self::Logs];

    /// For messages.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Traces => "traces",
            Self::Metrics => "metrics",
            Self::Logs => "logs",
        }
    }

    const fn upper(self) -> &'static str {
        match self {
            Self::Traces => "TRACES",
            Self::Metrics => "METRICS",
            Self::Logs => "LOGS",
        }
    }

    /// Full name of the gRPC method (opentelemetry-proto, `collector/*/v1/*_service.proto`).
    const fn grpc_path(self) -> &'static str {
        match self {
            Self::Traces => "/opentelemetry.proto.collector.trace.v1.TraceService/Export",
            Self::Metrics => "/opentelemetry.proto.collector.metrics.v1.MetricsService/Export",
            Self::Logs => "/opentelemetry.proto.collector.logs.v1.LogsService/Export",
        }
    }
}

/// A variable's value and the name under which it was found.
type Found = (String, String);

/// The destination of `signal`, or `None` when it is off: by `none`, or because nobody named an endpoint.
pub(super) fn export(
    env: &Variables<'_>,
    signal: Signal,
    default_endpoint: Option<&str>,
) -> Result<Option<Export>, Error> {
    if !exporter_is_otlp(env, signal)? {
        return Ok(None);
    }
    let protocol = protocol(env, signal)?;
    let own = format!("OTEL_EXPORTER_OTLP_{}_ENDPOINT", signal.upper());
    let general = "OTEL_EXPORTER_OTLP_ENDPOINT";
    let (variable, url, is_base) = if let Some(url) = env.get(&own) {
        (own.as_str(), url, false)
    } else if let Some(url) = env.get(general) {
        (general, url, true)
    } else if let Some(url) = default_endpoint {
        (general, url.to_owned(), true)
    } else {
        return Ok(None);
    };
    let endpoint =
        endpoint(env, signal, protocol, &url, is_base).map_err(|reason| error(variable, reason))?;
    let milliseconds = |name: &str, default| env.timeout(name, default);
    let timeout = milliseconds("OTEL_EXPORTER_OTLP_TIMEOUT", DEFAULT_TIMEOUT);
    Ok(Some(Export {
        endpoint,
        protocol,
        headers: headers(env, signal)?,
        timeout: milliseconds(
            &format!("OTEL_EXPORTER_OTLP_{}_TIMEOUT", signal.upper()),
            timeout,
        ),
        compression: compression(env, signal),
        certificate: found(env, signal, "CERTIFICATE").map(|(_, path)| path.into()),
        client_identity: client_identity(env, signal)?,
    }))
}

/// The specification's default of `OTEL_EXPORTER_OTLP_TIMEOUT`.
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(10);

fn exporter_is_otlp(env: &Variables<'_>, signal: Signal) -> Result<bool, Error> {
    let variable = format!("OTEL_{}_EXPORTER", signal.upper());
    let Some(list) = env.get(&variable) else {
        return Ok(true);
    };
    let mut otlp = false;
    for name in list
        .split(',')
        .map(str::trim)
        .filter(|name| !name.is_empty())
    {
        match name.to_ascii_lowercase().as_str() {
            "otlp" => otlp = true,
            "none" => {}
            // The page that Prometheus scrapes is always there.
            "prometheus" if signal == Signal::Metrics => {}
            "console" | "logging" | "zipkin" | "jaeger" | "prometheus" => {
                return Err(error(
                    &variable,
                    format!("the exporter {name} is not built in; write otlp or none"),
                ));
            }
            other => {
                env.warn(format!(
                    "{variable}: {other:?} is not known and ignored; otlp and none are"
                ));
                otlp = true;
            }
        }
    }
    Ok(otlp)
}

fn protocol(env: &Variables<'_>, signal: Signal) -> Result<Protocol, Error> {
    let Some((variable, value)) = found(env, signal, "PROTOCOL") else {
        return Ok(Protocol::HttpProtobuf);
    };
    match value.to_ascii_lowercase().as_str() {
        "http/protobuf" => Ok(Protocol::HttpProtobuf),
        "grpc" => Ok(Protocol::Grpc),
        "http/json" => Err(error(
            &variable,
            "http/json is not built in; write http/protobuf or grpc".to_owned(),
        )),
        _ => {
            env.warn(format!(
                "{variable}: {value:?} is not known, taking http/protobuf; grpc is the other choice"
            ));
            Ok(Protocol::HttpProtobuf)
        }
    }
}

fn compression(env: &Variables<'_>, signal: Signal) -> Compression {
    let choices = [("gzip", Compression::Gzip), ("none", Compression::None)];
    let general = env.choice(
        "OTEL_EXPORTER_OTLP_COMPRESSION",
        &choices,
        Compression::None,
    );
    env.choice(
        &format!("OTEL_EXPORTER_OTLP_{}_COMPRESSION", signal.upper()),
        &choices,
        general,
    )
}

fn client_identity(
    env: &Variables<'_>,
    signal: Signal,
) -> Result<Option<(PathBuf, PathBuf)>, Error> {
    match (
        found(env, signal, "CLIENT_CERTIFICATE"),
        found(env, signal, "CLIENT_KEY"),
    ) {
        (None, None) => Ok(None),
        (Some((_, certificate)), Some((_, key))) => Ok(Some((certificate.into(), key.into()))),
        (Some((variable, _)), None) => Err(error(
            &variable,
            "a client certificate needs its key; set OTEL_EXPORTER_OTLP_CLIENT_KEY".to_owned(),
        )),
        (None, Some((variable, _))) => Err(error(
            &variable,
            "a client key needs its certificate; set OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE"
                .to_owned(),
        )),
    }
}

/// `key=value` pairs between commas, values percent-encoded.
fn headers(env: &Variables<'_>, signal: Signal) -> Result<HeaderMap, Error> {
    let mut headers = HeaderMap::new();
    let Some((variable, list)) = found(env, signal, "HEADERS") else {
        return Ok(headers);
    };
    for pair in list
        .split(',')
        .map(str::trim)
        .filter(|pair| !pair.is_empty())
    {
        // The value may be a credential, so the message shows the key only.
        let (key, value) = pair.split_once('=').ok_or_else(|| {
            error(
                &variable,
                "every header is written key=value, with commas between them".to_owned(),
            )
        })?;
        let key = key.trim();
        let name: HeaderName = key
            .parse()
            .map_err(|_| error(&variable, format!("{key:?} cannot be the name of a header")))?;
        let mut value = percent_decode_str(value.trim())
            .decode_utf8()
            .ok()
            .and_then(|value| HeaderValue::from_str(&value).ok())
            .ok_or_else(|| {
                error(
                    &variable,
                    format!("the value of {key} cannot be sent in a header"),
                )
            })?;
        // Mostly a credential: not to be seen when settings are printed for debugging.
        value.set_sensitive(true);
        headers.insert(name, value);
    }
    Ok(headers)
}

/// The URL to post to. A base gets the signal's path; a signal's own URL is taken as it is (with `/` for no path).
fn endpoint(
    env: &Variables<'_>,
    signal: Signal,
    protocol: Protocol,
    url: &str,
    is_base: bool,
) -> Result<Uri, String> {
    let mut url = url.to_owned();
    if protocol == Protocol::Grpc && !url.contains("://") {
        let insecure = env.boolean("OTEL_EXPORTER_OTLP_INSECURE", false);
        let insecure = env.boolean(
            &format!("OTEL_EXPORTER_OTLP_{}_INSECURE", signal.upper()),
            insecure,
        );
        url = format!("{}://{url}", if insecure { "http" } else { "https" });
    }
    let uri: Uri = url
        .parse()
        .map_err(|why| format!("{url:?} is not a URL ({why}); {EXAMPLE}"))?;
    let mut parts = uri.into_parts();
    let scheme = parts.scheme.as_ref().map(|scheme| scheme.as_str());
    if parts.authority.is_none() || !matches!(scheme, Some("http" | "https")) {
        return Err(format!(
            "{url:?} needs http:// or https:// and a host; {EXAMPLE}"
        ));
    }
    let given = parts.path_and_query.as_ref();
    let path = match protocol {
        // gRPC's path names the method; a path of the endpoint has no meaning.
        Protocol::Grpc => signal.grpc_path().to_owned(),
        Protocol::HttpProtobuf if is_base => {
            let base = given.map_or("", PathAndQuery::path).trim_end_matches('/');
            format!("{base}/v1/{}", signal.name())
        }
        Protocol::HttpProtobuf => given.map_or("/", PathAndQuery::as_str).to_owned(),
    };
    parts.path_and_query = Some(
        path.parse()
            .map_err(|why| format!("{url:?} has no usable path ({why}); {EXAMPLE}"))?,
    );
    Uri::from_parts(parts).map_err(|why| format!("{url:?} is not a URL ({why}); {EXAMPLE}"))
}

const EXAMPLE: &str = "write something like http://127.0.0.1:4318";

/// A variable in the signal's own form, else in the general form, with the name that was found.
fn found(env: &Variables<'_>, signal: Signal, suffix: &str) -> Option<Found> {
    [
        format!("OTEL_EXPORTER_OTLP_{}_{suffix}", signal.upper()),
        format!("OTEL_EXPORTER_OTLP_{suffix}"),
    ]
    .into_iter()
    .find_map(|name| env.get(&name).map(|value| (name, value)))
}

fn error(variable: &str, reason: String) -> Error {
    Error::Variable {
        variable: variable.to_owned(),
        reason,
    }
}
