//! The manifests of deploy/kubernetes, as kustomize renders them.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use crate::programs;

pub(crate) const OVERLAYS: [&str; 3] = ["dev", "production", "spinkube"];

/// The root of this repository.
pub(crate) fn repository() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
}

/// Reads a file of this repository.
///
/// # Panics
/// When it can't be read.
pub(crate) fn read(path: &str) -> String {
    let path = repository().join(path);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Reads YAML.
///
/// # Panics
/// When it is none; `what` says what it should have been.
pub(crate) fn yaml(what: &str, text: &str) -> Value {
    serde_saphyr::from_str(text).unwrap_or_else(|error| panic!("{what}: {error}"))
}

/// The objects of an overlay.
pub(crate) struct Manifests {
    pub(crate) overlay: &'static str,
    pub(crate) text: String,
    pub(crate) objects: Vec<Value>,
}

impl Manifests {
    /// Renders an overlay.
    ///
    /// # Panics
    /// When kustomize can't.
    pub(crate) fn of(overlay: &'static str) -> Self {
        let mut command = Command::new(programs::program("kubectl"));
        let text = programs::text(command.arg("kustomize").arg(folder(overlay)));
        let objects =
            serde_saphyr::from_multiple(&text).unwrap_or_else(|error| panic!("{overlay}: {error}"));
        Self {
            overlay,
            text,
            objects,
        }
    }

    /// The name of its namespace.
    pub(crate) fn namespace(&self) -> &str {
        name(self.only("Namespace"))
    }

    /// Its objects of a kind.
    pub(crate) fn all(&self, kind: &str) -> impl Iterator<Item = &Value> {
        self.objects
            .iter()
            .filter(move |object| object["kind"] == kind)
    }

    /// Its only object of a kind.
    pub(crate) fn only(&self, kind: &str) -> &Value {
        let mut all = self.all(kind);
        match (all.next(), all.next()) {
            (Some(one), None) => one,
            _ => panic!("{}: there is not exactly one {kind}", self.overlay),
        }
    }

    /// An object.
    pub(crate) fn get(&self, kind: &str, wanted: &str) -> &Value {
        self.all(kind)
            .find(|object| name(object) == wanted)
            .unwrap_or_else(|| panic!("{}: there is no {kind} {wanted}", self.overlay))
    }

    /// What makes pods: deployments and stateful sets.
    pub(crate) fn workloads(&self) -> impl Iterator<Item = &Value> {
        self.all("Deployment").chain(self.all("StatefulSet"))
    }
}

/// The folder of an overlay.
pub(crate) fn folder(overlay: &str) -> PathBuf {
    repository()
        .join("deploy/kubernetes/overlays")
        .join(overlay)
}

/// An object's name.
pub(crate) fn name(object: &Value) -> &str {
    text(object, "/metadata/name")
}

/// A text within an object.
///
/// # Panics
/// When there is none.
pub(crate) fn text<'a>(object: &'a Value, pointer: &str) -> &'a str {
    object
        .pointer(pointer)
        .and_then(Value::as_str)
        .unwrap_or_else(|| panic!("no {pointer} in {object}"))
}

/// The elements of a list within an object, none when there is no list.
pub(crate) fn list<'a>(object: &'a Value, pointer: &str) -> &'a [Value] {
    object
        .pointer(pointer)
        .and_then(Value::as_array)
        .map_or(&[], Vec::as_slice)
}

/// The containers of a workload.
pub(crate) fn containers(workload: &Value) -> &[Value] {
    list(workload, "/spec/template/spec/containers")
}

/// The first container of a workload.
pub(crate) fn container(workload: &Value) -> &Value {
    &containers(workload)[0]
}

/// Whether labels have all that a selector (`matchLabels`) asks for.
pub(crate) fn selects(selector: &Value, labels: &Value) -> bool {
    selector
        .as_object()
        .is_none_or(|wanted| wanted.iter().all(|(key, value)| &labels[key] == value))
}
