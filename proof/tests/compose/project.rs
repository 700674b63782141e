//! A project of `docker compose`, which is gone with its volumes when it is dropped.

use std::fs;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::Output;

use serde_json::Value;
use spinfo_proof::stack::backends::said;
use spinfo_proof::stack::network::free_port;
use tempfile::TempDir;

use crate::docker::{REMEDY, compose, docker, label, say, succeed};

/// What `up --wait` may take, in seconds. A quarter of a minute on a machine that does nothing else.
const STARTING: &str = "240";

/// Lines of each container's log that a failure shows.
const LINES: &str = "40";

/// What tests ask and users don't reach: published on a free port of this machine.
pub(crate) const ASKED: [(&str, u16); 4] = [
    ("alertmanager", 9093),
    ("loki", 3100),
    ("prometheus", 9090),
    ("tempo", 3200),
];

/// A running project.
pub(crate) struct Project {
    name: String,
    profile: &'static str,
    /// Where the edge is reached over HTTP and HTTPS.
    pub(crate) edge: [u16; 2],
    /// Of the file that publishes [`ASKED`].
    folder: TempDir,
}

impl Project {
    /// Starts the services of a profile and waits until they are healthy.
    ///
    /// # Panics
    /// When they are not in time, with their logs.
    pub(crate) fn up(profile: &'static str) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder can be made");
        let services = ASKED
            .map(|(service, port)| format!("  {service}:\n    ports: [\"127.0.0.1::{port}\"]\n"));
        let published = folder.path().join("published.yaml");
        fs::write(published, format!("services:\n{}", services.concat()))
            .expect("a file can be written");
        let mut project = Self {
            name: format!("spinfo-test-{}-{profile}", std::process::id()),
            profile,
            edge: [free_port(), free_port()],
            folder,
        };
        project.start(profile);
        project
    }

    /// Starts what another profile has more.
    ///
    /// # Panics
    /// When it is not healthy in time, with the logs.
    pub(crate) fn start(&mut self, profile: &'static str) {
        self.profile = profile;
        let engine = docker(["version", "--format", "{{.Server.Version}}"]);
        assert!(
            engine.status.success(),
            "no Docker engine answers; {REMEDY}\n{}",
            said(&engine)
        );
        let services = self.services();
        if !services.iter().any(|service| service == "grafana") {
            say("grafana is left out: its image is not here, and no registry is reachable");
        }
        let mut up = vec!["up", "--wait", "--wait-timeout", STARTING];
        up.extend(services.iter().map(String::as_str));
        let output = self.try_compose(&up);
        assert!(
            output.status.success(),
            "{}\n\nWhere images are missing: {REMEDY}\n\n{}",
            said(&output),
            self.logs()
        );
    }

    /// The services of the profile that can be started here: where images were made by `proof/compose/images`, not Grafana.
    pub(crate) fn services(&self) -> Vec<String> {
        let configuration = self.configuration();
        let services = configuration["services"].as_object().expect("services");
        let image = |name: &str| {
            services[name]["image"]
                .as_str()
                .unwrap_or_default()
                .to_owned()
        };
        let stand_ins =
            label(&image("valkey"), "spinfo.stand-in").is_some_and(|key| !key.is_empty());
        let left_out = |name: &str| {
            name == "grafana" && stand_ins && label(&image(name), "spinfo.stand-in").is_none()
        };
        let services = services.keys().filter(|name| !left_out(name));
        services.cloned().collect()
    }

    /// What compose makes of its files.
    pub(crate) fn configuration(&self) -> Value {
        let text = self.compose(&["config", "--format", "json"]);
        serde_json::from_str(&text).expect("compose writes JSON")
    }

    /// Where a port of a container is published; containers of a service are numbered from 1.
    pub(crate) fn address(&self, service: &str, index: usize, port: u16) -> SocketAddr {
        let (index, port) = (index.to_string(), port.to_string());
        let text = self.compose(&["port", "--index", &index, service, &port]);
        text.trim()
            .parse()
            .unwrap_or_else(|error| panic!("{service}: {text:?}: {error}"))
    }

    /// The certificate of the edge's CA, as a file of this machine.
    pub(crate) fn root_certificate(&self) -> PathBuf {
        let root = self.folder.path().join("root.crt");
        let path = "edge:/data/caddy/pki/authorities/local/root.crt";
        self.compose(&["cp", path, &root.to_string_lossy()]);
        root
    }

    /// What the engine knows about the containers, with the names of their services.
    pub(crate) fn containers(&self) -> Vec<(String, Value)> {
        let ids = self.compose(&["ps", "--all", "--quiet"]);
        let mut inspect = vec!["inspect"];
        inspect.extend(ids.split_whitespace());
        let text = succeed(&docker(inspect));
        let containers: Vec<Value> = serde_json::from_str(&text).expect("docker writes JSON");
        let service = |container: &Value| {
            let label = &container["Config"]["Labels"]["com.docker.compose.service"];
            label
                .as_str()
                .expect("compose labels its containers")
                .to_owned()
        };
        containers
            .into_iter()
            .map(|container| (service(&container), container))
            .collect()
    }

    /// Memory of each container, as text.
    pub(crate) fn memory(&self) -> String {
        let format = "table {{.Name}}\t{{.MemUsage}}";
        let containers = self.containers();
        let mut stats = vec!["stats", "--no-stream", "--format", format];
        stats.extend(
            containers
                .iter()
                .filter_map(|(_, container)| container["Id"].as_str()),
        );
        succeed(&docker(stats))
    }

    /// The state of all containers and the ends of their logs.
    pub(crate) fn logs(&self) -> String {
        let states = self.try_compose(&["ps", "--all"]);
        let logs = self.try_compose(&["logs", "--no-color", "--tail", LINES]);
        format!("{}\n{}", said(&states), said(&logs))
    }

    /// Runs `docker compose` on the project.
    ///
    /// # Panics
    /// When it fails.
    pub(crate) fn compose(&self, arguments: &[&str]) -> String {
        succeed(&self.try_compose(arguments))
    }

    fn try_compose(&self, arguments: &[&str]) -> Output {
        let published = self.folder.path().join("published.yaml");
        compose(&["compose.yaml", &published.to_string_lossy()])
            .args(["--project-name", &self.name, "--profile", self.profile])
            .args(arguments)
            .env("SPINFO_PORTS", "0")
            .env("GRAFANA_PORT", "0")
            .env("EDGE_HTTP", self.edge[0].to_string())
            .env("EDGE_HTTPS", self.edge[1].to_string())
            .output()
            .expect("docker can be run")
    }
}

impl Drop for Project {
    fn drop(&mut self) {
        // Whatever the profile, everything.
        self.profile = "all";
        let down = self.try_compose(&["down", "--volumes", "--remove-orphans"]);
        if !down.status.success() {
            say(&format!(
                "{} may still be there: {}",
                self.name,
                said(&down)
            ));
        }
    }
}
