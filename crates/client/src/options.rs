//! How connections are made.

use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::str::FromStr;

use http::HeaderValue;

use crate::proxy::Proxy;

/// How connections are made. The default is that of a client without any flags.
#[derive(Clone, Debug)]
pub struct Options {
    /// Use addresses of this family only.
    pub family: Option<Family>,
    /// Addresses that are used instead of a look-up.
    pub resolve: Vec<Resolve>,
    /// Which requests go through a proxy.
    pub proxy: Proxy,
    /// Which certificates are believed.
    pub trust: Trust,
    /// Offer HTTP/2 in the TLS handshake (ALPN). Without TLS it is always HTTP/1.1.
    pub http2: bool,
    /// `User-Agent` of requests that have none.
    pub user_agent: Option<HeaderValue>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            family: None,
            resolve: Vec::new(),
            proxy: Proxy::default(),
            trust: Trust::default(),
            http2: true,
            user_agent: None,
        }
    }
}

/// A family of addresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Family {
    /// IPv4.
    V4,
    /// IPv6.
    V6,
}

impl Family {
    /// What the flags `-4` and `-6` ask for.
    #[must_use]
    pub fn of_flags(ipv4: bool, ipv6: bool) -> Option<Self> {
        match (ipv4, ipv6) {
            (true, _) => Some(Self::V4),
            (_, true) => Some(Self::V6),
            _ => None,
        }
    }

    pub(crate) fn has(self, address: SocketAddr) -> bool {
        (self == Self::V4) == address.is_ipv4()
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::V4 => "IPv4",
            Self::V6 => "IPv6",
        }
    }
}

/// Which certificates are believed: those that the system's roots vouch for, and those of `cacert`.
#[derive(Clone, Debug, Default)]
pub struct Trust {
    /// PEM files with certificates of authorities.
    pub cacert: Vec<PathBuf>,
}

/// `HOST:PORT:ADDR[,ADDR…]`: the addresses of one host and port, as curl's `--resolve` has it. `*` stands for every host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resolve {
    host: String,
    port: u16,
    addresses: Vec<IpAddr>,
}

/// Why a text is no [`Resolve`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{text:?} is not HOST:PORT:ADDRESS, such as example.org:443:127.0.0.1 or example.org:443:[::1]"
)]
pub struct ResolveError {
    text: String,
}

impl Resolve {
    /// The addresses for this host and port, when this entry is about them.
    pub(crate) fn addresses(&self, host: &str, port: u16) -> Option<Vec<SocketAddr>> {
        let same = (self.host == "*" || self.host.eq_ignore_ascii_case(host)) && self.port == port;
        same.then(|| {
            self.addresses
                .iter()
                .map(|&address| SocketAddr::new(address, port))
                .collect()
        })
    }
}

impl FromStr for Resolve {
    type Err = ResolveError;

    fn from_str(text: &str) -> Result<Self, ResolveError> {
        let parse = || {
            // A host that is an IPv6 address stands in brackets.
            let (host, rest) = match text.strip_prefix('[') {
                Some(rest) => rest.split_once("]:")?,
                None => text.split_once(':')?,
            };
            let (port, addresses) = rest.split_once(':')?;
            let port = port.parse().ok().filter(|&port| port != 0)?;
            let address = |text: &str| {
                text.trim()
                    .trim_start_matches('[')
                    .trim_end_matches(']')
                    .parse()
                    .ok()
            };
            let addresses = addresses
                .split(',')
                .map(address)
                .collect::<Option<Vec<IpAddr>>>()?;
            (!host.is_empty()).then(|| Self {
                host: host.to_owned(),
                port,
                addresses,
            })
        };
        parse().ok_or_else(|| ResolveError {
            text: text.to_owned(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn addresses(text: &str, host: &str, port: u16) -> Option<Vec<String>> {
        let found = text.parse::<Resolve>().unwrap().addresses(host, port)?;
        Some(found.iter().map(ToString::to_string).collect())
    }

    #[test]
    fn an_entry_is_about_one_host_and_port() {
        let entry = "Example.org:443:127.0.0.1";
        assert_eq!(
            addresses(entry, "example.org", 443).unwrap(),
            ["127.0.0.1:443"]
        );
        assert_eq!(addresses(entry, "example.org", 80), None);
        assert_eq!(addresses(entry, "www.example.org", 443), None);
        assert_eq!(
            addresses("*:443:127.0.0.1", "www.example.org", 443).unwrap(),
            ["127.0.0.1:443"]
        );
    }

    #[test]
    fn several_addresses_and_ipv6_are_understood() {
        assert_eq!(
            addresses("a:1:[::1],127.0.0.1", "a", 1).unwrap(),
            ["[::1]:1", "127.0.0.1:1"]
        );
        assert_eq!(addresses("a:1:::1", "a", 1).unwrap(), ["[::1]:1"]);
        assert_eq!(
            addresses("[::2]:1:127.0.0.1", "::2", 1).unwrap(),
            ["127.0.0.1:1"]
        );
    }

    #[test]
    fn what_has_another_form_is_refused() {
        for text in [
            "",
            "a",
            "a:1",
            "a:1:",
            "a:0:127.0.0.1",
            "a:x:127.0.0.1",
            ":1:127.0.0.1",
            "a:1:localhost",
            "a:99999:127.0.0.1",
        ] {
            assert!(text.parse::<Resolve>().is_err(), "{text}");
        }
    }
}
