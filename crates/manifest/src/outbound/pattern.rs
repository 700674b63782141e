//! One pattern of `allowed_outbound_hosts`.

use std::fmt;
use std::net::IpAddr;
use std::ops::Range;

use url::{Host, Url};

use super::CHAINING_SUFFIX;
use super::network::Network;
use crate::error::Error;

const EXAMPLE: &str = "write it like \"https://example.com\" or \"http://127.0.0.1:8080\"";

/// A pattern, parsed.
#[derive(Clone, PartialEq, Eq)]
pub struct HostPattern {
    text: String,
    /// `*` for any.
    scheme: String,
    host: HostPart,
    port: PortPart,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum HostPart {
    Any,
    /// What the host has to end with, from the dot.
    Subdomain(String),
    /// This application itself.
    Own,
    Literal(Host),
    Network(Network),
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum PortPart {
    Any,
    /// Without its end.
    Range(Range<u32>),
}

/// Why a part doesn't parse, and what to do about it.
type Reason = (String, String);

fn reason<T>(what: impl Into<String>, remedy: impl Into<String>) -> Result<T, Reason> {
    Err((what.into(), remedy.into()))
}

/// The port that a scheme has by itself.
pub(super) fn default_port(scheme: &str) -> Option<u16> {
    Some(match scheme {
        "http" => 80,
        "https" => 443,
        "redis" => 6379,
        "postgres" => 5432,
        "mysql" => 3306,
        "mqtt" => 1883,
        _ => return None,
    })
}

impl HostPattern {
    /// Parses a pattern without templates.
    ///
    /// # Errors
    /// [`Error::Host`].
    pub fn parse(text: &str) -> Result<Self, Error> {
        Self::parse_parts(text.trim())
            .map(|(scheme, host, port)| Self {
                text: text.to_owned(),
                scheme,
                host,
                port,
            })
            .map_err(|(reason, remedy)| Error::Host {
                pattern: text.to_owned(),
                reason,
                remedy,
            })
    }

    fn parse_parts(text: &str) -> Result<(String, HostPart, PortPart), Reason> {
        let Some((scheme, rest)) = text.split_once("://") else {
            return match text {
                super::ALLOW_ALL => reason(
                    "is no longer supported",
                    "list the hosts, or write \"*://*:*\" to allow everything",
                ),
                "" | "*" | ":" | "?" => reason(
                    "is not scheme://host:port",
                    "list the hosts, or write \"*://*:*\" to allow everything",
                ),
                host => reason(
                    "has no scheme",
                    format!("write \"http://{host}\" or \"https://{host}\""),
                ),
            };
        };
        let (host, port) = split_port(rest)?;
        let port = parse_port(port, scheme)?;
        if scheme != "*" && !scheme.chars().all(char::is_alphabetic) {
            return reason("the scheme may only have letters", "write http, https or *");
        }
        Ok((scheme.to_owned(), parse_host(host)?, port))
    }

    /// Shows the pattern as `text`, for one that has a secret in it.
    pub(super) fn shown_as(self, text: &str) -> Self {
        Self {
            text: text.to_owned(),
            ..self
        }
    }

    /// The pattern as written; with a secret in it, the template it is made from.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The scheme; `*` for any.
    pub fn scheme(&self) -> &str {
        &self.scheme
    }

    pub(super) fn allows(&self, scheme: &str, host: &Host, port: u16) -> bool {
        self.allows_scheme(scheme) && self.host.allows(host) && self.port.allows(port)
    }

    pub(super) fn allows_self(&self, scheme: &str) -> bool {
        self.allows_scheme(scheme) && matches!(self.host, HostPart::Any | HostPart::Own)
    }

    fn allows_scheme(&self, scheme: &str) -> bool {
        self.scheme == "*" || self.scheme == scheme
    }
}

impl fmt::Debug for HostPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.text.fmt(f)
    }
}

impl HostPart {
    fn allows(&self, host: &Host) -> bool {
        match (self, host) {
            (Self::Any, _) => true,
            (Self::Own, _) => false,
            // Component ids have no dots, so nothing else is below this domain.
            (Self::Subdomain(suffix), Host::Domain(name)) if suffix == CHAINING_SUFFIX => name
                .strip_suffix(suffix)
                .is_some_and(|id| !id.contains('.')),
            (Self::Subdomain(suffix), Host::Domain(name)) => name.ends_with(suffix),
            (Self::Subdomain(_), _) => false,
            (Self::Literal(literal), host) => literal == host,
            (Self::Network(network), Host::Ipv4(ip)) => network.contains(IpAddr::V4(*ip)),
            (Self::Network(network), Host::Ipv6(ip)) => network.contains(IpAddr::V6(*ip)),
            (Self::Network(_), Host::Domain(_)) => false,
        }
    }
}

impl PortPart {
    fn allows(&self, port: u16) -> bool {
        match self {
            Self::Any => true,
            Self::Range(range) => range.contains(&u32::from(port)),
        }
    }
}

/// Splits what follows the scheme; the port is empty if there is none.
fn split_port(rest: &str) -> Result<(&str, &str), Reason> {
    match rest.rsplit_once(':') {
        None => Ok((rest, "")),
        Some((host, "")) => Ok((host, "")),
        // An IPv6 address or network without a port has colons too.
        Some(_) if parse_host(rest).is_ok() => Ok((rest, "")),
        Some((host, port)) => match port.split_once('/') {
            None | Some((_, "")) => Ok((host, port.trim_end_matches('/'))),
            Some(_) => reason(
                "has a path",
                "remove the path, hosts are allowed as a whole",
            ),
        },
    }
}

fn parse_port(port: &str, scheme: &str) -> Result<PortPart, Reason> {
    let single = |port: u16| PortPart::Range(u32::from(port)..u32::from(port) + 1);
    if port.is_empty() {
        return match default_port(scheme) {
            Some(port) => Ok(single(port)),
            None => reason(
                format!("has no port, and the scheme {scheme:?} has none by itself"),
                "add a port, or \":*\"",
            ),
        };
    }
    if port == "*" {
        return Ok(PortPart::Any);
    }
    let number = |text: &str| text.parse::<u16>().ok();
    let parsed = match port.split_once("..") {
        Some((from, to)) => number(from)
            .zip(number(to))
            .map(|(from, to)| PortPart::Range(from.into()..to.into())),
        None => number(port).map(single),
    };
    match parsed {
        Some(port) => Ok(port),
        None if port.starts_with('{') => reason(
            "lists of ports are not supported",
            "write one pattern for each port, or a range like 8000..9000",
        ),
        None => reason(
            format!("{port:?} is not a port"),
            "write a number up to 65535, a range like 8000..9000, or *",
        ),
    }
}

fn parse_host(host: &str) -> Result<HostPart, Reason> {
    let host = host.trim();
    match host {
        "*" => return Ok(HostPart::Any),
        "self" | "self.alt" => return Ok(HostPart::Own),
        _ => {}
    }
    if host.starts_with('{') {
        return reason(
            "lists of hosts are not supported",
            "write one pattern for each host",
        );
    }
    if let Some(network) = Network::parse(host) {
        return Ok(HostPart::Network(network));
    }
    let host = host.strip_suffix('/').unwrap_or(host);
    if let Some((address, prefix)) = host.split_once('/') {
        if address.parse::<IpAddr>().is_ok() {
            let remedy = "write the number of its first bits that count, as in 10.0.0.0/8";
            return reason(format!("{prefix:?} is not the size of a network"), remedy);
        }
        return reason(
            "has a path",
            "remove the path, hosts are allowed as a whole",
        );
    }
    if let Some(domain) = host
        .strip_prefix("*.")
        .filter(|domain| !domain.contains('*'))
    {
        return match Host::parse(domain) {
            Ok(Host::Domain(domain)) => Ok(HostPart::Subdomain(format!(".{domain}"))),
            _ => reason(
                format!("{domain:?} is not a domain"),
                "write a domain behind \"*.\"",
            ),
        };
    }
    if host.contains('*') {
        return reason(
            "a * may only stand for the whole host or its first part",
            "write \"*\" or \"*.example.com\"",
        );
    }
    Host::parse(host)
        .map(HostPart::Literal)
        .or_else(|error| reason(format!("{host:?} is not a host ({error})"), EXAMPLE))
}

/// Converts an entry of the old `allowed_http_hosts`, `host[:port]` or an http(s) URL without a path.
pub(super) fn from_http_host(text: &str) -> Result<Vec<String>, Reason> {
    let url = if text.contains("//") {
        text.to_owned()
    } else {
        format!("http://{text}")
    };
    let not_a_host = || {
        (
            format!("{text:?} is not a host with an optional port"),
            EXAMPLE.to_owned(),
        )
    };
    let url = Url::parse(&url).map_err(|_| not_a_host())?;
    let host = url
        .host_str()
        .filter(|_| matches!(url.scheme(), "http" | "https"))
        .ok_or_else(not_a_host)?;
    if url.path().len() > 1 {
        return reason(
            format!("{text:?} has a path"),
            "remove the path, hosts are allowed as a whole",
        );
    }
    if host == "self" {
        return Ok(vec!["http://self".to_owned()]);
    }
    let port = url
        .port()
        .map(|port| format!(":{port}"))
        .unwrap_or_default();
    Ok(vec![
        format!("http://{host}{port}"),
        format!("https://{host}{port}"),
    ])
}
