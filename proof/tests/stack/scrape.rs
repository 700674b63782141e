//! `/metrics` as a Prometheus sees it that scrapes it.

use std::fs;

use spinfo_proof::stack::api::Api;
use spinfo_proof::stack::network::Network;
use spinfo_proof::stack::program::Program;
use spinfo_proof::stack::prometheus::Prometheus;
use spinfo_proof::stack::{Stack, wait};
use spinfo_tests::Host;

/// Prometheus reads the page, its exemplars too.
pub(crate) fn a_prometheus_can_scrape_the_host(stack: &Stack, host: &Host) {
    let folder = stack.folder().join("scraping");
    fs::create_dir_all(&folder).expect("a temporary folder can be written to");
    let file = folder.join("prometheus.yml");
    let text = format!(
        "scrape_configs:\n- job_name: spinfo\n  scrape_interval: 1s\n  static_configs:\n  - targets: [\"{}\"]\n",
        host.admin
    );
    fs::write(&file, text).expect("a temporary folder can be written to");
    let network = Network::new(&["prometheus:9090"]);
    let api = Api::new(
        "the scraping prometheus",
        network.address("prometheus:9090"),
    );
    let program = Program::new("prometheus", &folder, api.clone(), "/-/ready").args([
        format!("--config.file={}", file.display()),
        format!("--storage.tsdb.path={}", folder.join("data").display()),
        format!("--web.listen-address={}", api.address()),
        "--enable-feature=exemplar-storage".to_owned(),
    ]);
    program.restart();
    let prometheus = Prometheus(api);
    wait::until("the host to be scraped", || {
        let up = prometheus.value("up")?;
        (up == Some(1.0))
            .then_some(())
            .ok_or_else(|| format!("{up:?}"))
    });
    let query = r#"http_server_request_duration_seconds_bucket{http_route="/status/:code"}"#;
    wait::until("an exemplar of the page", || {
        let ids = prometheus.exemplars(query, 600)?;
        let known = ids.iter().any(|id| stack.tempo().trace(id).is_ok());
        known.then_some(()).ok_or_else(|| {
            format!(
                "{ids:?}\n{}",
                host.admin("/metrics")
                    .text()
                    .lines()
                    .filter(|line| line.contains(" # {"))
                    .take(5)
                    .collect::<Vec<_>>()
                    .join("\n")
            )
        })
    });
}
