//! The engine's client, and what it knows about an image.

use std::process::Command;

use serde_json::Value;

use crate::NEEDS;

/// Runs the engine's client and gives what it wrote to stdout.
///
/// # Panics
/// When there is none, or it failed.
pub(crate) fn docker<'a>(arguments: impl IntoIterator<Item = &'a str>) -> String {
    String::from_utf8_lossy(&docker_bytes(arguments)).into_owned()
}

/// The same for what is no text.
pub(crate) fn docker_bytes<'a>(arguments: impl IntoIterator<Item = &'a str>) -> Vec<u8> {
    let mut command = Command::new("docker");
    command.args(arguments);
    let output = command
        .output()
        .unwrap_or_else(|error| panic!("docker can't be run: {error}; this {NEEDS}"));
    assert!(
        output.status.success(),
        "{command:?}: {}; this {NEEDS}",
        String::from_utf8_lossy(&output.stderr)
    );
    output.stdout
}

/// One of our images, at the version of the workspace.
pub(crate) struct Image {
    pub(crate) reference: String,
    configuration: Value,
}

impl Image {
    pub(crate) fn of(name: &str) -> Self {
        let reference = format!("ghcr.io/spinfo/{name}:{}", env!("CARGO_PKG_VERSION"));
        let text = docker([
            "image",
            "inspect",
            "--format",
            "{{json .Config}}",
            &reference,
        ]);
        let configuration = serde_json::from_str(&text).expect("docker writes JSON");
        Self {
            reference,
            configuration,
        }
    }

    /// The annotations of the OCI image specification that tell where an image comes from.
    pub(crate) fn has_labels(&self) {
        let label = |name: &str| {
            self.configuration["Labels"][format!("org.opencontainers.image.{name}")]
                .as_str()
                .unwrap_or_else(|| panic!("{} has no label {name}", self.reference))
        };
        assert_eq!(
            label("version"),
            env!("CARGO_PKG_VERSION"),
            "{}",
            self.reference
        );
        assert_eq!(label("licenses"), "Apache-2.0");
        assert_eq!(label("source"), "https://github.com/spinfo/spinfo");
        assert!(!label("title").is_empty() && !label("description").is_empty());
        let revision = label("revision");
        assert!(
            revision.len() == 40 && revision.bytes().all(|byte| byte.is_ascii_hexdigit()),
            "{}: {revision:?} is no commit",
            self.reference
        );
    }

    pub(crate) fn is_run_by(&self, user: &str) {
        let said = self.configuration["User"].as_str().unwrap_or_default();
        assert_eq!(said, user, "{}", self.reference);
    }

    pub(crate) fn asks_the_probe_for_its_health(&self) {
        let test = &self.configuration["Healthcheck"]["Test"];
        let program = test[1].as_str().unwrap_or_default();
        assert_eq!(test[0], "CMD", "{}: {test}", self.reference);
        assert!(
            program.ends_with("spinfo-probe"),
            "{}: {test}",
            self.reference
        );
    }
}
