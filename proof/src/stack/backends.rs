//! The backends' programs, as `proof/backends/install` leaves them.

use std::path::PathBuf;
use std::process::{Command, Output};

/// The program of a backend, for example `promtool`.
///
/// # Panics
/// When it isn't there, with how to get it.
pub fn program(name: &str) -> PathBuf {
    let path = folder().join(name);
    assert!(
        path.is_file(),
        "{} is missing: run proof/backends/install, or set SPINFO_BACKENDS to where it put its programs",
        path.display()
    );
    path
}

/// Runs a program of a backend to its end.
///
/// # Panics
/// When it can't be run.
pub fn run(name: &str, configure: impl FnOnce(&mut Command) -> &mut Command) -> Output {
    let mut command = Command::new(program(name));
    configure(&mut command)
        .output()
        .unwrap_or_else(|error| panic!("{name} can't be run: {error}"))
}

/// What a program wrote, for a message.
pub fn said(output: &Output) -> String {
    format!(
        "{}\n{}{}",
        output.status,
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    )
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
