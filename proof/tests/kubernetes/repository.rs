//! What stands in one place of this repository and is used in another.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::manifests::{
    Manifests, container, containers, list, name, read, repository, text, yaml,
};

/// The Collector's configuration and the dashboards are the files of otel/, each dashboard in a config map that Grafana's sidecar
/// finds.
pub(crate) fn telemetry_is_configured_by_the_files_of_otel(manifests: &Manifests) {
    is_the_file(manifests, "otel", "collector.yaml");
    for file in files("otel/grafana/dashboards", ".json") {
        let map = is_the_file(manifests, "otel/grafana/dashboards", &file);
        assert_eq!(
            map["metadata"]["labels"]["grafana_dashboard"], "1",
            "{file}"
        );
    }
}

/// The backends' configuration is the files of otel/, all of them.
pub(crate) fn backends_are_configured_by_the_files_of_otel(manifests: &Manifests) {
    for file in ["alertmanager.yml", "loki.yaml", "tempo.yaml"] {
        is_the_file(manifests, "otel", file);
    }
    is_the_file(manifests, "otel/prometheus", "prometheus.yml");
    for (folder, end) in [
        ("otel/prometheus/rules", ".yml"),
        ("otel/grafana/provisioning/dashboards", ".yaml"),
        ("otel/grafana/provisioning/datasources", ".yaml"),
    ] {
        for file in files(folder, end) {
            is_the_file(manifests, folder, &file);
        }
    }
}

/// Variables that are set are variables of the application.
pub(crate) fn variables_are_those_of_the_application(manifests: &Manifests) {
    let spin: toml::Table = read("spin.toml").parse().expect("spin.toml is TOML");
    let known = spin["variables"].as_table().expect("it has variables");
    let of_environment = |name: &str| name.strip_prefix("SPIN_VARIABLE_").map(str::to_lowercase);
    let mut set: Vec<String> = Vec::new();
    for map in manifests.all("ConfigMap") {
        let data = map["data"].as_object().into_iter().flatten();
        set.extend(data.filter_map(|(key, _)| of_environment(key)));
    }
    for container in manifests.workloads().flat_map(containers) {
        let variables = list(container, "/env").iter();
        set.extend(variables.filter_map(|it| of_environment(text(it, "/name"))));
    }
    for app in manifests.all("SpinApp") {
        let variables = list(app, "/spec/variables").iter();
        set.extend(variables.map(|it| text(it, "/name").to_owned()));
    }
    assert!(set.len() >= 3, "{}: {set:?}", manifests.overlay);
    for name in set {
        assert!(
            known.contains_key(&name),
            "{name} is no variable of spin.toml"
        );
    }
}

/// The config map that holds a file as it is.
fn is_the_file<'a>(manifests: &'a Manifests, folder: &str, file: &str) -> &'a Value {
    let mut maps = manifests.all("ConfigMap");
    let map = maps.find(|map| map["data"][file].is_string());
    let map = map.unwrap_or_else(|| panic!("{file} is missing in otel/kustomization.yaml"));
    let expected = read(&format!("{folder}/{file}"));
    assert!(map["data"][file] == expected.as_str(), "{file} differs");
    map
}

/// The names of a folder's files that end in a certain way.
fn files(folder: &str, end: &str) -> Vec<String> {
    let entries = repository()
        .join(folder)
        .read_dir()
        .expect("it is a folder");
    let names = entries.map(|entry| entry.expect("it can be listed").file_name());
    let names = names.map(|name| name.to_string_lossy().into_owned());
    let names: Vec<_> = names.filter(|name| name.ends_with(end)).collect();
    assert!(!names.is_empty(), "{folder} has no {end}");
    names
}
