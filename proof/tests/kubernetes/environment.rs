//! Names of flags and environment variables that programs of this repository read.

use std::collections::BTreeSet;

use crate::manifests::{Manifests, container, list, name, read, text};

/// Flags and variables of spinfo's container are those of the host, of OpenTelemetry and of the application, or are used by
/// another variable.
pub(crate) fn the_host_knows_its_settings(manifests: &Manifests) {
    let source = read("crates/host/src/cli.rs");
    let host = container(manifests.get("Deployment", "spinfo"));
    let args = list(host, "/args").iter().filter_map(|arg| arg.as_str());
    for flag in args.filter_map(|arg| arg.strip_prefix("--")) {
        let field = format!("pub(crate) {}:", flag.replace('-', "_"));
        assert!(source.contains(&field), "the host has no --{flag}");
    }

    let own = list(host, "/env").iter();
    let mut names: BTreeSet<&str> = own.clone().map(|it| text(it, "/name")).collect();
    let values: String = own.filter_map(|it| it["value"].as_str()).collect();
    for map in list(host, "/envFrom") {
        let map = manifests.get("ConfigMap", text(map, "/configMapRef/name"));
        let data = map["data"].as_object().expect("it has data");
        names.extend(data.keys().map(String::as_str));
    }
    assert!(names.contains("OTEL_EXPORTER_OTLP_ENDPOINT"), "{names:?}");
    for variable in names {
        let known = source.contains(&format!("env = \"{variable}\""))
            || ["OTEL_", "SPIN_VARIABLE_"]
                .iter()
                .any(|prefix| variable.starts_with(prefix))
            || values.contains(&format!("$({variable})"));
        assert!(known, "nobody reads {variable}");
    }
}

/// Where the Collector sends to is what its configuration asks the environment for.
pub(crate) fn the_collector_knows_its_backends(manifests: &Manifests) {
    let source = read("otel/collector.yaml");
    let mut maps = manifests.all("ConfigMap");
    let map = maps.find(|map| name(map).starts_with("collector-backends-"));
    let data = map
        .and_then(|map| map["data"].as_object())
        .expect("it has data");
    assert_eq!(data.len(), 3, "{data:?}");
    for variable in data.keys() {
        assert!(
            source.contains(&format!("${{env:{variable}:-")),
            "nobody reads {variable}"
        );
    }
}
