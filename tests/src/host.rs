//! A running `spinfo up`.

use std::ffi::OsStr;
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

use serde_json::Value;
use tempfile::TempDir;

use crate::client::{Answer, Client};
use crate::lines::Lines;
use crate::{artifacts, deadline};

/// How long a start may take. The first one compiles the components, with a compiler that is not optimised itself.
const STARTING: Duration = Duration::from_secs(300);

/// How to start a host.
pub struct Up {
    command: Command,
    /// For the stores, as long as the host lives.
    state: TempDir,
}

/// A host that serves, with its state in a folder of its own. It is killed when it is dropped.
pub struct Host {
    /// Where the application is.
    pub address: SocketAddr,
    /// Where `/livez`, `/readyz` and `/metrics` are.
    pub admin: SocketAddr,
    /// What it writes to stderr: a JSON object each.
    pub log: Lines,
    /// What it writes to stdout, for people.
    pub output: Lines,
    process: Child,
    _state: TempDir,
}

impl Up {
    /// The application of a manifest on free ports, without its developer's environment.
    pub fn new(manifest: impl AsRef<Path>) -> Self {
        let state = tempfile::tempdir().expect("a temporary folder can be made");
        let mut command = Command::new(artifacts::host());
        command
            .args(["up", "--log-format", "json", "--from"])
            .arg(manifest.as_ref());
        command
            .env_clear()
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        // By the environment, so that a test can give the flag.
        command
            .env("SPIN_HTTP_LISTEN_ADDR", "127.0.0.1:0")
            .env("SPINFO_ADMIN_LISTEN", "127.0.0.1:0");
        command
            .env("STATE_DIR", state.path())
            .env("SPINFO_CACHE_DIR", artifacts::cache());
        Self { command, state }
    }

    /// The application of this workspace, whose components export nothing.
    pub fn spinfo() -> Self {
        Self::exporting("")
    }

    /// The application of this workspace, whose components export to the OTLP receiver at `url`.
    pub fn exporting(url: &str) -> Self {
        Self::new(artifacts::manifest())
            .args(["--variable".to_owned(), format!("otlp_endpoint={url}")])
    }

    /// More flags.
    #[must_use]
    pub fn args<I: AsRef<OsStr>>(mut self, args: impl IntoIterator<Item = I>) -> Self {
        self.command.args(args);
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

    /// Keeps the stores in `folder`, so that they outlive the host.
    #[must_use]
    pub fn state(self, folder: &Path) -> Self {
        self.env("STATE_DIR", folder)
    }

    /// Starts it and waits until it serves.
    ///
    /// # Panics
    /// When it ends instead, with all that it said.
    pub fn start(self) -> Host {
        let mut host = self.spawn();
        let serving = host
            .log
            .wait_longer_for_log("the host to serve", STARTING, is_serving);
        host.address = address(&serving, "address");
        host.admin = address(&serving, "admin");
        host
    }

    /// Runs it to its end, for applications that do not start: its exit code and what it wrote to stderr.
    ///
    /// # Panics
    /// When it serves after all.
    pub fn fail(self) -> (Option<i32>, String) {
        let mut host = self.spawn();
        let lines = host.log.to_the_end_or(is_serving);
        (host.wait().code(), lines.join("\n"))
    }

    fn spawn(mut self) -> Host {
        let mut process = self.command.spawn().expect("the host can be started");
        let output = Lines::collect(process.stdout.take().expect("stdout is piped"));
        let log = Lines::collect(process.stderr.take().expect("stderr is piped"));
        Host {
            address: ANY,
            admin: ANY,
            log,
            output,
            process,
            _state: self.state,
        }
    }
}

fn is_serving(line: &Value) -> bool {
    line["message"] == "serving"
}

const ANY: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::UNSPECIFIED), 0);

fn address(serving: &Value, field: &str) -> SocketAddr {
    let text = serving["fields"][field].as_str();
    text.and_then(|text| text.parse().ok())
        .unwrap_or_else(|| panic!("no {field} in {serving}"))
}

impl Host {
    /// The URL of a path.
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// A `GET` on a connection of its own.
    pub fn get(&self, path: &str) -> Answer {
        self.send(
            http::Request::get(path)
                .body(Vec::new())
                .expect("a good request"),
        )
    }

    /// A request on a connection of its own.
    pub fn send(&self, request: http::Request<Vec<u8>>) -> Answer {
        Client::connect(self.address).send(request)
    }

    /// `GET` on the admin listener.
    pub fn admin(&self, path: &str) -> Answer {
        Client::connect(self.admin).send(
            http::Request::get(path)
                .body(Vec::new())
                .expect("a good request"),
        )
    }

    /// The process's number.
    pub fn pid(&self) -> u32 {
        self.process.id()
    }

    /// Asks it to stop.
    pub fn terminate(&self) {
        self.signal("TERM");
    }

    /// Sends a signal, by its name without `SIG`.
    pub fn signal(&self, name: &str) {
        let status = Command::new("kill")
            .args(["-s", name, &self.pid().to_string()])
            .status();
        assert!(
            status.expect("kill can be run").success(),
            "the host could not be sent SIG{name}"
        );
    }

    /// Ends it as a crash would.
    pub fn kill(&mut self) {
        self.process.kill().expect("the host can be killed");
        self.wait();
    }

    /// Asks it to stop and waits until it has.
    pub fn stop(&mut self) -> ExitStatus {
        self.terminate();
        self.wait()
    }

    /// How it has ended, if it has.
    pub fn try_wait(&mut self) -> Option<ExitStatus> {
        self.process.try_wait().expect("a child can be waited for")
    }

    /// Waits for the end of the process.
    pub fn wait(&mut self) -> ExitStatus {
        deadline::until("the host to end", || self.try_wait())
    }

    /// Memory in bytes that is resident (`VmRSS` of proc(5)).
    pub fn resident_memory(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.pid()))
            .expect("proc(5) is there");
        let line = status
            .lines()
            .find_map(|line| line.strip_prefix("VmRSS:"))
            .expect("VmRSS is there");
        let kibibytes = line.trim().trim_end_matches("kB").trim();
        kibibytes.parse::<u64>().expect("a number") * 1024
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
