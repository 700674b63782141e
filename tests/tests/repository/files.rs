//! Reading the repository.

use std::fs;
use std::path::PathBuf;

use serde_json::Value;
use spinfo_tests::artifacts::workspace;

/// A file's text.
pub(crate) fn read(path: &str) -> String {
    fs::read_to_string(workspace().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// A file's YAML, as JSON.
pub(crate) fn yaml(path: &str) -> Value {
    serde_saphyr::from_str(&read(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// A file's TOML.
pub(crate) fn toml(path: &str) -> toml::Table {
    read(path)
        .parse()
        .unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// The files below a folder whose names end so, relative to the workspace, in order. What is built or not ours is left out.
pub(crate) fn below(folder: &str, end: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut folders = vec![workspace().join(folder)];
    while let Some(folder) = folders.pop() {
        let entries =
            fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
        for entry in entries {
            let path: PathBuf = entry.expect("a folder can be read").path();
            let name = path.file_name().expect("it has a name").to_string_lossy();
            if path.is_dir() {
                if !matches!(&*name, "target" | ".git" | ".spin" | ".spinfo") {
                    folders.push(path);
                }
            } else if name.ends_with(end) {
                let relative = path.strip_prefix(workspace()).expect("it is below");
                found.push(relative.to_string_lossy().replace('\\', "/"));
            }
        }
    }
    assert!(!found.is_empty(), "{folder} has no {end}");
    found.sort();
    found
}

/// Writes a file that is made from others where `SPINFO_UPDATE=1` asks for that, else compares it.
pub(crate) fn made(path: &str, expected: &str) {
    if std::env::var_os("SPINFO_UPDATE").is_some_and(|value| value == "1") {
        fs::write(workspace().join(path), expected)
            .unwrap_or_else(|error| panic!("{path}: {error}"));
    }
    let found = fs::read_to_string(workspace().join(path)).unwrap_or_default();
    assert!(
        found == expected,
        "{path} is not up to date: run SPINFO_UPDATE=1 cargo test --package spinfo-tests --test repository"
    );
}
