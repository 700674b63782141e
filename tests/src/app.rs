//! Applications of fixtures, each in a temporary folder.

use std::fs;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use crate::artifacts;

/// A folder with a `spin.toml` of the test's own beside `echo.wasm`, `proxy02.wasm` and `assets/a.txt`.
pub struct FixtureApp {
    folder: TempDir,
}

impl FixtureApp {
    /// Writes the manifest as it is.
    pub fn new(manifest: &str) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder can be made");
        let app = Self { folder };
        app.write("spin.toml", manifest);
        app.write("assets/a.txt", "an asset\n");
        for (file, component) in [
            ("echo.wasm", "fixture_echo"),
            ("proxy02.wasm", "fixture_proxy02"),
        ] {
            let from = artifacts::component(component);
            fs::copy(&from, app.path(file))
                .unwrap_or_else(|error| panic!("{}: {error}", from.display()));
        }
        app
    }

    /// An application with one component, `a`, the fixture `echo` on all paths; `more` is put into its table.
    pub fn echo(more: &str) -> Self {
        Self::new(&format!(
            "spin_manifest_version = 2\n\
             [application]\nname = \"echo\"\nversion = \"1.0.0\"\n\
             [variables]\nv = {{ default = \"default\" }}\n\
             [[trigger.http]]\nroute = \"/...\"\ncomponent = \"a\"\n\
             [component.a]\nsource = \"echo.wasm\"\n{more}\n"
        ))
    }

    /// This workspace's application where a test may change it, with another greeting.
    pub fn spinfo(greeting: &str) -> Self {
        let manifest = fs::read_to_string(artifacts::manifest()).expect("the manifest is there");
        let app = Self::new(
            &manifest
                .replace("target/wasm32-wasip2/component/", "")
                .replace("Hello World", greeting),
        );
        for component in ["hello", "now", "status", "wordcount", "lab"] {
            let from = artifacts::component(component);
            fs::copy(&from, app.path(component).with_extension("wasm"))
                .unwrap_or_else(|error| panic!("{}: {error}", from.display()));
        }
        app
    }

    /// Puts a file into the folder.
    pub fn write(&self, name: &str, contents: &str) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().expect("files are in the folder"))
            .expect("a folder can be made");
        fs::write(path, contents).expect("a file can be written");
    }

    /// Rewrites the manifest.
    pub fn edit(&self, edit: impl FnOnce(String) -> String) {
        let manifest = fs::read_to_string(self.manifest()).expect("the manifest is there");
        self.write("spin.toml", &edit(manifest));
    }

    /// A path below the folder.
    pub fn path(&self, name: impl AsRef<Path>) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The manifest.
    pub fn manifest(&self) -> PathBuf {
        self.path("spin.toml")
    }
}
