//! Requests that guests send.

use http::Request;
use serde_json::Value;
use spinfo_tests::{Answer, FixtureApp, Host, Up};

fn ask(host: &Host, path: &str, deed: &str, argument: &str) -> Answer {
    host.send(
        Request::get(path)
            .header("x-do", deed)
            .header("x-arg", argument)
            .body(Vec::new())
            .unwrap(),
    )
}

fn fetch(host: &Host, url: &str) -> Value {
    ask(host, "/", "fetch", url).json()
}

#[test]
fn only_hosts_of_the_manifest_are_reached() {
    let target_app = FixtureApp::echo("");
    let target = Up::new(target_app.manifest()).start();
    let app = FixtureApp::echo(&format!(
        "allowed_outbound_hosts = [\"{}\"]",
        target.url("")
    ));
    let host = Up::new(app.manifest()).start();

    let answer = fetch(&host, &target.url("/there?q=1"));
    assert_eq!(answer["status"], 200, "{answer}");
    let seen: Value = serde_json::from_str(answer["body"].as_str().unwrap()).unwrap();
    assert_eq!(seen["uri"], target.url("/there?q=1"));

    let other_port = format!("http://127.0.0.1:{}/", target.admin.port());
    for denied in [
        &*other_port,
        "https://127.0.0.1/",
        "http://localhost/",
        "http://127.0.0.1.example.org/",
    ] {
        let answer = ask(&host, "/", "fetch", denied);
        assert_eq!(answer.status, 502);
        assert!(
            answer.text().contains("HttpRequestDenied") || answer.text().contains("denied"),
            "{denied}: {}",
            answer.text()
        );
    }
    let hint = host.log.wait_for_log("a hint for the operator", |line| {
        line["message"]
            .as_str()
            .unwrap()
            .contains("allowed_outbound_hosts")
    });
    assert!(
        hint["message"]
            .as_str()
            .unwrap()
            .contains(other_port.trim_end_matches('/')),
        "{hint}"
    );
    assert!(
        host.admin("/metrics")
            .text()
            .contains("spinfo_outbound_denied_total")
    );
}

#[test]
fn a_variable_can_name_the_host() {
    let target_app = FixtureApp::echo("");
    let target = Up::new(target_app.manifest()).start();
    let app = FixtureApp::echo("allowed_outbound_hosts = [\"{{ url }}\"]");
    // The manifest is checked with the variables' defaults too.
    app.edit(|manifest| {
        manifest.replace(
            "[variables]",
            "[variables]\nurl = { default = \"http://localhost\" }",
        )
    });
    let host = Up::new(app.manifest())
        .args(["--variable", &format!("url={}", target.url(""))])
        .start();
    assert_eq!(fetch(&host, &target.url("/"))["status"], 200);
}

#[test]
fn a_server_that_is_not_there_is_an_error_of_the_guest() {
    let app = FixtureApp::echo("allowed_outbound_hosts = [\"http://127.0.0.1:1\"]");
    let host = Up::new(app.manifest()).start();
    let answer = ask(&host, "/", "fetch", "http://127.0.0.1:1/");
    assert_eq!(answer.status, 502);
    assert!(
        answer.text().contains("ConnectionRefused"),
        "{}",
        answer.text()
    );
}

fn chain() -> FixtureApp {
    FixtureApp::new(
        r#"
        spin_manifest_version = 2
        [application]
        name = "chain"
        [[trigger.http]]
        route = "/..."
        component = "first"
        [[trigger.http]]
        route = "/second/:id"
        component = "second"
        [[trigger.http]]
        route = { private = true }
        component = "hidden"
        [component.first]
        source = "echo.wasm"
        allowed_outbound_hosts = ["http://self", "http://*.spin.internal"]
        [component.second]
        source = "echo.wasm"
        [component.hidden]
        source = "echo.wasm"
        "#,
    )
}

#[test]
fn components_call_each_other_without_the_network() {
    let app = chain();
    let host = Up::new(app.manifest()).start();
    for component in ["second", "hidden"] {
        let url = format!("http://{component}.spin.internal/path?q=1");
        let answer = fetch(&host, &url);
        assert_eq!(answer["status"], 200, "{component}: {answer}");
        let seen: Value = serde_json::from_str(answer["body"].as_str().unwrap()).unwrap();
        assert!(
            seen["uri"].as_str().unwrap().ends_with("/path?q=1"),
            "{seen}"
        );
    }
    let answer = ask(&host, "/", "fetch", "http://nobody.spin.internal/");
    assert_eq!(answer.status, 502, "{answer:?}");
}

#[test]
fn components_without_leave_call_nobody() {
    let app = chain();
    let host = Up::new(app.manifest()).start();
    let answer = ask(&host, "/second/1", "fetch", "http://hidden.spin.internal/");
    assert_eq!(answer.status, 502);
    assert!(answer.text().contains("Denied"), "{}", answer.text());
}

#[test]
fn a_circle_of_calls_is_stopped() {
    let app = chain();
    let host = Up::new(app.manifest()).start();
    let answer = ask(&host, "/", "loop", "http://first.spin.internal/");
    assert!(answer.text().contains("LoopDetected"), "{}", answer.text());
    assert_eq!(host.get("/").status, 200, "the host goes on");
}
