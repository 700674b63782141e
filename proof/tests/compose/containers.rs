//! The containers, as the engine and the kernel see them.

use std::collections::BTreeMap;
use std::fs;

use serde_json::Value;
use spinfo_proof::stack::backends::{run, said};
use spinfo_tests::artifacts::workspace;

use crate::project::{ASKED, Project};

/// Its image holds nothing that could ask it; collector-health does.
const WITHOUT_HEALTH: &str = "collector";

/// Each program: its service, how it is called in its container, and under which name the stack tests run it.
const PROGRAMS: [(&str, &str, Option<&str>); 11] = [
    ("alertmanager", "/bin/alertmanager", Some("alertmanager")),
    ("collector", "/otelcol-contrib", Some("otelcol")),
    ("edge", "caddy", Some("caddy")),
    ("grafana", "grafana", None),
    ("loki", "/usr/bin/loki", Some("loki")),
    ("monitor", "spinfo-monitor", None),
    ("probe", "spinfo-probe", None),
    ("prometheus", "/bin/prometheus", Some("prometheus")),
    ("spinfo", "spinfo", None),
    ("tempo", "/tempo", Some("tempo")),
    ("valkey", "valkey-server", None),
];

/// Each has been healthy since its first start.
pub(crate) fn are_healthy(project: &Project) {
    let containers = project.containers();
    let count = |name: &str| {
        containers
            .iter()
            .filter(|(service, _)| service == name)
            .count()
    };
    for service in project.services() {
        let replicas = if service == "spinfo" { 2 } else { 1 };
        assert_eq!(count(&service), replicas, "containers of {service}");
    }
    for (service, container) in &containers {
        let state = &container["State"];
        let healthy = state["Health"]["Status"] == "healthy" || service == WITHOUT_HEALTH;
        assert!(healthy && state["Running"] == true, "{service}: {state}");
        assert_eq!(container["RestartCount"], 0, "{service} was restarted");
    }
}

/// The edge is root without root's rights: all it may is listen on ports below 1024 (`CAP_NET_BIND_SERVICE`, bit 10).
const EDGE: (&str, &str) = ("edge", "0000000000000400");

/// Who reads the edge's files is who owns them: root, without any of its rights.
const ROOT: [&str; 2] = [EDGE.0, "edge-ca"];

/// None may write to its image, has a capability or can get one, is root, or takes more than its share.
pub(crate) fn are_confined(project: &Project) {
    for (service, container) in project.containers() {
        let host = &container["HostConfig"];
        assert_eq!(host["ReadonlyRootfs"], true, "{service}");
        assert_eq!(host["Privileged"], false, "{service}");
        assert!(
            host["Memory"].as_u64() > Some(0),
            "{service} has no limit of memory"
        );
        assert!(
            host["PidsLimit"].as_u64() > Some(0),
            "{service} has no limit of threads"
        );
        assert!(
            host["LogConfig"]["Config"]["max-size"].is_string(),
            "{service}'s log grows"
        );
        assert_eq!(host["RestartPolicy"]["Name"], "unless-stopped", "{service}");
        let status = kernel_status(&container);
        let field = |name: &str| status.get(name).map(String::as_str).unwrap_or_default();
        let is_edge = service == EDGE.0;
        let capabilities = if is_edge { EDGE.1 } else { "0000000000000000" };
        assert_eq!(field("CapEff"), capabilities, "{service}");
        assert_eq!(field("CapBnd"), capabilities, "{service}");
        assert_eq!(field("NoNewPrivs"), "1", "{service}");
        let users: Vec<_> = field("Uid").split_whitespace().collect();
        assert!(
            users.len() == 4 && (ROOT.contains(&service.as_str()) || !users.contains(&"0")),
            "{service} runs as {users:?}"
        );
    }
}

/// What proc(5) says about a container's first process. The engine runs on this machine.
fn kernel_status(container: &Value) -> BTreeMap<String, String> {
    let path = format!("/proc/{}/status", container["State"]["Pid"]);
    let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"));
    let fields = text.lines().filter_map(|line| line.split_once(':'));
    fields
        .map(|(name, value)| (name.to_owned(), value.trim().to_owned()))
        .collect()
}

/// What is published is on loopback, but for the edge: spinfo, Grafana, and what these tests ask.
pub(crate) fn are_reached_from_this_machine_only(project: &Project) {
    for (service, container) in project.containers() {
        if service == EDGE.0 {
            continue;
        }
        let ports = container["NetworkSettings"]["Ports"].as_object();
        for (port, addresses) in ports.into_iter().flatten() {
            for address in addresses.as_array().into_iter().flatten() {
                assert_eq!(address["HostIp"], "127.0.0.1", "{service} {port}");
                let asked = |&(name, number): &(&str, u16)| {
                    service == name && *port == format!("{number}/tcp")
                };
                let public =
                    ["grafana", "spinfo"].contains(&service.as_str()) && port == "3000/tcp";
                assert!(
                    public || ASKED.iter().any(asked),
                    "{service} publishes {port}"
                );
            }
        }
    }
}

/// A tag is the version that the program in the image says it has, and that of the program which the stack tests run.
pub(crate) fn have_the_version_of_their_tag(project: &Project) {
    let services = project.services();
    let configuration = project.configuration();
    for (service, program, backend) in PROGRAMS {
        if !services.iter().any(|name| name == service) {
            continue;
        }
        let image = configuration["services"][service]["image"]
            .as_str()
            .expect("an image");
        // Ours has the version of the workspace; what it is made of has another.
        let image = if service == EDGE.0 {
            base_of_the_edge()
        } else {
            image.to_owned()
        };
        let (_, tag) = image.rsplit_once(':').expect("a tag");
        let version = tag.trim_start_matches('v');
        let inside = project.compose(&["exec", "--no-TTY", service, program, "--version"]);
        assert!(says(&inside, version), "{image} holds {inside}");
        if let Some(backend) = backend {
            let tested = said(&run(backend, |command| command.arg("--version")));
            assert!(
                says(&tested, version),
                "{image}, but the stack tests run {tested}"
            );
        }
    }
}

/// The image of Caddy that the edge's begins with.
fn base_of_the_edge() -> String {
    let dockerfile = fs::read_to_string(workspace().join("deploy/Dockerfile"));
    let dockerfile = dockerfile.expect("deploy/Dockerfile can be read");
    let mut lines = dockerfile.lines();
    let base = lines.find_map(|line| line.strip_prefix("FROM ")?.strip_suffix(" AS edge"));
    base.expect("a stage named edge").to_owned()
}

/// Whether a text has this version as a word.
fn says(text: &str, version: &str) -> bool {
    text.split(|character: char| !character.is_ascii_digit() && character != '.')
        .any(|word| word == version)
}

/// Each ends by itself, in its time, with success.
pub(crate) fn stop_cleanly(project: &Project) {
    project.compose(&["stop"]);
    for (service, container) in project.containers() {
        let state = &container["State"];
        // Within half a minute of a query Tempo 2.9 does not end: it waits until its queue of queries is removed, by a timer
        // that has ended by then. Its data is on disk after five seconds.
        let killed = service == "tempo" && state["ExitCode"] == KILLED;
        assert!(state["ExitCode"] == 0 || killed, "{service}: {state}");
        assert_eq!(state["OOMKilled"], false, "{service}");
    }
}

/// 128 and the number of SIGKILL.
const KILLED: i32 = 137;
