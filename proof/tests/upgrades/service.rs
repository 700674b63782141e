//! Two replicas with one store behind the edge, and what operators do to them.

use std::fs;
use std::io::Write as _;
use std::time::{Duration, UNIX_EPOCH};

use serde_json::Value;
use spinfo_proof::edge::{Edge, Replicas, Settings};
use spinfo_tests::{FixtureApp, Host, Redis, Up, artifacts, deadline};
use tempfile::NamedTempFile;

use crate::mix::greeting;
use crate::report::tell;

/// All that serves.
pub(crate) struct Service {
    pub(crate) edge: Edge,
    replicas: Replicas,
    app: FixtureApp,
    /// Of version 1.
    manifest: String,
    runtime_config: NamedTempFile,
    /// Tells this test run's code from that of others.
    started: Duration,
    _redis: Redis,
}

impl Service {
    /// Starts it with version 1 of the application.
    pub(crate) fn start() -> Self {
        let redis = Redis::start();
        let mut runtime_config = NamedTempFile::new().expect("a file can be made");
        writeln!(
            runtime_config,
            "[key_value_store.default]\ntype = \"redis\"\nurl = \"{}\"",
            redis.url()
        )
        .expect("a file can be written");
        let replicas = Replicas::none(2);
        let edge = Settings::before(&replicas, 2).start().with_certificates();
        let app = FixtureApp::spinfo(&greeting(1));
        let mut service = Self {
            edge,
            replicas,
            manifest: fs::read_to_string(app.manifest()).expect("the manifest is there"),
            app,
            runtime_config,
            started: UNIX_EPOCH.elapsed().expect("the clock is set"),
            _redis: redis,
        };
        service.release(1);
        for replica in 0..2 {
            let host = service.host(replica);
            service.replicas.hosts.push(host);
        }
        service
            .replicas
            .hosts
            .iter()
            .for_each(until_it_is_asked(&service.edge));
        service
    }

    /// Puts a version of the application where the replicas look for it: another greeting and other code, which nobody has
    /// compiled yet when it is the first time.
    pub(crate) fn release(&self, version: u32) {
        let manifest = self.manifest.replace(&greeting(1), &greeting(version));
        self.app.write("spin.toml", &manifest);
        let mut wasm = fs::read(artifacts::component("hello")).expect("the component is there");
        // A custom section: its id, its size, its name.
        let name = format!("{} {}", greeting(version), self.started.as_nanos());
        let length = u8::try_from(name.len()).expect("it is short");
        wasm.extend([&[0, length + 1, length][..], name.as_bytes()].concat());
        fs::write(self.app.path("hello.wasm"), wasm).expect("a file can be written");
    }

    /// Puts a version there that can't be served.
    pub(crate) fn release_broken(&self) {
        self.app
            .edit(|text| text.replace("hello.wasm", "missing.wasm"));
    }

    /// Has a replica look for another version, and waits until it has decided: the outcome.
    pub(crate) fn reload(&self, replica: usize) -> Value {
        let host = &self.replicas.hosts[replica];
        let revision = || host.admin("/revision").json();
        let before = revision();
        host.signal("HUP");
        deadline::until("a reload", || {
            let now = revision();
            (now["reloads"] != before["reloads"]).then_some(now)
        })
    }

    /// Stops a replica and starts one in its place.
    pub(crate) fn replace(&mut self, replica: usize) {
        let ended = self.replicas.hosts[replica].stop();
        assert_eq!(ended.code(), Some(0), "a stop is no failure");
        self.bring_back(replica);
    }

    /// Ends a replica as a crash would: how the edge names it.
    pub(crate) fn kill(&mut self, replica: usize) -> String {
        self.replicas.hosts[replica].kill();
        self.replicas.upstream(replica)
    }

    /// Starts a replica in the place of one that has ended, and waits until the edge sends requests to it.
    pub(crate) fn bring_back(&mut self, replica: usize) {
        self.replicas.hosts[replica] = self.host(replica);
        until_it_is_asked(&self.edge)(&self.replicas.hosts[replica]);
    }

    fn host(&self, replica: usize) -> Host {
        let config = self.runtime_config.path().as_os_str();
        let up = Up::new(self.app.manifest())
            .args(["--variable", "otlp_endpoint="])
            .args(["--runtime-config-file".as_ref(), config]);
        self.replicas.start_at(replica, up)
    }
}

/// Waits until the edge sends requests to a replica, and sends some if nobody else does.
fn until_it_is_asked(edge: &Edge) -> impl Fn(&Host) {
    |host| {
        deadline::until("the edge to ask a replica", || {
            edge.get("/version");
            let metrics = host.admin("/metrics");
            metrics
                .text()
                .contains("http_server_request_duration_seconds_count{")
                .then_some(())
        });
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            return;
        }
        for host in &mut self.replicas.hosts {
            let lines = host.log.so_far();
            let last = lines[lines.len().saturating_sub(20)..].join("\n");
            tell(&format!(
                "a replica, which ended with {:?}:\n{last}",
                host.try_wait()
            ));
        }
    }
}
