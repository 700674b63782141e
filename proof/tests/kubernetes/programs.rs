//! The programs of Kubernetes, as `proof/backends/install kubernetes` leaves them.

use std::path::PathBuf;
use std::process::{Command, Output};

/// A program or file of that installation, for example `kubectl`.
///
/// # Panics
/// When it isn't there, with how to get it.
pub(crate) fn program(name: &str) -> PathBuf {
    let path = folder().join(name);
    assert!(
        path.is_file(),
        "{} is missing: run proof/backends/install kubernetes, or set SPINFO_BACKENDS to where it put its programs",
        path.display()
    );
    path
}

/// What a program wrote, for a message.
pub(crate) fn said(output: &Output) -> String {
    format!(
        "{}\n{}{}",
        output.status,
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    )
}

/// Runs a command to its end.
///
/// # Panics
/// When it can't be run or fails, with what it said.
pub(crate) fn text(command: &mut Command) -> String {
    let output = command
        .output()
        .unwrap_or_else(|error| panic!("{command:?} can't be run: {error}"));
    assert!(output.status.success(), "{command:?}: {}", said(&output));
    String::from_utf8(output.stdout).expect("its output is UTF-8")
}

fn folder() -> PathBuf {
    let cache = std::env::var_os("SPINFO_BACKENDS").map(PathBuf::from);
    let cache = cache.unwrap_or_else(|| {
        let user = std::env::var_os("XDG_CACHE_HOME").map(PathBuf::from);
        let home = || PathBuf::from(std::env::var_os("HOME").unwrap_or_default()).join(".cache");
        user.unwrap_or_else(home).join("spinfo/backends")
    });
    cache.join("bin")
}
