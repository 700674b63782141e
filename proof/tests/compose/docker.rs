//! The engine's client.

use std::io::Write as _;
use std::process::{Command, Output};

use spinfo_proof::stack::backends::said;
use spinfo_tests::artifacts::workspace;

/// What is missing when a start fails, more often than not.
pub(crate) const REMEDY: &str = "run proof/compose/engine and proof/compose/images";

/// `docker compose` with files, without a developer's own settings.
pub(crate) fn compose(files: &[&str]) -> Command {
    let mut command = Command::new("docker");
    command.arg("compose").current_dir(workspace());
    for file in files {
        command.args(["--file", file]);
    }
    for name in [
        "COMPOSE_FILE",
        "COMPOSE_PROFILES",
        "COMPOSE_PROJECT_NAME",
        "SPINFO_PORTS",
        "GRAFANA_PORT",
        "ADMIN_TOKEN",
        "GREETING",
        "EDGE_HTTP",
        "EDGE_HTTPS",
        "EDGE_VOLUME",
    ] {
        command.env_remove(name);
    }
    command
}

/// What a command wrote to stdout.
///
/// # Panics
/// When it failed.
pub(crate) fn succeed(output: &Output) -> String {
    assert!(output.status.success(), "{}", said(output));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// A label of an image, empty when it has none of that name, `None` when the image isn't here.
pub(crate) fn label(image: &str, name: &str) -> Option<String> {
    let format = format!("{{{{index .Config.Labels {name:?}}}}}");
    let output = docker(["image", "inspect", "--format", &format, image]);
    let text = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    output.status.success().then_some(text)
}

/// Runs the engine's client.
///
/// # Panics
/// When there is none.
pub(crate) fn docker<'a>(arguments: impl IntoIterator<Item = &'a str>) -> Output {
    Command::new("docker")
        .args(arguments)
        .output()
        .unwrap_or_else(|error| panic!("docker can't be run: {error}; {REMEDY}"))
}

/// Past the test harness, which shows what a test that succeeds says to nobody.
pub(crate) fn say(text: &str) {
    let _ = writeln!(std::io::stderr(), "{text}");
}
