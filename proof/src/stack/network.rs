//! Addresses on this machine in the place of the names and ports that services have in compose.yaml.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::sync::atomic::{AtomicU16, Ordering};

/// Below what Linux hands out to clients (`ip_local_port_range`, from 32768), so that nobody takes the port of a program
/// that is about to start, or to start again.
const PORTS: std::ops::Range<u16> = 20_000..32_000;

/// A port of this machine for each `service:port`.
pub struct Network(BTreeMap<String, u16>);

impl Network {
    /// Looks for free ports.
    pub fn new(services: &[&str]) -> Self {
        let ports = services.iter().map(|&name| (name.to_owned(), free_port()));
        Self(ports.collect())
    }

    /// The port in the place of `service:port`.
    ///
    /// # Panics
    /// When there is none.
    pub fn port(&self, service: &str) -> u16 {
        *self.0.get(service).unwrap_or_else(|| {
            panic!("{service} has no port in the stack tests: add it to SERVICES")
        })
    }

    /// The address in the place of `service:port`.
    pub fn address(&self, service: &str) -> SocketAddr {
        (Ipv4Addr::LOCALHOST, self.port(service)).into()
    }

    /// A configuration file with each `service:port` replaced, for programs that can't expand variables.
    ///
    /// # Panics
    /// When it names a `service:port` that has no address here.
    pub fn localise(&self, text: &str) -> String {
        let mut all = String::with_capacity(text.len());
        for line in text.lines() {
            let (code, comment) = match line
                .find("# ")
                .or(line.ends_with('#').then(|| line.len() - 1))
            {
                Some(at) => line.split_at(at),
                None => (line, ""),
            };
            self.localise_line(code, &mut all);
            all.push_str(comment);
            all.push('\n');
        }
        all
    }

    fn localise_line(&self, code: &str, into: &mut String) {
        let is_name =
            |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-' || c == '.';
        let mut rest = code;
        while let Some(at) = rest.find(':') {
            let (before, after) = (&rest[..at], &rest[at + 1..]);
            let name = before.rsplit(|c| !is_name(c)).next().unwrap_or_default();
            let digits = after.len() - after.trim_start_matches(|c: char| c.is_ascii_digit()).len();
            if digits > 0 && name.starts_with(|c: char| c.is_ascii_lowercase()) {
                let service = format!("{name}:{}", &after[..digits]);
                into.push_str(&before[..before.len() - name.len()]);
                into.push_str(&self.address(&service).to_string());
                rest = &after[digits..];
            } else {
                into.push_str(&rest[..=at]);
                rest = after;
            }
        }
        into.push_str(rest);
    }
}

/// A port that nobody listens on, each time another.
pub fn free_port() -> u16 {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    // Test programs that run at the same time begin at different places.
    let begin = (std::process::id() * 64 % u32::from(PORTS.end - PORTS.start)) as u16;
    for _ in PORTS {
        let step = NEXT.fetch_add(1, Ordering::Relaxed);
        let port = PORTS.start + begin.wrapping_add(step) % (PORTS.end - PORTS.start);
        if TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok() {
            return port;
        }
    }
    panic!("no port of {PORTS:?} is free");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_replaced_wherever_they_stand() {
        let network = Network(BTreeMap::from([
            ("loki:3100".to_owned(), 1),
            ("otel-collector:8888".to_owned(), 2),
        ]));
        let text = "# loki:9 in a comment\n- targets: [loki:3100, 'otel-collector:8888'] # loki:1\nurl: http://loki:3100/otlp\n\
                    interval: 10s\nat: 12:30\nanchor: \"{\\\"n\\\":13}\"\n";
        assert_eq!(
            network.localise(text),
            "# loki:9 in a comment\n- targets: [127.0.0.1:1, '127.0.0.1:2'] # loki:1\nurl: http://127.0.0.1:1/otlp\n\
             interval: 10s\nat: 12:30\nanchor: \"{\\\"n\\\":13}\"\n"
        );
    }

    #[test]
    #[should_panic(expected = "grafana:3000 has no port")]
    fn an_unknown_name_is_not_let_through() {
        Network(BTreeMap::new()).localise("targets: [grafana:3000]");
    }

    #[test]
    fn ports_differ() {
        assert_ne!(free_port(), free_port());
    }
}
