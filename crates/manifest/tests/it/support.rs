//! An application's folder, and everything that is checked before it starts.

use std::path::Path;

use spinfo_manifest::{
    AllowedHosts, Application, Error, Files, Router, RuntimeConfig, StateDir, VariableSources,
    Variables,
};
use tempfile::TempDir;

/// All that comes out of a manifest.
#[derive(Debug)]
pub(crate) struct Started {
    pub(crate) application: Application,
    pub(crate) router: Router,
    pub(crate) files: Vec<(String, Files)>,
    pub(crate) hosts: Vec<(String, AllowedHosts)>,
    pub(crate) variables: Variables,
}

/// A folder with a component and two text files.
pub(crate) fn folder() -> TempDir {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let write =
        |name: &str, bytes: &[u8]| std::fs::write(folder.path().join(name), bytes).expect("a file");
    std::fs::create_dir(folder.path().join("assets")).expect("a folder");
    write("echo.wasm", b"\0asm\x0d\0\x01\0");
    write("assets/a.txt", b"a");
    write("assets/secret.txt", b"s");
    folder
}

/// Does what a host does before it binds its port.
pub(crate) fn start(
    manifest: &str,
    dir: &Path,
    environment: &[(&str, &str)],
) -> Result<Started, Error> {
    let application = Application::parse(manifest, dir, Path::new("spin.toml"))?;
    application.check_sources()?;
    RuntimeConfig::default().stores_for(
        &application,
        StateDir::Default.resolve(&application).as_deref(),
    )?;
    let lookup = |name: &str| {
        environment
            .iter()
            .find(|known| known.0 == name)
            .map(|known| known.1.to_owned())
    };
    let sources = VariableSources {
        overrides: &[],
        providers: &[],
        environment: &lookup,
    };
    let variables = Variables::resolve(&application, &sources)?;
    let mut files = vec![];
    let mut hosts = vec![];
    for component in application.components.values() {
        files.push((component.id.clone(), application.files(component)?));
        variables.of(component)?;
        hosts.push((component.id.clone(), variables.allowed_hosts(component)?));
    }
    let router = Router::new(&application);
    Ok(Started {
        application,
        router,
        files,
        hosts,
        variables,
    })
}
