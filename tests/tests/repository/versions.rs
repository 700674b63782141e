//! Versions that stand in more than one file.

use std::collections::BTreeSet;

use crate::files::{below, read, toml};

/// The one truth about the version.
fn version() -> String {
    let cargo = toml("Cargo.toml");
    let version = cargo["workspace"]["package"]["version"].as_str();
    version.expect("it is a text").to_owned()
}

/// `image: NAME:TAG` in a file of compose or Kubernetes.
fn images(path: &str) -> Vec<String> {
    read(path)
        .lines()
        .filter_map(|line| line.trim().strip_prefix("image: "))
        .map(|image| image.trim_matches('"').to_owned())
        .collect()
}

#[test]
fn images_of_ours_have_the_version_of_the_workspace() {
    let version = version();
    let said: Vec<_> = read("deploy/Dockerfile")
        .lines()
        .filter_map(|line| line.strip_prefix("ARG VERSION=").map(str::to_owned))
        .collect();
    assert!(
        !said.is_empty() && said.iter().all(|said| *said == version),
        "deploy/Dockerfile: {said:?}, not {version}"
    );
    let mut ours = 0;
    for path in ["compose.yaml".to_owned(), "compose.spin.yaml".to_owned()]
        .into_iter()
        .chain(below("deploy/kubernetes", ".yaml"))
    {
        for image in images(&path) {
            if let Some(own) = image.strip_prefix("ghcr.io/spinfo/") {
                assert!(
                    own.ends_with(&format!(":{version}")),
                    "{path}: {image} is not of version {version}"
                );
                ours += 1;
            }
        }
    }
    assert!(ours > 8, "{ours}");
}

#[test]
fn images_of_others_have_the_tag_of_compose() {
    let known: BTreeSet<_> = images("compose.yaml").into_iter().collect();
    let mut others = 0;
    for path in below("deploy/kubernetes", ".yaml") {
        for image in images(&path) {
            if !image.starts_with("ghcr.io/spinfo/") {
                assert!(
                    known.contains(&image),
                    "{path}: {image} is not in compose.yaml: {known:?}"
                );
                others += 1;
            }
        }
    }
    assert!(others > 4, "{others}");
}

#[test]
fn labels_on_kubernetes_say_the_version_of_the_workspace() {
    let version = version();
    let mut seen = 0;
    for path in below("deploy/kubernetes", ".yaml") {
        if !images(&path)
            .iter()
            .any(|image| image.starts_with("ghcr.io/spinfo/"))
        {
            continue;
        }
        for line in read(&path).lines() {
            if let Some(said) = line.trim().strip_prefix("app.kubernetes.io/version: ") {
                assert_eq!(said.trim_matches('"'), version, "{path}");
                seen += 1;
            }
        }
    }
    assert!(seen > 0);
}

/// Another one would have to be downloaded first.
#[test]
fn the_image_is_built_with_the_toolchain_of_the_workspace() {
    let toolchain = toml("rust-toolchain.toml");
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
