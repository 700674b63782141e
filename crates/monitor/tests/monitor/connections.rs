//! One connection for all requests, or one for each.

use crate::program::run;
use crate::server::{Reply, Server, answer};

/// Which connection each request came on, and whether the report says that it was there already.
fn connections(server: &Server, flags: &[&str]) -> (Vec<usize>, Vec<bool>) {
    let url = server.url();
    let ended = run(&[
        &[
            url.as_str(),
            "--count",
            "3",
            "--interval",
            "20ms",
            "--fail-over",
            "0",
        ],
        flags,
    ]
    .concat());
    assert_eq!(ended.code, Some(0), "{:?}", ended.stdout);
    let connections = server
        .requests()
        .iter()
        .map(|request| request.connection)
        .collect();
    let requests = ended.requests();
    for request in &requests {
        let reused = request["reused"] == true;
        assert_eq!(request["phases"]["connect"].is_null(), reused, "{request}");
        assert!(request["phases"]["first_byte"].is_f64(), "{request}");
    }
    (
        connections,
        requests
            .iter()
            .map(|request| request["reused"] == true)
            .collect(),
    )
}

#[test]
fn a_connection_is_kept() {
    let server = Server::start(|_| answer(200, ""));
    assert_eq!(
        connections(&server, &[]),
        (vec![0, 0, 0], vec![false, true, true])
    );
}

#[test]
fn with_no_keepalive_each_request_has_its_own() {
    let server = Server::start(|_| answer(200, ""));
    assert_eq!(
        connections(&server, &["--no-keepalive"]),
        (vec![0, 1, 2], vec![false, false, false])
    );
}

#[test]
fn an_idle_connection_that_the_server_has_closed_is_no_failure() {
    let server =
        Server::start(|_| Reply::Last(b"HTTP/1.1 200 X\r\ncontent-length: 0\r\n\r\n".to_vec()));
    assert_eq!(
        connections(&server, &[]),
        (vec![0, 1, 2], vec![false, false, false])
    );
}

#[test]
fn requests_carry_the_headers_that_are_asked_for() {
    let server = Server::start(|_| answer(200, ""));
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), "s3cret\n").unwrap();
    let secret = format!("X-Api-Key: @{}", file.path().display());
    let url = server.url().replace("http://", "http://me:hunter2@");
    let ended = run(&[&url, "-n", "1", "-H", &secret, "-H", "X-Two: 2"]);
    let request = &server.requests()[0];
    assert_eq!(
        (request.header("x-api-key"), request.header("x-two")),
        (Some("s3cret"), Some("2"))
    );
    assert!(
        request
            .header("user-agent")
            .unwrap()
            .starts_with("spinfo-monitor/")
    );
    assert_eq!(
        request.header("authorization"),
        Some("Basic bWU6aHVudGVyMg==")
    );
    let all = ended.stdout.join("\n") + &ended.stderr;
    assert!(!all.contains("s3cret") && !all.contains("hunter2"), "{all}");
}

#[test]
fn names_are_resolved_as_told() {
    let server = Server::start(|_| answer(200, ""));
    let port = server.port();
    let ended = run(&[
        &format!("http://shop.example:{port}"),
        "-n",
        "1",
        "--resolve",
        &format!("shop.example:{port}:127.0.0.1"),
        "--fail-over",
        "0",
    ]);
    assert_eq!(ended.code, Some(0), "{:?}", ended.stdout);
    assert_eq!(
        server.requests()[0].header("host"),
        Some(format!("shop.example:{port}").as_str())
    );
}
