//! What compose.yaml says about a service, so that the stack tests run the same.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use serde_json::Value;

use super::prometheus::{list, text};
use spinfo_tests::artifacts::workspace;

/// A service of compose.yaml.
#[derive(Debug)]
pub struct Service {
    /// What its program is called with.
    pub command: Vec<String>,
    pub environment: BTreeMap<String, String>,
    /// Volumes, from the name or the path in the workspace to the path in the container.
    pub volumes: Vec<(String, String)>,
}

impl Service {
    /// Reads it.
    ///
    /// # Panics
    /// When there is none of that name.
    pub fn read(name: &str) -> Self {
        let service = &yaml(&workspace().join("compose.yaml"))["services"][name];
        assert!(service.is_object(), "compose.yaml has no service {name}");
        let command = list(&service["command"]).iter().map(text);
        let environment = service["environment"].as_object().into_iter().flatten();
        let volumes = list(&service["volumes"]).iter().map(|volume| {
            let mut parts = text(volume).split(':');
            let mut part = || parts.next().unwrap_or_default().to_owned();
            (part(), part())
        });
        Self {
            command: command.map(str::to_owned).collect(),
            environment: environment
                .map(|(name, value)| (name.clone(), text(value).to_owned()))
                .collect(),
            volumes: volumes.collect(),
        }
    }

    /// The command with paths of this machine: `place` says where a volume is.
    pub fn command_with(&self, place: impl Fn(&str) -> String) -> Vec<String> {
        let volumes = self.volumes.iter();
        let places: Vec<_> = volumes
            .map(|(source, target)| (target, place(source)))
            .collect();
        let localise = |arg: &String| {
            let (flag, value) = arg.split_once('=').unwrap_or((arg, ""));
            let below = |(target, place): &(&String, String)| {
                let rest = value.strip_prefix(target.as_str())?;
                Some(format!("{flag}={place}{rest}"))
            };
            places.iter().find_map(below).unwrap_or(arg.clone())
        };
        self.command.iter().map(localise).collect()
    }
}

/// A YAML file as JSON.
///
/// # Panics
/// When it can't be read.
pub fn yaml(path: &Path) -> Value {
    let text =
        fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    serde_saphyr::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_of_the_container_become_those_of_this_machine() {
        let service = Service {
            command: vec!["--config.file=/etc/a/a.yml".into(), "--storage=/a".into()],
            environment: BTreeMap::new(),
            volumes: vec![("./otel/a".into(), "/etc/a".into())],
        };
        let command = service.command_with(|source| format!("/here/{source}"));
        assert_eq!(
            command,
            ["--config.file=/here/./otel/a/a.yml", "--storage=/a"]
        );
    }
}
