//! Each configuration file is judged by the program that reads it.

use std::fs;
use std::path::PathBuf;

use spinfo_proof::stack::backends::{run, said};
use spinfo_proof::stack::launch::configuration;

fn files(folder: &str, extension: &str) -> Vec<PathBuf> {
    let folder = configuration(folder);
    let entries =
        fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let files = entries.map(|entry| entry.expect("a folder can be read").path());
    let mut files: Vec<_> = files
        .filter(|path| path.extension().is_some_and(|found| found == extension))
        .collect();
    files.sort();
    assert!(!files.is_empty(), "{} has files", folder.display());
    files
}

#[test]
#[ignore = "needs the programs of proof/backends/install"]
fn prometheus_takes_its_configuration_and_all_rules() {
    // Rules are checked with it, since it names them. `--lint-fatal` makes warnings errors.
    let output = run("promtool", |promtool| {
        promtool
            .args(["check", "config", "--lint=all", "--lint-fatal"])
            .arg(configuration("prometheus/prometheus.yml"))
    });
    assert!(output.status.success(), "{}", said(&output));
    let said = said(&output);
    assert!(said.contains("rule files found"), "{said}");
}

#[test]
#[ignore = "needs the programs of proof/backends/install"]
fn alerts_fire_and_recover_as_their_tests_say() {
    let output = run("promtool", |promtool| {
        promtool
            .args(["test", "rules"])
            .args(files("prometheus/tests", "yml"))
    });
    assert!(output.status.success(), "{}", said(&output));
}

#[test]
#[ignore = "needs the programs of proof/backends/install"]
fn the_collector_takes_its_configuration() {
    let output = run("otelcol", |otelcol| {
        otelcol
            .args(["validate", "--config"])
            .arg(configuration("collector.yaml"))
    });
    assert!(output.status.success(), "{}", said(&output));
}

#[test]
#[ignore = "needs the programs of proof/backends/install"]
fn dashboards_are_clean_under_the_linter() {
    for dashboard in files("grafana/dashboards", "json") {
        let output = run("dashboard-linter", |linter| {
            linter
                .args(["lint", "--strict", "--verbose"])
                .arg(&dashboard)
        });
        assert!(
            output.status.success(),
            "{}: {}",
            dashboard.display(),
            said(&output)
        );
    }
}
