//! Good and bad files, and what is said about them.

use std::fmt::Write;
use std::path::{Path, PathBuf};

use crate::support::{self, Started};
use spinfo_manifest::{Application, Route, RuntimeConfig};

/// Every file of a folder of `tests`, by name.
fn files(folder: &str) -> Vec<(String, String)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests")
        .join(folder);
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    files.sort();
    let name = |file: &Path| file.file_stem().unwrap().to_str().unwrap().to_owned();
    files
        .iter()
        .map(|file| (name(file), std::fs::read_to_string(file).unwrap()))
        .collect()
}

#[test]
fn bad_manifests_say_which_key_and_what_to_do() {
    let folder = support::folder();
    let mut said = String::new();
    for (name, text) in files("bad") {
        match support::start(&text, folder.path(), &[]) {
            Ok(_) => writeln!(said, "{name}\n  STARTS").unwrap(),
            Err(error) => writeln!(said, "{name}\n  {error}").unwrap(),
        }
    }
    insta::assert_snapshot!(said.replace(folder.path().to_str().unwrap(), "/app"));
}

#[test]
fn bad_runtime_configurations_say_which_key_and_what_to_do() {
    let mut said = String::new();
    for (name, text) in files("runtime-bad") {
        match RuntimeConfig::parse(
            &text,
            Path::new("/etc/spinfo"),
            Path::new("runtime-config.toml"),
        ) {
            Ok(_) => writeln!(said, "{name}\n  STARTS").unwrap(),
            Err(error) => writeln!(said, "{name}\n  {error}").unwrap(),
        }
    }
    insta::assert_snapshot!(said);
}

#[test]
fn good_manifests_become_applications() {
    let folder = support::folder();
    let mut said = String::new();
    for (name, text) in files("good") {
        let environment = [
            ("SPIN_VARIABLE_TOKEN", "hunter2"),
            ("SPIN_VARIABLE_PORT", "8080"),
        ];
        let started = support::start(&text, folder.path(), &environment);
        let started = started.unwrap_or_else(|error| panic!("{name}: {error}"));
        writeln!(said, "# {name}\n{}", describe(&started)).unwrap();
    }
    assert!(!said.contains("hunter2"), "a secret is shown");
    insta::assert_snapshot!(said.replace(folder.path().to_str().unwrap(), "/app"));
}

#[test]
fn good_runtime_configurations_are_read() {
    let mut said = String::new();
    for (name, text) in files("runtime-good") {
        let config = RuntimeConfig::parse(
            &text,
            Path::new("/etc/spinfo"),
            Path::new("runtime-config.toml"),
        );
        writeln!(
            said,
            "# {name}\n{:#?}",
            config.unwrap_or_else(|error| panic!("{name}: {error}"))
        )
        .unwrap();
    }
    assert!(!said.contains("hunter2"), "a secret is shown");
    insta::assert_snapshot!(said);
}

#[test]
fn a_folder_stands_for_the_manifest_in_it() {
    let folder = support::folder();
    let file = folder.path().join("spin.toml");
    std::fs::write(&file, include_str!("../good/minimal.toml")).unwrap();
    for path in [folder.path(), &file] {
        let application = Application::load(path).unwrap();
        assert_eq!(
            (application.base_dir.as_path(), &application.file),
            (folder.path(), &file)
        );
        assert_eq!(
            application.components["cart"].source,
            folder.path().join("echo.wasm")
        );
        application.check_sources().unwrap();
    }
}

#[test]
fn what_is_no_readable_manifest_is_named() {
    let folder = support::folder();
    let error = |path: &Path| Application::load(path).unwrap_err().to_string();
    let file = folder.path().join("spin.toml");
    let said = error(folder.path());
    assert!(
        said.starts_with(&format!("{}: can't be read: ", file.display())),
        "{said}"
    );
    assert!(
        said.ends_with("; name a spin.toml, or a folder with one, with --from"),
        "{said}"
    );
    let wasm = folder.path().join("binary.toml");
    std::fs::write(&wasm, b"\xff\xfe").unwrap();
    let said = error(&wasm);
    assert!(said.ends_with("; save it as UTF-8"), "{said}");
}

fn describe(started: &Started) -> String {
    let Started {
        application,
        router,
        files,
        hosts,
        variables,
    } = started;
    let mut text = format!(
        "{:?} {:?} {:?} {:?}\n",
        application.name, application.version, application.description, application.authors
    );
    for (name, variable) in &application.variables {
        writeln!(
            text,
            "variable {name}: {variable:?}, is {:?}",
            variables.get(name).unwrap()
        )
        .unwrap();
    }
    for trigger in &application.triggers {
        let route = match &trigger.route {
            Route::Path(pattern) => pattern.as_str(),
            Route::Private => "(private)",
        };
        writeln!(
            text,
            "trigger {}: {route:?} -> {}",
            trigger.id, trigger.component
        )
        .unwrap();
    }
    for component in application.components.values() {
        writeln!(
            text,
            "{component:#?}\nvariables: {:?}",
            variables.of(component).unwrap()
        )
        .unwrap();
    }
    for (id, files) in files
        .iter()
        .filter(|(_, files)| *files != Default::default())
    {
        for (guest, host) in &files.files {
            writeln!(
                text,
                "file of {id}: {} is {}",
                guest.display(),
                host.display()
            )
            .unwrap();
        }
        for warning in &files.warnings {
            writeln!(text, "warning: {warning}").unwrap();
        }
    }
    for (id, hosts) in hosts.iter().filter(|(_, hosts)| !hosts.is_empty()) {
        writeln!(text, "hosts of {id}: {hosts}").unwrap();
    }
    for route in router.routes() {
        let below = if route.pattern.is_wildcard() {
            " and below"
        } else {
            ""
        };
        writeln!(
            text,
            "route {}{below} ({}) -> {}",
            route.pattern.path(),
            route.template(),
            route.component
        )
        .unwrap();
    }
    for warning in &application.warnings {
        writeln!(text, "warning: {warning}").unwrap();
    }
    text
}
