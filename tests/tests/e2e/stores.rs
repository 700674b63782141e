//! The key-value store: no write is lost, and replicas share one.

use http::Request;
use serde_json::json;
use spinfo_tests::{Answer, Client, FixtureApp, Host, Redis, Up, client::RUNTIME, deadline};
use tokio::task::JoinSet;

fn set(host: &Host, key: &str, value: &str) {
    let request = Request::put("/").header("x-do", "set").header("x-arg", key);
    assert_eq!(host.send(request.body(value.into()).unwrap()).status, 200);
}

fn get(host: &Host, key: &str) -> Answer {
    host.send(
        Request::get("/")
            .header("x-do", "get")
            .header("x-arg", key)
            .body(Vec::new())
            .unwrap(),
    )
}

const STORE: &str = "key_value_stores = [\"default\"]";

#[test]
fn a_hundred_writers_at_a_time_all_succeed() {
    let app = FixtureApp::echo(STORE);
    let host = Up::new(app.manifest()).start();
    let address = host.address;
    RUNTIME.block_on(async {
        let mut writers = JoinSet::new();
        for number in 0..100 {
            writers.spawn(async move {
                let request = Request::put("/")
                    .header("x-do", "set")
                    .header("x-arg", format!("key-{number}"));
                let body = number.to_string().into_bytes();
                Client::open(address)
                    .await
                    .unwrap()
                    .exchange(request.body(body).unwrap())
                    .await
                    .unwrap()
            });
        }
        while let Some(answer) = writers.join_next().await {
            let answer = answer.unwrap();
            assert_eq!(answer.status, 200, "{answer:?}");
        }
    });
    for number in 0..100 {
        assert_eq!(
            get(&host, &format!("key-{number}")).json(),
            json!(number.to_string())
        );
    }
}

#[test]
fn a_hundred_changes_of_the_status_at_a_time_all_succeed() {
    let host = Up::spinfo().start();
    let address = host.address;
    RUNTIME.block_on(async {
        let mut writers = JoinSet::new();
        for number in 0..100 {
            writers.spawn(async move {
                let request = Request::put("/status").header("content-type", "application/json");
                let body = json!({ "code": 200 + number }).to_string().into_bytes();
                Client::open(address)
                    .await
                    .unwrap()
                    .exchange(request.body(body).unwrap())
                    .await
                    .unwrap()
                    .status
            });
        }
        while let Some(status) = writers.join_next().await {
            assert_eq!(status.unwrap(), 200);
        }
    });
}

#[test]
fn what_was_acknowledged_is_there_after_a_crash() {
    let app = FixtureApp::echo(STORE);
    let state = tempfile::tempdir().unwrap();
    for round in 0..5 {
        let mut host = Up::new(app.manifest()).state(state.path()).start();
        for earlier in 0..round {
            assert_eq!(
                get(&host, &format!("round-{earlier}")).json(),
                "kept",
                "round {round}"
            );
        }
        set(&host, &format!("round-{round}"), "kept");
        host.kill();
    }
}

#[test]
fn the_default_store_is_where_spin_has_it() {
    let app = FixtureApp::echo(STORE);
    let host = Up::new(app.manifest()).without_env("STATE_DIR").start();
    set(&host, "key", "value");
    assert!(app.path(".spin/sqlite_key_value.db").exists());
}

#[test]
fn a_store_is_open_only_to_components_that_were_given_it() {
    let app = FixtureApp::echo("");
    let host = Up::new(app.manifest()).start();
    let answer = get(&host, "key");
    assert_eq!(answer.status, 502);
    assert!(
        answer.text().contains("AccessDenied") || answer.text().contains("denied"),
        "{}",
        answer.text()
    );
}

#[test]
fn a_file_that_is_no_store_stops_the_start() {
    let app = FixtureApp::echo(STORE);
    app.write(
        "runtime-config.toml",
        "[key_value_store.default]\ntype = \"spin\"\npath = \"store.db\"\n",
    );
    app.write("store.db", &"this is no database ".repeat(100));
    let config = app.path("runtime-config.toml");
    let (code, text) = Up::new(app.manifest())
        .args(["--runtime-config-file".as_ref(), config.as_os_str()])
        .fail();
    assert_eq!(code, Some(1), "{text}");
    assert!(text.contains("store.db"), "{text}");
}

#[test]
#[ignore = "needs redis-server"]
fn replicas_share_a_redis_store_and_are_not_ready_without_it() {
    let app = FixtureApp::echo(STORE);
    let redis = Redis::start();
    app.write(
        "runtime-config.toml",
        &format!(
            "[key_value_store.default]\ntype = \"redis\"\nurl = \"{}\"\n",
            redis.url()
        ),
    );
    let config = app.path("runtime-config.toml");
    let start = || {
        Up::new(app.manifest())
            .args(["--runtime-config-file".as_ref(), config.as_os_str()])
            .start()
    };
    let (one, other) = (start(), start());
    set(&one, "key", "shared");
    assert_eq!(get(&other, "key").json(), "shared");
    assert_eq!(one.admin("/readyz").status, 200);
    drop(redis);
    deadline::until("readiness to say no", || {
        (one.admin("/readyz").status == 503).then_some(())
    });
    assert_eq!(one.admin("/livez").status, 200);
    let answer = get(&one, "key");
    assert_eq!(answer.status, 502, "{answer:?}");
}
