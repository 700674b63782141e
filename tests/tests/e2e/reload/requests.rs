//! How a reload is asked for, and refused.

use std::fs;

use serde_json::Value;
use spinfo_tests::{Client, FixtureApp, Host, Up, artifacts, deadline};

use super::{counted, deed, get, reload, reload_well, reloaded_since, revision};

#[test]
fn a_broken_version_changes_nothing_and_is_named() {
    let app = FixtureApp::echo("");
    let mut host = Up::new(app.manifest()).start();
    let manifest = fs::read_to_string(app.manifest()).unwrap();
    let good = revision(&host);
    let mut kept = Client::connect(host.address);
    let mut refused = 0;
    let mut refuse = |host: &Host, named: &[&str]| {
        let now = reload(host);
        refused += 1;
        assert_eq!(
            (&now["generation"], &now["digest"]),
            (&good["generation"], &good["digest"])
        );
        assert_eq!(now["reloads"]["refused"], refused);
        let problem = now["problem"].as_str().unwrap();
        for named in named {
            assert!(problem.contains(named), "{named} is not in {problem}");
        }
        host.log
            .wait_for_log("the refusal", |line| line["fields"]["error"] == problem);
        assert_eq!(kept.send(get("/")).status, 200);
        assert_eq!(host.admin("/readyz").status, 200);
    };
    for (broken, named) in [
        ("no toml", &["spin.toml:1"][..]),
        (
            &manifest.replace("source", "sauce"),
            &["spin.toml", "component.a.source"],
        ),
        (&manifest.replace("echo.wasm", "none.wasm"), &["none.wasm"]),
        (
            &manifest.replace("echo.wasm", "spin.toml"),
            &[
                "component \"a\"",
                "spin.toml",
                "not a WebAssembly component",
            ],
        ),
        (
            &format!("{manifest}key_value_stores = [\"nowhere\"]\n"),
            &["component.a.key_value_stores", "nowhere"],
        ),
        (
            &format!("{manifest}files = [\"none.txt\"]\n"),
            &["component.a.files", "none.txt"],
        ),
        (
            &manifest.replace("default = \"default\"", "required = true"),
            &["variable v"],
        ),
    ] {
        app.write("spin.toml", broken);
        refuse(&host, named);
    }
    app.write("spin.toml", &manifest);
    // A file that is cut off, as a copy that did not finish leaves it.
    let wasm = fs::read(artifacts::component("fixture_echo")).unwrap();
    fs::write(app.path("echo.wasm"), &wasm[..wasm.len() / 2]).unwrap();
    refuse(&host, &["component \"a\"", "echo.wasm"]);
    fs::write(app.path("echo.wasm"), &wasm).unwrap();
    let healed = reload_well(&host);
    assert_eq!(
        (&healed["generation"], &healed["digest"]),
        (&2.into(), &good["digest"])
    );
    assert_eq!(counted(&host, "refused"), refused);
    assert_eq!(host.stop().code(), Some(0));
}

#[test]
fn with_watch_a_change_is_enough() {
    let app = FixtureApp::echo("files = [\"assets/*\"]");
    let host = Up::new(app.manifest()).args(["--watch"]).start();
    let read = |path: &str| host.send(deed("read", path)).json();
    let mut before = revision(&host);
    let mut next = || {
        let now = reloaded_since(&host, &before);
        assert_eq!(now["problem"], Value::Null, "{now}");
        before = now;
    };
    app.write("assets/a.txt", "a longer asset\n");
    next();
    assert_eq!(read("/assets/a.txt"), "a longer asset\n");
    app.write("assets/b.txt", "new\n");
    next();
    assert_eq!(read("/assets/b.txt"), "new\n");
    app.edit(|text| text.replace("/...", "/there"));
    next();
    assert_eq!(host.get("/there").status, 200);
    fs::copy(
        artifacts::component("fixture_proxy02"),
        app.path("echo.wasm"),
    )
    .unwrap();
    next();
    assert_eq!(host.get("/there").header("x-fixture"), "proxy02");
    host.log.wait_for_log("the file to be named", |line| {
        line["fields"]["file"]
            .as_str()
            .is_some_and(|file| file.ends_with("b.txt"))
    });
}

#[test]
fn what_waits_for_a_restart_is_said() {
    let app = FixtureApp::echo("");
    app.write("runtime-config.toml", "");
    let config = app.path("runtime-config.toml");
    let host = Up::new(app.manifest())
        .args(["--runtime-config-file".as_ref(), config.as_os_str()])
        .start();
    app.write(
        "runtime-config.toml",
        "[outbound_http]\nmax_connections = 1\n",
    );
    app.edit(|text| text.replace("1.0.0", "2.0.0"));
    assert_eq!(reload_well(&host)["version"], "2.0.0");
    for setting in ["application.version", "outbound_http"] {
        host.log.wait_for_log("a warning", |line| {
            line["fields"]["setting"]
                .as_str()
                .is_some_and(|named| named.starts_with(setting))
        });
    }
}

#[test]
fn a_burst_of_signals_is_few_reloads_and_the_last_change_counts() {
    let app = FixtureApp::echo("environment = { A = \"0\" }");
    let host = Up::new(app.manifest()).start();
    let before = revision(&host);
    for change in 0..30 {
        let (old, new) = (
            format!("A = \"{change}\""),
            format!("A = \"{}\"", change + 1),
        );
        app.edit(|text| text.replace(&old, &new));
        host.signal("HUP");
    }
    deadline::until("the last change", || {
        (host.send(deed("env", "")).json()["A"] == "30").then_some(())
    });
    reloaded_since(&host, &before);
}

#[test]
fn a_signal_to_reload_does_not_keep_the_process_from_its_end() {
    let app = FixtureApp::echo("");
    let mut host = Up::new(app.manifest()).args(["--grace", "2s"]).start();
    host.terminate();
    deadline::until("readiness to say no", || {
        (host.admin("/readyz").status == 503).then_some(())
    });
    app.edit(|text| text.replace("/...", "/elsewhere"));
    host.signal("HUP");
    assert_eq!(host.get("/").status, 200);
    assert_eq!(host.wait().code(), Some(0));
    let lines = host.log.to_the_end();
    assert!(
        !lines.iter().any(|line| line.contains("reload")),
        "{lines:#?}"
    );
}
