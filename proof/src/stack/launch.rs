//! How each program is started: as compose.yaml says, with the files of otel/, on ports and folders of this machine.

use std::fs;
use std::path::{Path, PathBuf};

use super::api::Api;
use super::compose::Service;
use super::network::Network;
use super::program::Program;
use spinfo_tests::artifacts::workspace;

pub(super) fn collector(network: &Network, folder: &Path) -> Program {
    let listen = |service: &str| network.address(service).to_string();
    let health = Api::new("collector", network.address("collector:13133"));
    as_in_compose(
        Program::new("otelcol", folder, health, "/"),
        "collector",
        network,
        folder,
    )
    .env("COLLECTOR_OTLP_GRPC_LISTEN", listen("collector:4317"))
    .env("COLLECTOR_OTLP_HTTP_LISTEN", listen("collector:4318"))
    .env("COLLECTOR_HEALTH_LISTEN", listen("collector:13133"))
    .env("COLLECTOR_METRICS_HOST", "127.0.0.1")
    .env(
        "COLLECTOR_METRICS_PORT",
        network.port("collector:8888").to_string(),
    )
    .env("COLLECTOR_STORAGE", storage(folder, "queues"))
    .env("TEMPO_OTLP_ENDPOINT", listen("tempo:4317"))
    .env("PROMETHEUS_URL", url(network, "prometheus:9090"))
    .env("LOKI_URL", url(network, "loki:3100"))
}

pub(super) fn tempo(network: &Network, folder: &Path) -> Program {
    let port = |service: &str| network.port(service).to_string();
    let api = Api::new("tempo", network.address("tempo:3200"));
    as_in_compose(
        Program::new("tempo", folder, api, "/ready"),
        "tempo",
        network,
        folder,
    )
    .env("TEMPO_HTTP_PORT", port("tempo:3200"))
    .env("TEMPO_GRPC_PORT", port("tempo:9095"))
    .env("TEMPO_GOSSIP_PORT", port("tempo:7946"))
    .env(
        "TEMPO_OTLP_LISTEN",
        network.address("tempo:4317").to_string(),
    )
    .env("TEMPO_STORAGE", storage(folder, "tempo"))
    .env("PROMETHEUS_URL", url(network, "prometheus:9090"))
}

pub(super) fn loki(network: &Network, folder: &Path) -> Program {
    let port = |service: &str| network.port(service).to_string();
    let api = Api::new("loki", network.address("loki:3100"));
    as_in_compose(
        Program::new("loki", folder, api, "/ready"),
        "loki",
        network,
        folder,
    )
    .env("LOKI_HTTP_PORT", port("loki:3100"))
    .env("LOKI_GRPC_PORT", port("loki:9095"))
    .env("LOKI_STORAGE", storage(folder, "loki"))
}

pub(super) fn prometheus(network: &Network, folder: &Path) -> Program {
    let api = Api::new("prometheus", network.address("prometheus:9090"));
    let listen = format!("--web.listen-address={}", api.address());
    let program = Program::new("prometheus", folder, api, "/-/ready");
    as_in_compose(program, "prometheus", network, folder).args([listen])
}

pub(super) fn alertmanager(network: &Network, folder: &Path) -> Program {
    let api = Api::new("alertmanager", network.address("alertmanager:9093"));
    let listen = format!("--web.listen-address={}", api.address());
    let program = Program::new("alertmanager", folder, api, "/-/ready");
    as_in_compose(program, "alertmanager", network, folder).args([listen])
}

/// With the arguments and the environment that compose.yaml has for it, but with folders of this machine. Most programs take
/// addresses from their environment; two can't, and get copies of their files.
fn as_in_compose(program: Program, name: &str, network: &Network, folder: &Path) -> Program {
    let service = Service::read(name);
    let args = service.command_with(|source| match source.strip_prefix("./otel/") {
        Some(path) if matches!(name, "prometheus" | "alertmanager") => {
            localised(network, folder, path).display().to_string()
        }
        Some(path) => configuration(path).display().to_string(),
        None => storage(folder, source).display().to_string(),
    });
    let program = program.args(args);
    let environment = service.environment.iter();
    environment.fold(program, |program, (name, value)| program.env(name, value))
}

/// A file or folder below otel/.
pub fn configuration(name: &str) -> PathBuf {
    workspace().join("otel").join(name)
}

/// A copy of a configuration file, or of a folder of them, with addresses of this machine where they stand in the place of
/// variables.
fn localised(network: &Network, folder: &Path, name: &str) -> PathBuf {
    let (original, copy) = (configuration(name), folder.join("otel").join(name));
    let beside = copy.parent().expect("files are in a folder");
    fs::create_dir_all(beside).expect("a temporary folder can be written to");
    if original.is_dir() {
        fs::create_dir_all(&copy).expect("a temporary folder can be written to");
        for entry in fs::read_dir(&original).expect("a folder can be read") {
            let entry = entry.expect("a folder can be read").path();
            let file = entry.file_name().expect("files have names");
            if entry.is_dir() {
                copy_files(&entry, &copy.join(file));
            } else {
                localised(
                    network,
                    folder,
                    &format!("{name}/{}", file.to_string_lossy()),
                );
            }
        }
    } else {
        let text = fs::read_to_string(&original)
            .unwrap_or_else(|error| panic!("{}: {error}", original.display()));
        fs::write(&copy, network.localise(&text)).expect("a temporary folder can be written to");
    }
    copy
}

fn copy_files(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("a temporary folder can be written to");
    for entry in fs::read_dir(from).expect("a folder can be read") {
        let entry = entry.expect("a folder can be read");
        fs::copy(entry.path(), to.join(entry.file_name())).expect("a file can be copied");
    }
}

fn storage(folder: &Path, name: &str) -> PathBuf {
    let storage = folder.join(name);
    fs::create_dir_all(&storage).expect("a temporary folder can be written to");
    storage
}

pub(super) fn url(network: &Network, service: &str) -> String {
    format!("http://{}", network.address(service))
}
