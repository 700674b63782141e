//! Hosts that are each other's replicas.

use super::ports;
use spinfo_tests::{Host, Up};

/// How long a replica serves after it was told to stop. The edge asks every second and believes the second answer.
pub const GRACE: &str = "4s";

/// Replicas at addresses of their own, with the same ports.
pub struct Replicas {
    /// For the application.
    pub port: u16,
    /// For readiness.
    pub admin_port: u16,
    /// Those that run, the first at `127.0.0.1`.
    pub hosts: Vec<Host>,
}

impl Replicas {
    /// Starts some with the greeting that the edge has in compose.yaml.
    pub fn start(count: usize) -> Self {
        Self::configured(count, |up| up)
    }

    /// Starts some, each with more settings.
    pub fn configured(count: usize, configure: impl Fn(Up) -> Up) -> Self {
        let mut replicas = Self::none(count);
        for replica in 0..count {
            let host = replicas.host(replica, configure(Up::spinfo()));
            replicas.hosts.push(host);
        }
        replicas
    }

    /// Ports for some that are started later.
    pub fn none(count: usize) -> Self {
        Self {
            port: ports::free(count),
            admin_port: ports::free(count),
            hosts: Vec::new(),
        }
    }

    /// Starts one with the greeting that the edge has in compose.yaml.
    pub fn host(&self, replica: usize, up: Up) -> Host {
        self.start_at(replica, up.args(["--variable", "greeting=Hello SRE!"]))
    }

    /// Starts one at its address, with time for the edge to notice a stop.
    pub fn start_at(&self, replica: usize, up: Up) -> Host {
        let address = ports::address(replica);
        up.args(["--grace", GRACE])
            .env("SPIN_HTTP_LISTEN_ADDR", format!("{address}:{}", self.port))
            .env(
                "SPINFO_ADMIN_LISTEN",
                format!("{address}:{}", self.admin_port),
            )
            .start()
    }

    /// How the edge names one.
    pub fn upstream(&self, replica: usize) -> String {
        format!("{}:{}", ports::address(replica), self.port)
    }
}
