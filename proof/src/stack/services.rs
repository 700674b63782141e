//! The services of compose.yaml as processes, with the configuration files of otel/.

use std::net::SocketAddr;
use std::path::Path;

use tempfile::TempDir;

use super::alertmanager::Alertmanager;
use super::api::Api;
use super::compose::Service;
use super::launch::{self, url};
use super::loki::Loki;
use super::network::Network;
use super::program::Program;
use super::prometheus::Prometheus;
use super::tempo::Tempo;
use spinfo_tests::host::Up;

/// Every `service:port` that a configuration file of otel/ names or a service listens on. Nobody listens for those that
/// are no part of the stack tests.
const SERVICES: &[&str] = &[
    "collector:4317",
    "collector:4318",
    "collector:13133",
    "collector:8888",
    "tempo:3200",
    "tempo:4317",
    "tempo:9095",
    "tempo:7946",
    "loki:3100",
    "loki:9095",
    "prometheus:9090",
    "alertmanager:9093",
    "grafana:3000",
    "edge:2020",
];

/// Milliseconds between two exports of the hosts' metrics: less than in compose.yaml, so that tests wait less.
const METRIC_INTERVAL: &str = "2000";

/// The running stack. Its processes end with it; its files stay when a test fails.
pub struct Stack {
    pub collector: Program,
    pub tempo: Program,
    pub loki: Program,
    pub prometheus: Program,
    pub alertmanager: Program,
    network: Network,
    folder: TempDir,
}

impl Stack {
    /// Starts all, and waits until they are ready.
    ///
    /// # Panics
    /// When one is missing or doesn't start, with the end of its log.
    pub fn start() -> Self {
        let network = Network::new(SERVICES);
        let folder = tempfile::Builder::new().prefix("spinfo-stack-").tempdir();
        let folder = folder.expect("a temporary folder can be made");
        let stack = Self {
            collector: launch::collector(&network, folder.path()),
            tempo: launch::tempo(&network, folder.path()),
            loki: launch::loki(&network, folder.path()),
            prometheus: launch::prometheus(&network, folder.path()),
            alertmanager: launch::alertmanager(&network, folder.path()),
            network,
            folder,
        };
        for program in stack.programs() {
            program.start();
        }
        for program in stack.programs() {
            program.wait_until_ready();
        }
        stack
    }

    /// The programs, those that others send to first.
    pub fn programs(&self) -> [&Program; 5] {
        [
            &self.prometheus,
            &self.tempo,
            &self.loki,
            &self.collector,
            &self.alertmanager,
        ]
    }

    /// A host with this workspace's application and the settings of compose.yaml, as the replica `instance`.
    pub fn spinfo(&self, instance: &str) -> Up {
        self.exporting(
            Up::exporting(&url(&self.network, "collector:4318")),
            instance,
        )
    }

    /// Lets a host export to the Collector, with the settings of compose.yaml, as the replica `instance`.
    pub fn exporting(&self, up: Up, instance: &str) -> Up {
        let settings = Service::read("spinfo").environment;
        let otel = settings
            .iter()
            .filter(|(name, _)| name.starts_with("OTEL_"));
        otel.fold(up, |up, (name, value)| match name.as_str() {
            "OTEL_RESOURCE_ATTRIBUTES" => {
                up.env(name, format!("{value},service.instance.id={instance}"))
            }
            "OTEL_METRIC_EXPORT_INTERVAL" => up.env(name, METRIC_INTERVAL),
            _ => up.env(name, self.network.localise(value).trim_end()),
        })
    }

    /// What makes the probe and the monitor export to the Collector, with the settings of compose.yaml.
    pub fn telemetry_of_clients(&self) -> Vec<(String, String)> {
        let settings = Service::read("monitor").environment.into_iter();
        let otel = settings.filter(|(name, _)| name.starts_with("OTEL_"));
        otel.map(|(name, value)| match name.as_str() {
            "OTEL_METRIC_EXPORT_INTERVAL" => (name, METRIC_INTERVAL.to_owned()),
            _ => {
                let value = self.network.localise(&value).trim_end().to_owned();
                (name, value)
            }
        })
        .collect()
    }

    pub fn prometheus(&self) -> Prometheus {
        Prometheus(self.api("prometheus", "prometheus:9090"))
    }

    pub fn tempo(&self) -> Tempo {
        Tempo(self.api("tempo", "tempo:3200"))
    }

    pub fn loki(&self) -> Loki {
        Loki(self.api("loki", "loki:3100"))
    }

    pub fn alertmanager(&self) -> Alertmanager {
        Alertmanager(self.api("alertmanager", "alertmanager:9093"))
    }

    /// Where the Collector takes OTLP over HTTP.
    pub fn otlp(&self) -> SocketAddr {
        self.network.address("collector:4318")
    }

    /// The Collector's own metrics, as it serves them.
    pub fn collector_metrics(&self) -> Api {
        self.api("collector", "collector:8888")
    }

    /// A folder for more files of a test.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The ends of all logs.
    pub fn logs(&self) -> String {
        self.programs().map(Program::tail).join("\n")
    }

    fn api(&self, name: &'static str, service: &str) -> Api {
        Api::new(name, self.network.address(service))
    }
}

impl Drop for Stack {
    fn drop(&mut self) {
        // Tempo first: it tries for a minute to deliver what it has to a Prometheus that is gone.
        for program in [&self.tempo, &self.collector] {
            program.kill();
        }
        self.folder.disable_cleanup(std::thread::panicking());
    }
}
