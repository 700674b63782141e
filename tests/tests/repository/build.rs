//! What is built from which files, and once.

use std::collections::BTreeSet;

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
