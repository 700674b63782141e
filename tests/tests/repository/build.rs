//! What is built from which files, and once.

use std::collections::BTreeSet;
use std::process::Command;

use spinfo_tests::artifacts::workspace;

use crate::files::{read, toml};

/// .dockerignore lets nothing in that it doesn't name: each member of the workspace has to be there, or cargo reads no manifest.
#[test]
fn the_image_is_given_all_that_its_build_reads() {
    let ignored = read(".dockerignore");
    let let_in: Vec<_> = ignored
        .lines()
        .filter_map(|line| line.strip_prefix('!'))
        .collect();
    let copied = read("deploy/reproducible");
    let cargo = toml("Cargo.toml");
    let members = cargo["workspace"]["members"].as_array().expect("members");
    let members = members
        .iter()
        .map(|member| member.as_str().expect("a path"));
    for path in members.clone().chain([
        "Cargo.toml",
        "Cargo.lock",
        "rust-toolchain.toml",
        "spin.toml",
        "deploy/build",
        "deploy/reproducible",
        "edge",
    ]) {
        let first = path.split('/').next().expect("a folder");
        assert!(
            let_in.contains(&first) || let_in.contains(&path),
            ".dockerignore keeps {path} out"
        );
    }
    for member in members {
        let first = member.split('/').next().expect("a folder");
        assert!(
            copied
                .lines()
                .any(|line| line.contains("tar -cf") && line.split(' ').any(|word| word == first)),
            "deploy/reproducible leaves {first} out of what it copies"
        );
    }
}

/// A dependency whose features depend on what is built is compiled more than once; with wasmtime that takes minutes.
#[test]
fn features_of_dependencies_stand_in_the_workspace_alone() {
    for manifest in crate::files::below(".", "Cargo.toml") {
        if manifest == "Cargo.toml" {
            continue;
        }
        for (number, line) in read(&manifest).lines().enumerate() {
            assert!(
                !(line.contains("workspace = true") && line.contains("features")),
                "{manifest}:{}: features stand in the root's [workspace.dependencies]",
                number + 1
            );
        }
    }
}

/// The packages that cargo would build for a selection, each with its features, and those of them that are below wasmtime.
fn packages(selection: &[&str], edges: &str) -> (BTreeSet<String>, BTreeSet<String>) {
    let output = Command::new(env!("CARGO"))
        .args([
            "tree",
            "--offline",
            "--locked",
            "--no-dedupe",
            "--prefix",
            "depth",
        ])
        .args(["--format", " {p} {f}", "--edges", edges])
        .args(selection)
        .current_dir(workspace())
        .output()
        .expect("cargo can be run");
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let (mut all, mut below) = (BTreeSet::new(), BTreeSet::new());
    // The depth of the wasmtime crate whose dependencies are being listed.
    let mut inside = None;
    for line in text.lines() {
        let Some((depth, package)) = line.split_once(' ') else {
            continue;
        };
        let depth: usize = depth.parse().expect("a depth");
        if inside.is_some_and(|of| depth <= of) {
            inside = None;
        }
        if inside.is_none() && package.starts_with("wasmtime") {
            inside = Some(depth);
        }
        if inside.is_some() {
            below.insert(package.to_owned());
        }
        all.insert(package.to_owned());
    }
    (all, below)
}

/// Most of a cold build is wasmtime: whichever command comes first, the others find it.
#[test]
fn wasmtime_is_built_once_for_all_commands() {
    let (tests, _) = packages(&["--workspace"], "normal,build,dev");
    for (command, selection, edges) in [
        ("cargo up", vec![], "normal,build"),
        (
            "cargo test --package spinfo-tests",
            vec!["--package", "spinfo-tests"],
            "normal,build,dev",
        ),
    ] {
        let (_, wasmtime) = packages(&selection, edges);
        assert!(wasmtime.len() > 50, "{command}: {wasmtime:?}");
        let again: Vec<_> = wasmtime.difference(&tests).collect();
        assert!(
            again.is_empty(),
            "`{command}` and `cargo test --workspace` give these other features: {again:#?}"
        );
    }
}

/// `spinfo build` runs an equal command once.
#[test]
fn all_components_are_built_by_one_command() {
    let spin = toml("spin.toml");
    let components = spin["component"].as_table().expect("components");
    let commands: BTreeSet<_> = components
        .values()
        .map(|component| component["build"]["command"].as_str().expect("a command"))
        .collect();
    assert_eq!(commands.len(), 1, "{commands:?}");
    let command = commands.first().expect("one");
    for id in components.keys() {
        assert!(
            command.contains(&format!("--package {id}")),
            "{id}: {command}"
        );
    }
}
