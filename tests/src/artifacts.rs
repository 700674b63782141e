//! The programs and the components. Cargo has built the programs for this test run; the components are built here, once for
//! each process, and by one process at a time.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

/// The workspace's folder.
pub fn workspace() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("tests/ is in the workspace")
}

/// The host's program.
pub fn host() -> PathBuf {
    program("spinfo-under-test")
}

/// The probe's program.
pub fn probe() -> PathBuf {
    program("spinfo-probe-under-test")
}

/// The monitor's program.
pub fn monitor() -> PathBuf {
    program("spinfo-monitor-under-test")
}

fn program(name: &str) -> PathBuf {
    // Cargo sets this while it runs tests; a test program that is started by hand finds the others two folders up.
    if let Some(path) = std::env::var_os(format!("CARGO_BIN_EXE_{name}")) {
        return path.into();
    }
    let test = std::env::current_exe().expect("a test has a program");
    let profile = test
        .ancestors()
        .nth(2)
        .expect("test programs are in target/PROFILE/deps");
    profile.join(format!("{name}{}", std::env::consts::EXE_SUFFIX))
}

/// Where components end up: where `spin.toml` expects them, whatever folder the test run itself uses.
pub fn component(name: &str) -> PathBuf {
    build();
    wasm_folder().join(name).with_extension("wasm")
}

/// The application's manifest, with its components built.
pub fn manifest() -> PathBuf {
    build();
    workspace().join("spin.toml")
}

/// A folder for compiled components that all tests share, so that each is compiled once.
pub fn cache() -> PathBuf {
    target().join("test-cache")
}

fn target() -> PathBuf {
    workspace().join("target")
}

fn wasm_folder() -> PathBuf {
    target().join("wasm32-wasip2/component")
}

fn build() {
    static BUILT: OnceLock<()> = OnceLock::new();
    BUILT.get_or_init(|| {
        fs::create_dir_all(target()).expect("the target folder can be made");
        let lock = File::create(target().join("test-components.lock")).expect("a lock can be made");
        lock.lock().expect("the lock can be taken");
        // This also adds the WebAssembly target when it is missing.
        run(Command::new(host())
            .args(["build", "--from"])
            .arg(workspace().join("spin.toml")));
        run(Command::new(env!("CARGO"))
            .args([
                "build",
                "--quiet",
                "--target",
                "wasm32-wasip2",
                "--profile",
                "component",
                "--target-dir",
            ])
            .arg(target())
            .args(["--package", "fixture-echo", "--package", "fixture-proxy02"]));
    });
}

fn run(command: &mut Command) {
    let output = command.current_dir(workspace()).output();
    let output = output.unwrap_or_else(|error| panic!("cannot run {command:?}: {error}"));
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    assert!(
        output.status.success(),
        "{command:?} failed ({}):\n{}{}",
        output.status,
        text(&output.stdout),
        text(&output.stderr)
    );
}
