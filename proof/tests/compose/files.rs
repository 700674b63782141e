//! What compose makes of the files, whether or not anything runs.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::docker::{compose, succeed};

const MINIMAL: [&str; 11] = [
    "collector",
    "collector-health",
    "edge",
    "edge-ca",
    "grafana",
    "monitor",
    "probe",
    "prometheus",
    "spinfo",
    "tempo",
    "valkey",
];
const ONLY_IN_ALL: [&str; 2] = ["alertmanager", "loki"];

/// compose.yaml and what may be laid over it are understood without a warning, and each profile has its services.
pub(crate) fn every_combination_is_valid() {
    let minimal = BTreeSet::from(MINIMAL);
    let all: BTreeSet<_> = minimal.iter().copied().chain(ONLY_IN_ALL).collect();
    for files in [
        &["compose.yaml"][..],
        &["compose.yaml", "compose.spin.yaml"],
        &["compose.yaml", "compose.port80.yaml"],
    ] {
        for (flags, expected) in [
            // What .env says.
            (&[][..], &all),
            (&["--profile", "all"], &all),
            (&["--profile", "minimal"], &minimal),
        ] {
            let output = compose(files)
                .args(flags)
                .args(["config", "--services"])
                .output();
            let output = output.expect("docker can be run");
            assert!(output.stderr.is_empty(), "{files:?} {flags:?}: {output:?}");
            let text = succeed(&output);
            let services: BTreeSet<_> = text.lines().collect();
            assert_eq!(services, *expected, "{files:?} {flags:?}");
        }
    }
}

/// The edge; spinfo and Grafana on loopback.
pub(crate) fn only_what_is_public_is_published() {
    let replicas_and_grafana = [
        json!(["grafana", "127.0.0.1", "3030", 3000]),
        json!(["spinfo", "127.0.0.1", "3000-3001", 3000]),
    ];
    let http = json!(["edge", null, "80", 80]);
    let https = json!(["edge", null, "443", 443]);
    for (files, edge) in [
        (&["compose.yaml"][..], vec![&http, &https, &https]),
        (&["compose.yaml", "compose.port80.yaml"], vec![&http]),
    ] {
        let expected: Vec<_> = edge.into_iter().chain(&replicas_and_grafana).collect();
        let published = published(files);
        assert_eq!(published.iter().collect::<Vec<_>>(), expected, "{files:?}");
    }
}

/// Service, address, published port and port of the container.
fn published(files: &[&str]) -> Vec<Value> {
    let output = compose(files).args(["config", "--format", "json"]).output();
    let text = succeed(&output.expect("docker can be run"));
    let configuration: Value = serde_json::from_str(&text).expect("compose writes JSON");
    let services = configuration["services"].as_object().expect("services");
    services
        .iter()
        .flat_map(|(name, service)| {
            let ports = service["ports"].as_array().into_iter().flatten();
            ports.map(move |port| json!([name, port["host_ip"], port["published"], port["target"]]))
        })
        .collect()
}
