//! `spinfo build` and `spinfo up --build`.

use std::fs;
use std::process::{Command, Output};

use spinfo_tests::{FixtureApp, Up, artifacts};

/// Two components, each with a command that leaves a file.
fn app(command: &str) -> FixtureApp {
    FixtureApp::new(&format!(
        "spin_manifest_version = 2\n[application]\nname = \"built\"\n\
         [[trigger.http]]\nroute = \"/...\"\ncomponent = \"a\"\n\
         [component.a]\nsource = \"made/a.wasm\"\n[component.a.build]\ncommand = \"{command}\"\n\
         [component.b]\nsource = \"echo.wasm\"\n[component.b.build]\nworkdir = \"assets\"\ncommand = [\"touch one\", \"mv one two\"]\n"
    ))
}

const COPY: &str = "mkdir -p made && cp echo.wasm made/a.wasm";

fn build(app: &FixtureApp, flags: &[&str]) -> Output {
    Command::new(artifacts::host())
        .args(["build", "--from"])
        .arg(app.manifest())
        .args(flags)
        .output()
        .unwrap()
}

#[test]
fn the_commands_run_in_their_folders_and_in_order() {
    let app = app(COPY);
    let output = build(&app, &[]);
    assert!(output.status.success(), "{output:?}");
    assert!(app.path("made/a.wasm").exists() && app.path("assets/two").exists());
    assert_eq!(Up::new(app.manifest()).start().get("/").status, 200);
}

#[test]
fn only_the_named_components_are_built() {
    let app = app(COPY);
    assert!(build(&app, &["--component-id", "b"]).status.success());
    assert!(!app.path("made").exists() && app.path("assets/two").exists());
    let output = build(&app, &["--component-id", "nobody"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stderr).contains("nobody"));
}

#[test]
fn what_components_have_in_common_is_built_once() {
    let app = app("echo built >> log");
    app.edit(|manifest| {
        manifest
            + "[component.c]\nsource = \"echo.wasm\"\n[component.c.build]\ncommand = \"echo built >> log\"\n\
               [component.d]\nsource = \"echo.wasm\"\n[component.d.build]\nworkdir = \"assets\"\ncommand = \"echo built >> log\"\n"
    });
    let output = build(&app, &[]);
    assert!(output.status.success(), "{output:?}");
    let log = |path| fs::read_to_string(app.path(path)).unwrap();
    assert_eq!((&*log("log"), &*log("assets/log")), ("built\n", "built\n"));
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(
        said.contains("Building \"a\", \"c\" with `echo built >> log`"),
        "{said}"
    );
}

#[test]
fn a_command_that_fails_is_named() {
    let app = app("exit 3");
    let output = build(&app, &[]);
    assert_eq!(output.status.code(), Some(1));
    let text = String::from_utf8_lossy(&output.stderr);
    assert!(text.contains("\"a\"") && text.contains("exit 3"), "{text}");
}

#[test]
fn up_builds_first_when_asked_to() {
    let app = app(COPY);
    let (code, text) = Up::new(app.manifest()).fail();
    assert_eq!(code, Some(1));
    assert!(text.contains("spinfo build"), "the remedy is named: {text}");
    let path = std::env::var_os("PATH").unwrap_or_default();
    let host = Up::new(app.manifest())
        .env("PATH", path)
        .args(["--build"])
        .start();
    assert_eq!(host.get("/").status, 200);
    assert!(fs::metadata(app.path("assets/two")).is_ok());
}
