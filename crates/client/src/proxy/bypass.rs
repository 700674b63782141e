//! The hosts that are asked directly, whatever the proxy.

use std::net::IpAddr;

/// The hosts that are asked directly: curl's `no_proxy`.
#[derive(Clone, Debug, Default)]
pub(super) struct Bypass(Vec<Rule>);

#[derive(Clone, Debug)]
enum Rule {
    Everything,
    /// A name without outer dots, in lower case. It covers the names below it too.
    Name(String),
    /// Addresses with the same first bits.
    Network(IpAddr, u32),
}

impl Bypass {
    pub(super) fn of(text: &str) -> Self {
        if text.trim() == "*" {
            return Self(vec![Rule::Everything]);
        }
        let words = text.split([',', ' ', '\t']).filter(|word| !word.is_empty());
        Self(words.filter_map(Rule::of).collect())
    }

    pub(super) fn covers(&self, host: &str) -> bool {
        let name = host.trim_end_matches('.').to_ascii_lowercase();
        let address: Option<IpAddr> = name.parse().ok();
        self.0.iter().any(|rule| match (rule, address) {
            (Rule::Everything, _) => true,
            (Rule::Name(rule), None) => name
                .strip_suffix(rule.as_str())
                .is_some_and(|rest| rest.is_empty() || rest.ends_with('.')),
            (Rule::Network(network, bits), Some(address)) => same_network(*network, address, *bits),
            _ => false,
        })
    }
}

impl Rule {
    /// `None` for a word that covers nothing, such as a network with too many bits.
    fn of(word: &str) -> Option<Self> {
        let bare = word.trim_start_matches('[').trim_end_matches(']');
        if let Ok(address) = bare.parse::<IpAddr>() {
            return Some(Self::Network(address, width(address)));
        }
        if let Some((address, bits)) = word.split_once('/') {
            let address = address
                .trim_start_matches('[')
                .trim_end_matches(']')
                .parse()
                .ok()?;
            return Some(Self::Network(
                address,
                bits.parse().ok().filter(|&bits| bits <= width(address))?,
            ));
        }
        let name = word.trim_matches('.').to_ascii_lowercase();
        (!name.is_empty()).then_some(Self::Name(name))
    }
}

fn width(address: IpAddr) -> u32 {
    if address.is_ipv4() { 32 } else { 128 }
}

fn same_network(network: IpAddr, address: IpAddr, bits: u32) -> bool {
    let differing = match (network, address) {
        (IpAddr::V4(a), IpAddr::V4(b)) => (a.to_bits() ^ b.to_bits()).leading_zeros(),
        (IpAddr::V6(a), IpAddr::V6(b)) => (a.to_bits() ^ b.to_bits()).leading_zeros(),
        _ => return false,
    };
    differing >= bits
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_below_addresses_and_networks_are_covered() {
        let list = "example.org, .internal,10.0.0.0/8 [::1],192.168.1.1,2001:db8::/32,1.2.3.4/99";
        let bypass = Bypass::of(list);
        for direct in [
            "example.org",
            "WWW.example.org",
            "example.org.",
            "internal",
            "a.internal",
            "10.9.8.7",
            "::1",
            "192.168.1.1",
            "2001:db8:1::1",
        ] {
            assert!(bypass.covers(direct), "{direct}");
        }
        for proxied in [
            "badexample.org",
            "example.com",
            "11.0.0.1",
            "192.168.1.10",
            "::2",
            "1.2.3.4",
        ] {
            assert!(!bypass.covers(proxied), "{proxied}");
        }
    }

    #[test]
    fn a_star_covers_everything_and_an_empty_list_nothing() {
        assert!(Bypass::of("*").covers("x") && Bypass::of(" * ").covers("::1"));
        assert!(!Bypass::of("").covers("x"));
    }
}
