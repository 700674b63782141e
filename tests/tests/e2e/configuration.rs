//! What a manifest, flags, files and the environment give to a component.

use std::process::Command;

use http::Request;
use serde_json::{Value, json};
use spinfo_tests::{Answer, FixtureApp, Host, Up, artifacts, deadline};

fn ask(host: &Host, deed: &str, argument: &str) -> Answer {
    host.send(
        Request::get("/")
            .header("x-do", deed)
            .header("x-arg", argument)
            .body(Vec::new())
            .unwrap(),
    )
}

fn variable(up: Up) -> Value {
    ask(&up.start(), "variable", "v").json()
}

const VARIABLE: &str = "[component.a.variables]\nv = \"<{{ v }}>\"";

#[test]
fn the_environment_is_the_manifests_and_that_of_the_flags() {
    let app = FixtureApp::echo("environment = { A = \"manifest\", B = \"manifest\" }");
    let host = Up::new(app.manifest())
        .args(["--env", "B=flag", "--env", "C=flag=x"])
        .env("D", "not for guests")
        .start();
    let mut environment = ask(&host, "env", "").json();
    let resource = environment
        .as_object_mut()
        .unwrap()
        .remove("OTEL_RESOURCE_ATTRIBUTES")
        .unwrap();
    assert!(
        resource.as_str().unwrap().contains("service.instance.id="),
        "the guest's metrics name the host process: {resource}"
    );
    assert_eq!(
        environment,
        json!({ "A": "manifest", "B": "flag", "C": "flag=x" })
    );
}

#[test]
fn a_variable_comes_from_the_nearest_source() {
    let app = FixtureApp::echo(VARIABLE);
    app.write("value.txt", "file");
    app.write("values.toml", "v = \"many\"\n");
    app.write("values.json", "{\"v\": \"json\"}");
    let up = || Up::new(app.manifest());
    assert_eq!(variable(up()), "<default>");
    assert_eq!(
        variable(up().env("SPIN_VARIABLE_V", "environment")),
        "<environment>"
    );
    let flag = |argument: String| {
        up().env("SPIN_VARIABLE_V", "environment")
            .args(["--variable".to_owned(), argument])
    };
    assert_eq!(variable(flag("v=flag".into())), "<flag>");
    for (argument, value) in [
        ("v=@", "value.txt"),
        ("@", "values.toml"),
        ("@", "values.json"),
    ]
    .map(|(prefix, file)| {
        let expected = match file {
            "value.txt" => "<file>",
            "values.toml" => "<many>",
            _ => "<json>",
        };
        (format!("{prefix}{}", app.path(file).display()), expected)
    }) {
        assert_eq!(variable(flag(argument.clone())), value, "{argument}");
    }
}

#[test]
fn a_provider_of_the_runtime_configuration_gives_variables() {
    let app = FixtureApp::echo(VARIABLE);
    app.write(
        "runtime-config.toml",
        "[[variables_provider]]\ntype = \"static\"\nvalues = { v = \"provider\" }\n",
    );
    let config = app.path("runtime-config.toml");
    let up = Up::new(app.manifest()).args(["--runtime-config-file".as_ref(), config.as_os_str()]);
    assert_eq!(variable(up), "<provider>");
}

#[test]
fn a_component_sees_only_its_own_variables() {
    let app = FixtureApp::echo("");
    let host = Up::new(app.manifest()).start();
    assert_eq!(ask(&host, "variable", "v").status, 502);
}

#[test]
fn a_required_variable_without_a_value_stops_the_start() {
    let app = FixtureApp::new(
        "spin_manifest_version = 2\n[application]\nname = \"r\"\n[variables]\nneeded = { required = true }\n\
         [[trigger.http]]\nroute = \"/\"\ncomponent = \"a\"\n[component.a]\nsource = \"echo.wasm\"\n\
         [component.a.variables]\nx = \"{{ needed }}\"\n",
    );
    let (code, text) = Up::new(app.manifest()).fail();
    assert_eq!(code, Some(1), "{text}");
    assert!(
        text.contains("needed") && text.contains("SPIN_VARIABLE_NEEDED"),
        "{text}"
    );
}

#[test]
fn files_are_those_of_the_manifest_and_cannot_be_changed() {
    let app = FixtureApp::echo(
        "files = [\"assets/*.txt\", { source = \"assets\", destination = \"/static\" }]",
    );
    app.write("secret.txt", "not for guests");
    let host = Up::new(app.manifest()).start();
    for path in ["/assets/a.txt", "/static/a.txt"] {
        assert_eq!(ask(&host, "read", path).json(), "an asset\n", "{path}");
    }
    for path in [
        "/secret.txt",
        "/assets/../../secret.txt",
        "/../secret.txt",
        "/etc/passwd",
    ] {
        assert_eq!(ask(&host, "read", path).status, 502, "{path}");
    }
    assert_eq!(ask(&host, "write", "/static/a.txt").status, 502);
    assert_eq!(
        std::fs::read_to_string(app.path("assets/a.txt")).unwrap(),
        "an asset\n"
    );
}

#[test]
fn an_edit_on_disk_does_not_change_what_runs() {
    let app = FixtureApp::echo("files = [\"assets/*.txt\"]");
    let host = Up::new(app.manifest()).start();
    app.write("assets/a.txt", "edited");
    assert_eq!(ask(&host, "read", "/assets/a.txt").json(), "an asset\n");
}

#[test]
fn the_output_of_a_guest_is_logged_with_its_trace() {
    let app = FixtureApp::echo("");
    let host = Up::new(app.manifest()).start();
    let trace = "0af7651916cd43dd8448eb211c80319c";
    let request = Request::get("/")
        .header("x-do", "print")
        .header("x-arg", "a word");
    host.send(
        request
            .header("traceparent", format!("00-{trace}-b7ad6b7169203331-01"))
            .body(Vec::new())
            .unwrap(),
    );
    for (text, stream) in [("out a word", "stdout"), ("err a word", "stderr")] {
        let line = host.log.wait_for_log(text, |line| line["message"] == text);
        assert_eq!(
            (
                &line["target"],
                &line["fields"]["stream"],
                &line["fields"]["wasm.component"]
            ),
            (&json!("guest"), &json!(stream), &json!("a"))
        );
        assert_eq!(line["trace_id"], trace);
    }
}

#[test]
fn a_digest_that_is_not_the_files_stops_the_start() {
    let app = FixtureApp::new(&format!(
        "spin_manifest_version = 2\n[application]\nname = \"d\"\n[[trigger.http]]\nroute = \"/\"\ncomponent = \"a\"\n\
         [component.a]\nsource = {{ url = \"https://example.org/a.wasm\", digest = \"sha256:{}\" }}\n",
        "0".repeat(64)
    ));
    let (code, text) = Up::new(app.manifest()).fail();
    assert_eq!(code, Some(1), "{text}");
    assert!(text.contains("source"), "{text}");
}

#[test]
fn files_that_are_no_components_are_refused_by_name() {
    for (bytes, words) in [
        ("not wasm", "not a WebAssembly component"),
        ("\0asm\x01\0\0\0", "module"),
    ] {
        let app = FixtureApp::echo("");
        app.write("echo.wasm", bytes);
        let (code, text) = Up::new(app.manifest()).fail();
        assert_eq!(code, Some(1), "{text}");
        assert!(text.contains("echo.wasm") && text.contains(words), "{text}");
    }
}

#[test]
fn check_and_up_refuse_the_same() {
    let app = FixtureApp::echo("");
    app.write("machine.toml", "max_instance_memory = 65536\n");
    let machine = app.path("machine.toml");
    let nowhere = app.path("nowhere.pem");
    let (machine, nowhere) = (machine.to_str().unwrap(), nowhere.to_str().unwrap());
    for (flags, variable, named) in [
        (
            &["--runtime-config-file", machine][..],
            ("UNUSED", ""),
            "--max-memory",
        ),
        (
            &[],
            ("OTEL_EXPORTER_OTLP_ENDPOINT", "::bad"),
            "OTEL_EXPORTER_OTLP_ENDPOINT",
        ),
        (
            &["--tls-cert", nowhere, "--tls-key", nowhere],
            ("UNUSED", ""),
            "--tls-cert",
        ),
        (&["--max-memory", "64KiB"], ("UNUSED", ""), "--max-memory"),
        (&["--env", "x"], ("UNUSED", ""), "--env"),
    ] {
        let (name, value) = variable;
        let up = Up::new(app.manifest()).args(flags).env(name, value).fail();
        let check = Command::new(artifacts::host())
            .env_clear()
            .env("SPINFO_CACHE_DIR", artifacts::cache())
            .env(name, value)
            .args(["check", "--from"])
            .arg(app.manifest())
            .args(flags)
            .output()
            .unwrap();
        let told = String::from_utf8_lossy(&check.stderr);
        assert!(told.contains(named), "{told}");
        assert_eq!(up.0, check.status.code(), "{told}");
        let error = |text: &str| {
            let line = text.lines().find(|line| line.starts_with("error: "));
            line.unwrap_or_else(|| panic!("no error: {text}"))
                .to_owned()
        };
        assert_eq!(error(&up.1), error(&told));
    }
}

#[test]
fn an_empty_variable_of_the_environment_is_unset() {
    let app = FixtureApp::echo("");
    let host = Up::new(app.manifest())
        .env("RUNTIME_CONFIG_FILE", "")
        .env("SPIN_TLS_CERT", "")
        .env("SPINFO_LOG", "")
        .env("STATE_DIR", "")
        .start();
    assert_eq!(host.get("/").status, 200);
}

#[test]
fn the_compile_cache_leaves_what_else_is_in_its_folder() {
    let folder = tempfile::tempdir().unwrap();
    let precious = folder.path().join("letters/2026/one.txt");
    std::fs::create_dir_all(precious.parent().unwrap()).unwrap();
    std::fs::write(&precious, "dear").unwrap();
    let app = FixtureApp::echo("");
    let start = || {
        Up::new(app.manifest())
            .env("SPINFO_CACHE_DIR", folder.path())
            .start()
    };
    let mut host = start();
    let modules = folder.path().join("compiled/modules");
    // It cleans up behind the first component that it keeps.
    deadline::until("the cache to have been cleaned up", || {
        let mut entries = std::fs::read_dir(folder.path().join("compiled")).ok()?;
        let stamp = |entry: std::io::Result<std::fs::DirEntry>| {
            entry.is_ok_and(|entry| entry.file_name().to_string_lossy().starts_with(".cleanup"))
        };
        entries.any(stamp).then_some(())
    });
    host.stop();
    assert!(modules.is_dir());
    assert_eq!(std::fs::read_to_string(&precious).unwrap(), "dear");
    let again = start();
    assert!(
        again
            .admin("/metrics")
            .text()
            .contains("spinfo_cache_result=\"hit\""),
        "what was compiled is found again"
    );
}
