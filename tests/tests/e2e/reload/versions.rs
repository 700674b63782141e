//! What goes over to the new version, and what the old one finishes.

use std::fs;
use std::time::{Duration, Instant};

use http::Request;
use spinfo_tests::receiver::attribute;
use spinfo_tests::tls::Certificate;
use spinfo_tests::{Client, FixtureApp, Receiver, Up, artifacts, deadline};

use super::{
    deed, exporting, get, greeting, metric, reload, reload_well, revision, spinfo,
    until_nothing_drains,
};

#[test]
fn another_component_another_route_and_another_variable_are_served_together() {
    let app = FixtureApp::echo("");
    let host = Up::new(app.manifest()).start();
    let first = revision(&host);
    assert_eq!(
        (&first["generation"], &first["application"]),
        (&1.into(), &"echo".into())
    );
    assert_eq!(host.get("/").json()["method"], "GET");

    // The same file with other code.
    fs::copy(
        artifacts::component("fixture_proxy02"),
        app.path("echo.wasm"),
    )
    .unwrap();
    let second = reload_well(&host);
    assert_ne!(first["digest"], second["digest"]);
    assert_eq!(host.get("/").header("x-fixture"), "proxy02");

    // The code of before, below a route of its own, and a component more.
    fs::copy(artifacts::component("fixture_echo"), app.path("echo.wasm")).unwrap();
    app.edit(|text| {
        text.replace("route = \"/...\"", "route = \"/only\"")
            + "[[trigger.http]]\nroute = \"/b\"\ncomponent = \"b\"\n\
               [component.b]\nsource = \"echo.wasm\"\nfiles = [\"assets/a.txt\"]\nvariables = { v = \"{{ v }}\" }\n"
    });
    let mut kept = Client::connect(host.address);
    assert_eq!(kept.send(get("/b")).header("x-fixture"), "proxy02");
    reload_well(&host);
    // On the connection of before as well.
    for path in ["/", "/b/x"] {
        assert_eq!(kept.send(get(path)).status, 404, "{path}");
    }
    for path in ["/only", "/b"] {
        assert_eq!(kept.send(get(path)).status, 200, "{path}");
    }
    let ask = |what: &str, argument: &str| {
        let request = Request::get("/b").header("x-do", what);
        let answer = host.send(request.header("x-arg", argument).body(Vec::new()).unwrap());
        answer.json()
    };
    assert_eq!(ask("variable", "v"), "default");
    assert_eq!(ask("read", "/assets/a.txt"), "an asset\n");
    assert!(
        host.admin("/metrics")
            .text()
            .contains("wasm_component=\"b\"")
    );

    // And away again, with another file and value.
    app.write("assets/a.txt", "another\n");
    app.edit(|text| text.replace("default = \"default\"", "default = \"other\""));
    reload_well(&host);
    assert_eq!(ask("variable", "v"), "other");
    assert_eq!(ask("read", "/assets/a.txt"), "another\n");
    app.edit(|text| {
        text.split("[[trigger.http]]\nroute = \"/b\"")
            .next()
            .unwrap()
            .to_owned()
    });
    reload_well(&host);
    assert_eq!(host.get("/b").status, 404);
    until_nothing_drains(&host);
}

#[test]
fn requests_under_way_are_finished_by_the_version_they_began_with_or_ended_in_time() {
    let app = FixtureApp::echo(
        "environment = { A = \"old\" }\nallowed_outbound_hosts = [\"http://self\"]",
    );
    let host = Up::new(app.manifest())
        .args(["--drain-timeout", "5s"])
        .start();
    let send = |what: &str, argument: &str| {
        let (address, request) = (host.address, deed(what, argument));
        std::thread::spawn(move || Client::connect(address).send(request))
    };
    let (short, long) = (send("wait", "2000"), send("wait", "60000"));
    deadline::until("two guests to work", || {
        (metric(&host, "wasm_instances_live{") == 2.0).then_some(())
    });
    app.edit(|text| text.replace("old", "new"));
    let begun = Instant::now();
    let now = reload_well(&host);
    assert_eq!(now["draining"], 1);
    assert_eq!(host.send(deed("env", "")).json()["A"], "new");
    assert_eq!(short.join().unwrap().json()["waited"], 2000);
    assert_eq!(long.join().unwrap().status, 504);
    assert!(begun.elapsed() >= Duration::from_secs(5));
    until_nothing_drains(&host);
    host.log.wait_for_log("the end of the old version", |line| {
        line["message"] == "a replaced version is gone" && line["fields"]["generation"] == 1
    });
}

#[test]
fn components_of_a_replaced_version_still_send_their_telemetry() {
    let receiver = Receiver::start();
    let app = spinfo(1);
    let host = exporting(&app, &receiver.url())
        .env("OTEL_EXPORTER_OTLP_ENDPOINT", receiver.url())
        .env("OTEL_BSP_SCHEDULE_DELAY", "100")
        .start();
    let first = revision(&host);
    let address = host.address;
    let slow = std::thread::spawn(move || Client::connect(address).send(get("/delay/2")));
    deadline::until("a guest to work", || {
        (metric(&host, "wasm_instances_live{") == 1.0).then_some(())
    });
    app.edit(|text| text.replace(&greeting(1), &greeting(2)));
    let second = reload_well(&host);
    let slow = slow.join().unwrap();
    assert_eq!(slow.status, 200);
    let fast = host.get("/");
    // The server's span and the component's, and which version each request was served by.
    for (answer, revision) in [(&slow, &first), (&fast, &second)] {
        deadline::until("the spans of a request", || {
            receiver.look(|received| {
                let spans = received.traces.iter().flat_map(|group| {
                    let component = group.resource.as_ref().is_some_and(|resource| {
                        attribute(&resource.attributes, "wasm.component").is_some()
                    });
                    let spans = group.scope_spans.iter().flat_map(|scope| &scope.spans);
                    spans.map(move |span| (component, span))
                });
                let trace = |span: &[u8]| {
                    span.iter()
                        .map(|byte| format!("{byte:02x}"))
                        .collect::<String>()
                };
                let spans: Vec<_> = spans
                    .filter(|(_, span)| trace(&span.trace_id) == answer.trace_id())
                    .collect();
                let served_by = spans
                    .iter()
                    .find_map(|(_, span)| attribute(&span.attributes, "spinfo.app.revision"))?;
                assert_eq!(served_by, revision["revision"].as_str().unwrap());
                spans.iter().any(|(component, _)| *component).then_some(())
            })
        });
    }
    let page = host.admin("/metrics");
    let mut lines = page.text().lines();
    let info = lines.find(|line| line.starts_with("spinfo_app_info{"));
    let (labels, value) = info.unwrap().rsplit_once(' ').unwrap();
    assert_eq!(value, "1");
    assert!(labels.contains("spinfo_app_generation=\"2\""), "{labels}");
    let named = format!("spinfo_app_revision={}", second["revision"]);
    assert!(labels.contains(&named), "{named} is not in {labels}");
}

#[test]
fn what_stores_hold_in_memory_outlives_a_reload() {
    let app = FixtureApp::echo("key_value_stores = [\"default\"]");
    app.write("runtime-config.toml", "state_dir = \"\"\n");
    let config = app.path("runtime-config.toml");
    let host = Up::new(app.manifest())
        .without_env("STATE_DIR")
        .args(["--runtime-config-file".as_ref(), config.as_os_str()])
        .start();
    let set = Request::put("/")
        .header("x-do", "set")
        .header("x-arg", "key");
    assert_eq!(host.send(set.body(b"value".to_vec()).unwrap()).status, 200);
    app.edit(|text| format!("{text}environment = {{ A = \"new\" }}\n"));
    reload_well(&host);
    assert_eq!(host.send(deed("env", "")).json()["A"], "new");
    assert_eq!(host.send(deed("get", "key")).json(), "value");
}

#[test]
fn a_new_certificate_is_used_for_the_next_connections_and_a_bad_one_is_refused() {
    let (app, first, second) = (FixtureApp::echo(""), Certificate::new(), Certificate::new());
    let put = |certificate: &Certificate| {
        fs::copy(certificate.file(), app.path("cert.pem")).unwrap();
        fs::copy(certificate.key(), app.path("key.pem")).unwrap();
    };
    put(&first);
    let (cert, key) = (app.path("cert.pem"), app.path("key.pem"));
    let flags = [
        "--tls-cert".as_ref(),
        cert.as_os_str(),
        "--tls-key".as_ref(),
        key.as_os_str(),
    ];
    let host = Up::new(app.manifest()).args(flags).start();
    let connect =
        |certificate: &Certificate| Client::connect_tls(host.address, &certificate.client(&["h2"]));
    let (mut kept, _) = connect(&first).unwrap();

    fs::copy(second.file(), app.path("cert.pem")).unwrap();
    let refused = reload(&host);
    assert!(
        refused["problem"]
            .as_str()
            .unwrap()
            .contains("don't make a pair"),
        "{refused}"
    );
    assert!(connect(&first).is_ok());

    put(&second);
    reload_well(&host);
    assert!(connect(&first).is_err());
    assert_eq!(connect(&second).unwrap().0.send(get("/")).status, 200);
    assert_eq!(kept.send(get("/")).status, 200);
}
