//! Another version of the application in the place of the running one: at once, whole, and without a request that notices.

use std::fs;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use http::Request;
use serde_json::Value;
use spinfo_tests::receiver::attribute;
use spinfo_tests::tls::Certificate;
use spinfo_tests::{Client, FixtureApp, Host, Receiver, Up, artifacts, deadline};

fn get(path: &str) -> Request<Vec<u8>> {
    Request::get(path).body(Vec::new()).unwrap()
}

fn deed(deed: &str, argument: &str) -> Request<Vec<u8>> {
    let request = Request::get("/").header("x-do", deed);
    request.header("x-arg", argument).body(Vec::new()).unwrap()
}

/// This workspace's application in a folder where a test may edit it, with its greeting made of a number.
fn spinfo(number: u64) -> FixtureApp {
    FixtureApp::spinfo(&greeting(number))
}

fn greeting(number: u64) -> String {
    format!("greeting {number}.")
}

fn number(text: &str) -> u64 {
    let number = text.strip_prefix("greeting ").unwrap().trim_end();
    number.strip_suffix('.').unwrap().parse().unwrap()
}

/// Exports nothing.
fn quiet(app: &FixtureApp) -> Up {
    Up::new(app.manifest()).args(["--variable", "otlp_endpoint="])
}

fn reloads(revision: &Value) -> u64 {
    let count = |result: &str| revision["reloads"][result].as_u64().unwrap();
    count("ok") + count("refused")
}

fn revision(host: &Host) -> Value {
    host.admin("/revision").json()
}

/// Waits until there were more reloads than before: what is served then.
fn reloaded_since(host: &Host, before: &Value) -> Value {
    deadline::until("a reload", || {
        let now = revision(host);
        (reloads(&now) > reloads(before)).then_some(now)
    })
}

/// Reloads and waits for the outcome.
fn reload(host: &Host) -> Value {
    let before = revision(host);
    host.signal("HUP");
    reloaded_since(host, &before)
}

fn reload_well(host: &Host) -> Value {
    let now = reload(host);
    assert_eq!(now["problem"], Value::Null, "{now}");
    now
}

fn until_nothing_drains(host: &Host) {
    deadline::until("the old versions to be gone", || {
        (revision(host)["draining"] == 0).then_some(())
    });
}

/// Sends requests in each way there is until `done`; each gets its whole answer, and no thread ever sees an older version than
/// one that was there when it asked.
fn steady(address: SocketAddr, loaded: &AtomicU64, done: &AtomicBool) -> u64 {
    let answers = AtomicU64::new(0);
    let count = || answers.fetch_add(1, Ordering::Relaxed);
    let (count, going) = (&count, &|| !done.load(Ordering::Relaxed));
    std::thread::scope(|scope| {
        for way in 0..6 {
            scope.spawn(move || {
                let connect = || match way {
                    0 => Client::connect_http2(address),
                    _ => Client::connect(address),
                };
                let mut client = connect();
                while going() {
                    // Some keep their connection, others never do.
                    if way > 2 {
                        client = connect();
                    }
                    let least = loaded.load(Ordering::Acquire);
                    let answer = client.send(get("/"));
                    assert_eq!(answer.status, 200, "{answer:?}");
                    assert!(number(answer.text()) >= least, "{answer:?} after {least}");
                    count();
                }
            });
        }
        for _ in 0..2 {
            scope.spawn(move || {
                while going() {
                    let answer = Client::connect(address).send(get("/delay/1"));
                    assert_eq!(answer.status, 200, "{answer:?}");
                    let streamed = Client::connect(address).send(get("/chunked/1"));
                    assert_eq!(streamed.json()["delay"], 1);
                    count();
                }
            });
        }
        scope.spawn(move || {
            let mut client = Client::connect(address);
            while going() {
                let upload = Request::post("/echo").body(vec![b'a'; 100_000]).unwrap();
                let answer = client.send(upload);
                assert_eq!((answer.status.as_u16(), answer.body.len()), (202, 100_000));
                count();
            }
        });
    });
    answers.into_inner()
}

#[test]
fn no_request_fails_while_versions_follow_each_other() {
    const VERSIONS: u64 = 8;
    let app = spinfo(1);
    let host = quiet(&app).start();
    let (loaded, done) = (AtomicU64::new(1), AtomicBool::new(false));
    let answers = std::thread::scope(|scope| {
        let load = scope.spawn(|| steady(host.address, &loaded, &done));
        for version in 2..=VERSIONS {
            app.edit(|text| text.replace(&greeting(version - 1), &greeting(version)));
            let now = reload_well(&host);
            assert_eq!(now["generation"], version);
            loaded.store(version, Ordering::Release);
            // Some requests to each version.
            let before = served(&host);
            deadline::until("requests to be served", || {
                (served(&host) > before + 50.0).then_some(())
            });
        }
        done.store(true, Ordering::Relaxed);
        load.join().unwrap()
    });
    assert!(answers > 50 * VERSIONS, "only {answers} answers");
    until_nothing_drains(&host);
    let page = host.admin("/metrics");
    let failed = |line: &&str| line.contains("error_type=") || line.contains("status_code=\"5");
    let failed: Vec<_> = page.text().lines().filter(failed).collect();
    assert!(failed.is_empty(), "{failed:#?}");
    assert_eq!(counted(&host, "ok"), VERSIONS - 1);
}

/// Requests that were answered.
fn served(host: &Host) -> f64 {
    metric(host, "http_server_request_duration_seconds_count")
}

/// How many reloads there were with an outcome.
fn counted(host: &Host, outcome: &str) -> u64 {
    let page = host.admin("/metrics");
    let label = format!("spinfo_reload_result=\"{outcome}\"");
    let mut lines = page.text().lines();
    let line =
        lines.find(|line| line.starts_with("spinfo_reloads_total{") && line.contains(&label));
    let value = line.and_then(|line| line.split_whitespace().last());
    value.expect("reloads are counted").parse().unwrap()
}

/// The sum of a metric over its attributes.
fn metric(host: &Host, name: &str) -> f64 {
    let page = host.admin("/metrics");
    let lines = page
        .text()
        .lines()
        .filter_map(|line| line.strip_prefix(name)?.split_once('}'));
    lines
        .filter_map(|(_, value)| value.split_whitespace().next()?.parse::<f64>().ok())
        .sum()
}

#[test]
fn a_small_pool_is_enough_for_two_versions() {
    let receiver = Receiver::start();
    let app = spinfo(1);
    // Instances that send their telemetry keep their place until they have.
    let host = Up::new(app.manifest())
        .args([
            "--variable".to_owned(),
            format!("otlp_endpoint={}", receiver.url()),
        ])
        .args(["--workers", "1", "--max-in-flight", "2"])
        // As many as there are by default for so many requests. None is replaced for its age, which would take a place too.
        .args(["--max-instances", "4"])
        .args(["--max-instance-reuse-count", "1000000"])
        .start();
    let (address, done) = (host.address, &AtomicBool::new(false));
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(move || {
                let mut client = Client::connect(address);
                while !done.load(Ordering::Relaxed) {
                    let answer = client.send(get("/"));
                    assert_eq!(answer.status, 200, "{answer:?}");
                }
            });
        }
        for version in 2..12 {
            app.edit(|text| text.replace(&greeting(version - 1), &greeting(version)));
            reload_well(&host);
        }
        done.store(true, Ordering::Relaxed);
    });
}

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
    let host = Up::new(app.manifest())
        .args([
            "--variable".to_owned(),
            format!("otlp_endpoint={}", receiver.url()),
        ])
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

#[test]
fn memory_does_not_grow_with_reloads() {
    let app = spinfo(1);
    let host = quiet(&app).start();
    let cycle = |from: u64, to: u64| {
        for version in from..to {
            app.edit(|text| text.replace(&greeting(version), &greeting(version + 1)));
            reload_well(&host);
            for _ in 0..20 {
                assert_eq!(number(host.get("/").text()), version + 1);
            }
            // How many versions there are at a time depends on how fast the test is.
            until_nothing_drains(&host);
        }
        host.resident_memory()
    };
    let warm = cycle(1, 11);
    let after = cycle(11, 41);
    // One version's code and files are about 10 MB.
    assert!(
        after < warm + (16 << 20),
        "{} MiB, then {} MiB",
        warm >> 20,
        after >> 20
    );
    assert_eq!(revision(&host)["generation"], 41);
}
