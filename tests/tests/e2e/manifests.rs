//! Manifests that were given to the real Spin: ours starts with the same ones, and says what is wrong with the others.

use std::process::Command;

use serde_json::Value;
use spinfo_tests::{FixtureApp, Spin, Up, artifacts};

/// Spin starts these; we refuse by name what we can't honour.
const UNSUPPORTED: [&str; 2] = ["sqlite default", "ai_models"];

/// What the message about each refused case names.
const NAMED: [(&str, &str); 33] = [
    ("private false", "trigger.http[0].route"),
    ("trigger without component", "trigger.http[0].component"),
    (
        "trigger names an unknown component",
        "trigger.http[0].component",
    ),
    ("executor unknown", "trigger.http[0].executor.type"),
    ("unknown trigger key", "trigger.http[0].foo"),
    ("unknown application key", "application.foo"),
    ("no manifest version", "spin_manifest_version"),
    ("manifest version 3", "spin_manifest_version"),
    ("component id that starts with a digit", "component.1a"),
    ("component id of one part ending in a dash", "component.a-"),
    ("component without source", "component.a.source"),
    ("source not there", "source"),
    ("no trigger at all", "trigger"),
    ("environment number", "component.a.environment.A"),
    ("variable neither default nor required", "variables.v"),
    ("required variable not given", "variable v"),
    ("variable name with a dash", "variables.v-v"),
    ("template of an unknown variable", "component.a.variables.v"),
    ("template not closed", "component.a.variables.v"),
    ("store not configured", "component.a.key_value_stores"),
    ("sqlite default", "component.a.sqlite_databases"),
    ("sqlite not configured", "component.a.sqlite_databases"),
    ("ai_models", "component.a.ai_models"),
    ("build without command", "component.a.build.command"),
    ("empty file", "spin_manifest_version"),
    ("not toml", "not valid TOML"),
    (
        "allowed_outbound_hosts 'http://127.0.0.1:{8000-9000}'",
        "component.a.allowed_outbound_hosts[0]",
    ),
    (
        "allowed_outbound_hosts 'http://127.0.0.1:8000-9000'",
        "component.a.allowed_outbound_hosts[0]",
    ),
    (
        "allowed_outbound_hosts 'localhost:80'",
        "component.a.allowed_outbound_hosts[0]",
    ),
    (
        "allowed_outbound_hosts 'http://example.com/path'",
        "component.a.allowed_outbound_hosts[0]",
    ),
    (
        "allowed_outbound_hosts 'insecure:allow-all'",
        "component.a.allowed_outbound_hosts[0]",
    ),
    (
        "allowed_outbound_hosts 'ftp://x'",
        "component.a.allowed_outbound_hosts[0]",
    ),
    (
        "allowed_outbound_hosts '{{ v }}'",
        "component.a.allowed_outbound_hosts[0]",
    ),
];

fn recorded() -> Vec<Value> {
    let file = artifacts::workspace().join("crates/manifest/tests/spin-4.1/manifests.json");
    serde_json::from_str(&std::fs::read_to_string(file).unwrap()).unwrap()
}

fn each(mut check: impl FnMut(&str, &FixtureApp, bool)) {
    for case in recorded() {
        let app = FixtureApp::new(case["manifest"].as_str().unwrap());
        check(
            case["case"].as_str().unwrap(),
            &app,
            case["starts"].as_bool().unwrap(),
        );
    }
}

#[test]
fn those_that_start_on_spin_start_here() {
    each(|name, app, starts| {
        if starts && !UNSUPPORTED.contains(&name) {
            // It panics with the host's words when it does not serve.
            drop(Up::new(app.manifest()).start());
        }
    });
}

#[test]
fn those_that_do_not_start_are_refused_with_file_and_key() {
    let mut named = NAMED.to_vec();
    each(|name, app, starts| {
        if starts && !UNSUPPORTED.contains(&name) {
            return;
        }
        let (code, text) = Up::new(app.manifest()).fail();
        assert_eq!(code, Some(1), "{name}: {text}");
        let place = named.iter().position(|(case, _)| *case == name);
        let (_, key) = named.swap_remove(place.unwrap_or_else(|| panic!("{name} is new: {text}")));
        assert!(text.contains(key), "{name}: {text}");
        assert!(
            text.contains("spin.toml") || text.contains("nope.wasm"),
            "{name}: {text}"
        );
        assert_eq!(text.lines().count(), 1, "one error is one line: {text}");
    });
    assert!(named.is_empty(), "no longer recorded: {named:?}");
}

#[test]
fn checking_finds_what_starting_finds() {
    let good = FixtureApp::echo("");
    let bad = FixtureApp::echo("sqlite_databases = [\"default\"]");
    for (app, code, words) in [
        (&good, 0, "/... -> a"),
        (&bad, 1, "component.a.sqlite_databases"),
    ] {
        let output = Command::new(artifacts::host())
            .args(["check", "--from"])
            .arg(app.manifest())
            .output()
            .unwrap();
        let text = [output.stdout, output.stderr].concat();
        let text = String::from_utf8_lossy(&text);
        assert_eq!(output.status.code(), Some(code), "{text}");
        assert!(text.contains(words), "{text}");
    }
    let output = Command::new(artifacts::host())
        .args(["check", "--json", "--from"])
        .arg(artifacts::manifest())
        .output()
        .unwrap();
    let described: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(described["components"].as_object().unwrap().len(), 5);
}

/// With `SPIN` set, the recording is made again.
#[test]
fn spin_itself_still_does_as_recorded() {
    let Some(program) = Spin::program() else {
        return;
    };
    each(|name, app, starts| {
        let status = Spin::try_up(&program, &app.manifest(), &[]);
        assert_eq!(status.is_ok(), starts, "{name}: {:?}", status.err());
    });
}
