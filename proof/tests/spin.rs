//! `spin.toml` keeps within what hosted Spin platforms take, and `deploy/spin/README.md` says so truly.
//!
//! The limits are those of Akamai Functions and Fermyon Cloud, as their documentation has them; where the two differ, the
//! narrower one.

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;
use std::process::Command;

use toml::{Table, Value};

/// Keys of a component that every platform takes. SQLite, AI models, files and dependencies are not among them.
const COMPONENT_KEYS: [&str; 7] = [
    "description",
    "source",
    "allowed_outbound_hosts",
    "key_value_stores",
    "variables",
    "environment",
    "build",
];

/// Bytes of an application on Akamai Functions.
const APPLICATION: u64 = 50 << 20;

fn root() -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
}

fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

fn toml(path: &str) -> Table {
    read(path)
        .parse()
        .unwrap_or_else(|error| panic!("{path}: {error}"))
}

fn strings(value: &Value) -> Vec<&str> {
    let values = value.as_array().expect("a list");
    values
        .iter()
        .map(|value| value.as_str().expect("a text"))
        .collect()
}

fn keys(value: &Value) -> BTreeSet<&str> {
    value
        .as_table()
        .expect("a table")
        .keys()
        .map(String::as_str)
        .collect()
}

fn components(manifest: &Table) -> &Table {
    manifest["component"].as_table().expect("components")
}

#[test]
fn requests_over_http_are_all_that_starts_a_component() {
    let manifest = toml("spin.toml");
    assert_eq!(keys(&manifest["trigger"]), BTreeSet::from(["http"]));
    let triggers = manifest["trigger"]["http"]
        .as_array()
        .expect("a list of triggers");
    for trigger in triggers {
        assert!(
            keys(trigger).is_subset(&BTreeSet::from(["route", "component"])),
            "{trigger} has more than a route"
        );
    }
}

#[test]
fn components_ask_for_nothing_that_a_platform_lacks() {
    let manifest = toml("spin.toml");
    let known = BTreeSet::from(COMPONENT_KEYS);
    for (name, component) in components(&manifest) {
        let unknown: Vec<_> = keys(component).difference(&known).copied().collect();
        assert!(unknown.is_empty(), "{name} has {unknown:?}");
        if let Some(stores) = component.get("key_value_stores") {
            assert_eq!(strings(stores), ["default"], "the stores of {name}");
        }
        // A local file: a platform gets what `spin deploy` finds.
        assert!(component["source"].is_str(), "the source of {name}");
    }
}

#[test]
fn a_deployment_needs_no_variable() {
    let manifest = toml("spin.toml");
    for (name, variable) in manifest["variables"].as_table().expect("variables") {
        assert!(variable["default"].is_str(), "{name} has no default");
        assert!(variable.get("required").is_none(), "{name} is required");
    }
}

#[test]
fn what_is_secret_is_marked_and_has_no_value_here() {
    let manifest = toml("spin.toml");
    let token = &manifest["variables"]["admin_token"];
    assert_eq!(token["secret"].as_bool(), Some(true));
    assert_eq!(token["default"].as_str(), Some(""));
}

#[test]
fn the_world_outside_is_one_variable_with_a_default() {
    let manifest = toml("spin.toml");
    let default = manifest["variables"]["otlp_endpoint"]["default"]
        .as_str()
        .expect("a default");
    assert!(
        default.starts_with("http://127.0.0.1:"),
        "{default} would send telemetry of everybody's deployments somewhere"
    );
    for (name, component) in components(&manifest) {
        let hosts = strings(&component["allowed_outbound_hosts"]);
        assert_eq!(hosts, ["{{ otlp_endpoint }}"], "the hosts of {name}");
        // Templates see the application's variables; the component has to be given it, too, to know where to send.
        assert_eq!(
            component["variables"]["otlp_endpoint"].as_str(),
            Some("{{ otlp_endpoint }}"),
            "the variables of {name}"
        );
    }
}

#[test]
fn the_components_are_small_enough() {
    let manifest = toml("spin.toml");
    let mut application = 0;
    for (name, component) in components(&manifest) {
        let command = component["build"]["command"].as_str().expect("a command");
        // As `spin build` runs it. Where it is built already this takes no time.
        let built = Command::new("sh")
            .args(["-c", command])
            .current_dir(root())
            .output()
            .expect("sh can be run");
        assert!(
            built.status.success(),
            "{name}: {}",
            String::from_utf8_lossy(&built.stderr)
        );
        let source = component["source"].as_str().expect("a file");
        application += fs::metadata(root().join(source))
            .unwrap_or_else(|error| panic!("{source}: {error}"))
            .len();
    }
    assert!(
        application < APPLICATION,
        "{application} bytes of components"
    );
    // The README says 7 MB; twice that is another page.
    assert!(
        application < 14_000_000,
        "deploy/spin/README.md calls {application} bytes 7 MB"
    );
}

#[test]
fn one_version_is_told_everywhere() {
    let workspace = toml("Cargo.toml");
    let version = workspace["workspace"]["package"]["version"]
        .as_str()
        .expect("a version");
    let manifest = toml("spin.toml");
    assert_eq!(
        manifest["application"]["version"].as_str(),
        Some(version),
        "spin.toml"
    );
    let readme = read("deploy/spin/README.md");
    let told: Vec<_> = readme.split("ghcr.io/spinfo/app:").skip(1).collect();
    assert!(!told.is_empty());
    for rest in told {
        let tag: String = rest
            .chars()
            .take_while(|char| char.is_ascii_alphanumeric() || ".-".contains(*char))
            .collect();
        assert_eq!(tag, version, "deploy/spin/README.md");
    }
    assert!(read("deploy/VERIFY.md").contains(&format!("$ VERSION={version}\n")));
}

#[test]
fn the_readme_has_each_variable_with_its_default() {
    let manifest = toml("spin.toml");
    let readme = read("deploy/spin/README.md");
    let variables = manifest["variables"].as_table().expect("variables");
    for (name, variable) in variables {
        let default = match variable["default"].as_str().expect("a default") {
            "" => "empty".to_owned(),
            default => format!("`{default}`"),
        };
        let row = format!("| `{name}` | {default}");
        assert!(readme.contains(&row), "no row starts with {row}");
    }
    for rest in readme.split("--variable ").skip(1) {
        let name = rest.split('=').next().expect("a name");
        assert!(
            variables.contains_key(name),
            "spin.toml has no variable {name}"
        );
    }
}
