//! A running edge.

use std::ffi::OsStr;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::Arc;

use http::Request;
use rustls::ClientConfig;
use tempfile::TempDir;

use super::{Replicas, ports};
use crate::stack::backends::program;
use spinfo_tests::artifacts::workspace;
use spinfo_tests::client::{Answer, Client, Error};
use spinfo_tests::lines::Lines;
use spinfo_tests::{deadline, tls};

/// How to start an edge.
pub struct Settings {
    command: Command,
    data: TempDir,
    http: u16,
    https: u16,
    metrics: u16,
}

/// An edge that serves `localhost` and `127.0.0.1`. It is killed when it is dropped.
pub struct Edge {
    /// Where port 80 is.
    pub http: SocketAddr,
    /// Where port 443 is.
    pub https: SocketAddr,
    /// Where `/metrics` is.
    pub metrics: SocketAddr,
    /// Its access log and its own, a JSON object each.
    pub log: Lines,
    /// What it says before it has read its configuration.
    errors: Lines,
    process: Child,
    data: TempDir,
}

impl Settings {
    /// In front of the first `count` addresses of replicas, whether there are any or not.
    pub fn before(replicas: &Replicas, count: usize) -> Self {
        let upstreams: Vec<_> = (0..count)
            .map(|replica| replicas.upstream(replica))
            .collect();
        Self::new()
            .env("EDGE_UPSTREAMS", upstreams.join(" "))
            .env("EDGE_HEALTH_PORT", replicas.admin_port.to_string())
    }

    /// On free ports, with the project's own Caddyfile.
    pub fn new() -> Self {
        Self::of(&workspace().join("edge/Caddyfile"))
    }

    /// On free ports, with another Caddyfile.
    pub fn of(caddyfile: &std::path::Path) -> Self {
        let data = tempfile::tempdir().expect("a temporary folder can be made");
        let mut command = Command::new(program("caddy"));
        command
            .args(["run", "--adapter", "caddyfile", "--config"])
            .arg(caddyfile);
        command
            .env_clear()
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
            .env("HOME", data.path())
            .env("EDGE_DATA", data.path())
            .env("EDGE_ADMIN", "off")
            .env("EDGE_METRICS_BIND", "127.0.0.1")
            .env("EDGE_HOSTS", "localhost 127.0.0.1")
            .env("OTEL_TRACES_EXPORTER", "none");
        Self {
            command,
            data,
            http: ports::free(1),
            https: ports::free(1),
            metrics: ports::free(1),
        }
    }

    /// Other ports for HTTP and HTTPS.
    #[must_use]
    pub fn ports(mut self, http: u16, https: u16) -> Self {
        (self.http, self.https) = (http, https);
        self
    }

    /// A variable of the environment.
    #[must_use]
    pub fn env(mut self, name: &str, value: impl AsRef<OsStr>) -> Self {
        self.command.env(name, value);
        self
    }

    /// Takes a variable of the environment away.
    #[must_use]
    pub fn without_env(mut self, name: &str) -> Self {
        self.command.env_remove(name);
        self
    }

    /// Starts it and waits until it serves.
    ///
    /// # Panics
    /// When it ends instead, with all that it said.
    pub fn start(self) -> Edge {
        self.start_at(Ipv4Addr::LOCALHOST)
    }

    /// Starts it, which is told to bind this address, and waits until it serves.
    ///
    /// # Panics
    /// When it ends instead, with all that it said.
    pub fn start_at(mut self, address: Ipv4Addr) -> Edge {
        let [http, https, metrics] =
            [self.http, self.https, self.metrics].map(|port| port.to_string());
        self.command
            .env("EDGE_BIND", address.to_string())
            .env("EDGE_HTTP_PORT", http)
            .env("EDGE_PUBLIC_PORT", &https)
            .env("EDGE_HTTPS_PORT", https)
            .env("EDGE_METRICS_PORT", metrics);
        let mut process = self.command.spawn().expect("caddy can be started");
        let log = Lines::collect(process.stdout.take().expect("stdout is piped"));
        let errors = Lines::collect(process.stderr.take().expect("stderr is piped"));
        let at = |port| SocketAddr::from((address, port));
        let mut edge = Edge {
            http: at(self.http),
            https: at(self.https),
            metrics: (Ipv4Addr::LOCALHOST, self.metrics).into(),
            log,
            errors,
            process,
            data: self.data,
        };
        deadline::until("the edge to serve", || {
            edge.assert_runs();
            std::net::TcpStream::connect(edge.http).ok()
        });
        edge
    }
}

impl Default for Settings {
    fn default() -> Self {
        Self::new()
    }
}

impl Edge {
    /// Waits until it has its certificates.
    #[must_use]
    pub fn with_certificates(mut self) -> Self {
        deadline::until("the edge's certificates", || {
            self.assert_runs();
            let trusted = self.root().is_file().then(|| self.trusting(&["h2"]))?;
            ["localhost", "127.0.0.1"]
                .iter()
                .all(|name| Client::connect_tls_as(self.https, name, &trusted).is_ok())
                .then_some(())
        });
        self
    }

    /// The certificate of the local CA, which clients have to trust.
    pub fn root(&self) -> PathBuf {
        self.data.path().join("pki/authorities/local/root.crt")
    }

    /// Settings of a client that trusts only the local CA and offers `protocols` (ALPN).
    pub fn trusting(&self, protocols: &[&str]) -> Arc<ClientConfig> {
        tls::trusting(&self.root(), protocols)
    }

    /// A connection by HTTPS as `localhost`.
    ///
    /// # Errors
    /// When the handshake fails.
    pub fn connect(&self, protocols: &[&str]) -> Result<Client, Error> {
        let (client, _) =
            Client::connect_tls_as(self.https, "localhost", &self.trusting(protocols))?;
        Ok(client)
    }

    /// A request by HTTPS on a connection of its own.
    pub fn send(&self, request: Request<Vec<u8>>) -> Answer {
        self.connect(&["h2"])
            .expect("the edge can be trusted")
            .send(request)
    }

    /// `GET` by HTTPS on a connection of its own.
    pub fn get(&self, path: &str) -> Answer {
        self.send(get(path))
    }

    /// `GET` by HTTP on a connection of its own.
    pub fn get_plain(&self, path: &str) -> Answer {
        Client::connect(self.http).send(get(path))
    }

    /// Asks it to stop.
    pub fn terminate(&self) {
        let status = Command::new("kill")
            .args(["-s", "TERM", &self.process.id().to_string()])
            .status();
        assert!(
            status.expect("kill can be run").success(),
            "caddy could not be sent SIGTERM"
        );
    }

    /// Waits for the end of the process.
    pub fn wait(&mut self) -> ExitStatus {
        deadline::until("the edge to end", || {
            self.process.try_wait().expect("a child can be waited for")
        })
    }

    fn assert_runs(&mut self) {
        let ended = self.process.try_wait().expect("a child can be waited for");
        assert!(
            ended.is_none(),
            "caddy ended:\n{}\n{}",
            self.errors.so_far().join("\n"),
            self.log.so_far().join("\n")
        );
    }
}

impl Drop for Edge {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// A `GET` of a path.
pub fn get(path: &str) -> Request<Vec<u8>> {
    Request::get(path).body(Vec::new()).expect("a good request")
}
