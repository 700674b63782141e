//! The server is told to change its state, and has to show that it did.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use crate::program::{Ended, Program, run};
use crate::server::{Reply, Server, answer};
use crate::status::StatusServer;

const OFTEN: [&str; 6] = [
    "--interval",
    "20ms",
    "--change-interval",
    "100ms",
    "--change-timeout",
    "200ms",
];

fn monitor(url: &str, flags: &[&str]) -> Ended {
    run(&[&[url], &OFTEN[..], flags].concat())
}

#[test]
fn a_change_takes_effect_and_is_put_back_at_the_end() {
    let status = StatusServer::start();
    let program =
        Program::start(&[&[status.url().as_str(), "--fail-over", "0"], &OFTEN[..]].concat());
    let seen = program.wait_for("change", |line| line["kind"] == "change");
    assert_eq!(
        (&seen["result"], &seen["method"], &seen["success"]),
        (&"ok".into(), &"POST".into(), &true.into())
    );
    assert_eq!(
        (&seen["state"], &seen["revision"], &seen["seen_revision"]),
        (&"failing".into(), &1.into(), &1.into())
    );
    program.signal("TERM");
    let ended = program.wait();
    // 503 is what was asked for, so no request has failed.
    assert_eq!(ended.code, Some(0), "{:?}", ended.stdout);
    assert_eq!(status.state().state, "ok");
    let last = ended.changes().pop();
    if let Some(last) = last.filter(|change| change["method"] == "DELETE") {
        assert_eq!(
            (&last["result"], &last["state"]),
            (&"ok".into(), &"ok".into())
        );
    }
    let summary = ended.summary();
    assert_eq!(
        (&summary["failures"], &summary["changes"]["failed"]),
        (&0.into(), &0.into())
    );
}

#[test]
fn a_state_that_was_asked_for_is_no_failure_and_is_put_back() {
    let status = StatusServer::start();
    // One change, and the run ends before the next.
    let flags = [
        "--change-interval",
        "400ms",
        "--duration",
        "700ms",
        "--fail-over",
        "0",
    ];
    let ended = monitor(&status.url(), &flags);
    assert_eq!(ended.code, Some(0), "{:?}", ended.stdout);
    let failing = ended
        .requests()
        .into_iter()
        .find(|request| request["status"] == 503)
        .unwrap();
    assert_eq!(
        (&failing["success"], &failing["error"]),
        (&true.into(), &serde_json::Value::Null)
    );
    let changes: Vec<_> = ended
        .changes()
        .iter()
        .map(|change| (change["method"].clone(), change["result"].clone()))
        .collect();
    assert_eq!(
        changes,
        [("POST".into(), "ok".into()), ("DELETE".into(), "ok".into())]
    );
    let state = status.state();
    assert_eq!((state.state, state.revision), ("ok", 2));
}

#[test]
fn with_keep_state_it_stays() {
    let status = StatusServer::start();
    monitor(
        &status.url(),
        &[
            "--change-interval",
            "400ms",
            "--duration",
            "700ms",
            "--keep-state",
        ],
    );
    assert_eq!(
        (status.state().state, status.count("DELETE")),
        ("failing", 0)
    );
}

#[test]
fn without_an_interval_nothing_is_changed() {
    let status = StatusServer::start();
    let ended = monitor(&status.url(), &["--change-interval", "0", "--count", "20"]);
    assert_eq!(
        (
            status.count("POST"),
            status.count("DELETE"),
            ended.changes().len()
        ),
        (0, 0, 0)
    );
}

#[test]
fn a_change_that_is_lost_is_a_mismatch() {
    let status = StatusServer::start_with(|request, state| {
        // A replica that never hears of it.
        let lost = state
            .document()
            .to_string()
            .replace("\"revision\":0", "\"revision\":1");
        (request.method == "POST").then(|| answer(200, &lost))
    });
    let program = Program::start(&[&[status.url().as_str()], &OFTEN[..]].concat());
    let change = program.wait_for("change", |line| line["kind"] == "change");
    assert_eq!(
        (&change["result"], &change["success"]),
        (&"mismatch".into(), &false.into())
    );
    assert_eq!(
        change["error"]["message"],
        "revision 0 is still shown, 1 was promised"
    );
    assert!(
        change["duration_seconds"].as_f64().unwrap() >= 0.2,
        "{change}"
    );
}

#[test]
fn a_change_that_another_monitor_has_overtaken_took_effect() {
    let status = StatusServer::start_with(|request, state| {
        (request.method == "POST").then(|| {
            state.change("failing", 503);
            let reply = state.told();
            state.change("ok", 200);
            reply
        })
    });
    let ended = monitor(
        &status.url(),
        &[
            "--change-interval",
            "400ms",
            "--duration",
            "700ms",
            "--fail-over",
            "0",
        ],
    );
    let changes = ended.changes();
    assert_eq!(changes.len(), 1);
    let change = &changes[0];
    assert_eq!(
        (
            &change["result"],
            &change["revision"],
            &change["seen_revision"]
        ),
        (&"ok".into(), &1.into(), &2.into())
    );
    assert_eq!(ended.code, Some(0));
    assert_eq!(status.count("DELETE"), 0, "the state is the other's");
}

#[test]
fn a_state_that_somebody_else_has_set_is_a_failure() {
    let status = StatusServer::start();
    status.state().change("failing", 503);
    let ended = monitor(
        &status.url(),
        &[
            "--change-interval",
            "0",
            "--count",
            "3",
            "--fail-over",
            "50%",
        ],
    );
    assert_eq!(ended.code, Some(1));
    let request = &ended.requests()[0];
    assert_eq!(
        (&request["success"], &request["state"], &request["revision"]),
        (&false.into(), &"failing".into(), &1.into())
    );
    assert_eq!(
        request["error"]["message"],
        "503 Service Unavailable: the server's state is failing"
    );
}

#[test]
fn a_server_without_the_endpoint_is_asked_and_told_of_once() {
    for code in [404, 405] {
        let server = Server::start(move |request| {
            answer(if request.method == "POST" { code } else { 200 }, "")
        });
        let ended = monitor(&server.url(), &["--duration", "600ms", "--fail-over", "0"]);
        let posts = server
            .requests()
            .iter()
            .filter(|request| request.method == "POST")
            .count();
        assert_eq!((posts, ended.code), (1, Some(0)));
        let changes = ended.changes();
        assert_eq!(changes.len(), 1);
        assert_eq!(
            (&changes[0]["result"], &changes[0]["status"]),
            (&"unsupported".into(), &code.into())
        );
        assert_eq!(ended.summary()["changes"]["unsupported"], true);
    }
}

#[test]
fn a_token_is_sent_with_changes_only_and_is_never_shown() {
    let status = StatusServer::start_with(|request, _| {
        let allowed = request.header("authorization") == Some("Bearer s3cret");
        assert!(
            !allowed || request.method != "GET",
            "the token is for changes"
        );
        (request.method != "GET" && !allowed).then(|| answer(401, ""))
    });
    let url = status.url();
    let once = [
        &[url.as_str()],
        &OFTEN[..],
        &["--change-interval", "300ms", "--duration", "550ms"],
    ]
    .concat();

    let ended = run(&once);
    let change = ended.changes().remove(0);
    assert_eq!(change["result"], "failed");
    let advice =
        "401 Unauthorized: the server wants a token: --admin-token-file or SPINFO_ADMIN_TOKEN";
    assert_eq!(change["error"]["message"], advice);

    let ended = Program::start_with(&once, &[("SPINFO_ADMIN_TOKEN", "s3cret")]).wait();
    let results: Vec<_> = ended
        .changes()
        .iter()
        .map(|change| change["result"].clone())
        .collect();
    assert_eq!(results, ["ok", "ok"]);
    assert!(!(ended.stdout.join("") + &ended.stderr).contains("s3cret"));

    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), "s3cret\n").unwrap();
    let ended = run(&[
        &once[..],
        &["--admin-token-file", file.path().to_str().unwrap()],
    ]
    .concat());
    assert_eq!(ended.changes()[0]["result"], "ok");
}

#[test]
fn a_change_whose_answer_is_lost_is_put_back_all_the_same() {
    let heard = AtomicBool::new(false);
    let status = StatusServer::start_with(move |request, state| {
        (request.method == "POST" && !heard.swap(true, Ordering::Relaxed)).then(|| {
            state.change("failing", 503);
            Reply::Last(Vec::new())
        })
    });
    let ended = monitor(
        &status.url(),
        &["--change-interval", "400ms", "--duration", "700ms"],
    );
    let changes = ended.changes();
    assert_eq!(
        (&changes[0]["result"], &changes[0]["error"]["type"]),
        (&"failed".into(), &"reset".into())
    );
    assert_eq!(
        (status.count("POST"), status.count("DELETE")),
        (1, 1),
        "a POST is not repeated"
    );
    assert_eq!(status.state().state, "ok");
}

#[test]
fn a_slow_change_costs_ticks_and_no_second_request() {
    let status = StatusServer::start_with(|request, state| {
        (request.method == "POST").then(|| {
            state.change("ok", 200);
            Reply::After(Duration::from_millis(150), Box::new(state.told()))
        })
    });
    let ended = monitor(&status.url(), &["--duration", "800ms"]);
    assert_eq!(status.server.most_under_way(), 1);
    assert!(
        ended.summary()["missed"].as_u64().unwrap() >= 5,
        "{}",
        ended.summary()
    );
}
