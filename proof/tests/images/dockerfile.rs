//! deploy/Dockerfile as a text: what must agree with other files.

use std::fs;
use std::path::PathBuf;

use toml::Table;

/// A file of the repository.
pub(crate) fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

pub(crate) fn root() -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
}

/// The one truth about the version.
pub(crate) fn version() -> &'static str {
    env!("CARGO_PKG_VERSION")
}

pub(crate) fn says_the_version_of_the_workspace() {
    let text = read("deploy/Dockerfile");
    let said: Vec<_> = text
        .lines()
        .filter_map(|line| line.strip_prefix("ARG VERSION="))
        .collect();
    assert!(!said.is_empty() && said.iter().all(|said| *said == version()));
    let compose = read("compose.yaml");
    let tags: Vec<_> = compose
        .lines()
        .filter_map(|line| line.trim().strip_prefix("image: ghcr.io/spinfo/"))
        .collect();
    assert!(!tags.is_empty());
    for tag in tags {
        assert!(tag.ends_with(&format!(":{}", version())), "{tag}");
    }
}

/// Another one would have to be downloaded first.
pub(crate) fn builds_with_the_toolchain_of_the_workspace() {
    let toolchain: Table = read("rust-toolchain.toml").parse().expect("TOML");
    let channel = toolchain["toolchain"]["channel"]
        .as_str()
        .expect("a channel");
    let from = format!("FROM rust:{channel}-");
    assert!(
        read("deploy/Dockerfile")
            .lines()
            .any(|line| line.starts_with(&from)),
        "deploy/Dockerfile has no line that begins with {from:?}"
    );
}

/// .dockerignore lets nothing in that it doesn't name: each member of the workspace has to be there, or cargo reads no manifest.
pub(crate) fn is_given_all_that_the_build_reads() {
    let ignored = read(".dockerignore");
    let let_in: Vec<_> = ignored
        .lines()
        .filter_map(|line| line.strip_prefix('!'))
        .collect();
    let workspace: Table = read("Cargo.toml").parse().expect("TOML");
    let members = workspace["workspace"]["members"]
        .as_array()
        .expect("members");
    let members = members
        .iter()
        .map(|member| member.as_str().expect("a path"));
    for path in members.chain([
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
}
