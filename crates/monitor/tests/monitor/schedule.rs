//! A slow server neither piles requests up nor hides that it is slow.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use crate::program::run;
use crate::server::{Reply, Server, answer};

fn number(value: &serde_json::Value) -> f64 {
    value
        .as_f64()
        .unwrap_or_else(|| panic!("{value} is no number"))
}

#[test]
fn ticks_that_a_slow_answer_takes_are_missed_and_not_made_up_for() {
    let server =
        Server::start(|_| Reply::After(Duration::from_millis(350), Box::new(answer(200, ""))));
    let ended = run(&[&server.url(), "--count", "3", "--interval", "100ms"]);
    let summary = ended.summary();
    // Three between each two; on a slow machine one more now and then.
    let missed = summary["missed"].as_u64().unwrap();
    assert!((6..20).contains(&missed), "{summary}");
    assert_eq!(summary["requests"], 3);
    assert_eq!(server.most_under_way(), 1);
    assert!(ended.stderr.contains("missed"), "{}", ended.stderr);
}

#[test]
fn a_silent_server_has_one_request_at_a_time_too() {
    let server = Server::start(|_| Reply::Silence);
    let ended = run(&[
        &server.url(),
        "--count",
        "3",
        "--interval",
        "20ms",
        "--timeout",
        "100ms",
        "--no-keepalive",
    ]);
    let summary = ended.summary();
    assert_eq!(
        (&summary["requests"], &summary["errors"]["timeout"]),
        (&3.into(), &3.into())
    );
    assert!(summary["missed"].as_u64().unwrap() >= 8, "{summary}");
}

#[test]
fn percentiles_count_what_was_not_asked_during_a_stall() {
    // One of twenty answers takes a second: without the correction it would be beyond p95.
    let answered = AtomicUsize::new(0);
    let server = Server::start(move |_| match answered.fetch_add(1, Ordering::Relaxed) {
        10 => Reply::After(Duration::from_secs(1), Box::new(answer(200, ""))),
        _ => answer(200, ""),
    });
    let summary = run(&[&server.url(), "--count", "20", "--interval", "50ms"]).summary();
    let latency = &summary["latency_seconds"];
    assert!(number(&latency["p95"]) > 0.8, "{latency}");
    assert!(number(&latency["max"]) >= 1.0, "{latency}");
    assert!(number(&latency["p50"]) < 0.5, "{latency}");
}

#[test]
fn one_request_takes_one_interval() {
    let server = Server::start(|_| answer(200, ""));
    let ended = run(&[&server.url(), "--count", "1", "--interval", "10s"]);
    assert_eq!(number(&ended.summary()["rate"]), 0.1);
    assert!(
        ended.stderr.contains("1 request, 0.10/s in"),
        "{}",
        ended.stderr
    );
}

#[test]
fn a_duration_bounds_the_run() {
    let server = Server::start(|_| answer(200, ""));
    let ended = run(&[&server.url(), "--duration", "900ms", "--interval", "200ms"]);
    let summary = ended.summary();
    let ticks = summary["requests"].as_u64().unwrap() + summary["missed"].as_u64().unwrap();
    assert_eq!(ticks, 5, "{summary}");
    assert!(number(&summary["duration_seconds"]) >= 0.9, "{summary}");
}

#[test]
fn several_targets_are_asked_in_turn() {
    let server = Server::start(|_| answer(200, ""));
    let url = server.url();
    let (one, two) = (format!("{url}/one"), format!("{url}/two/"));
    run(&[&one, &two, "--count", "2", "--interval", "400ms"]);
    let paths: Vec<_> = server
        .requests()
        .into_iter()
        .map(|request| request.path)
        .collect();
    assert_eq!(
        paths,
        ["/one/status", "/two/status", "/one/status", "/two/status"]
    );
}
