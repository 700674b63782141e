//! What an answer has to be.

use std::sync::Mutex;

use crate::program::probe_no_clock;
use crate::server::{Reply, Server, answer, well};

#[test]
fn a_wrong_status_is_critical_and_an_expected_one_is_not() {
    let server = Server::start(|_| Reply::Send(answer("503 Service Unavailable", &[], "no")));
    let said = probe_no_clock(&[&server.url("/")]);
    said.expect(2, "HTTP 503 in ");
    said.expect(2, "expected 2xx");
    probe_no_clock(&[&server.url("/"), "--expect-status", "200,503"]).expect(0, "HTTP 503");
    let said = probe_no_clock(&[&server.url("/"), "--json"]);
    assert_eq!(said.json()["http"]["status"], 503);
    assert_eq!(said.json()["findings"][0]["error_type"], "status");
}

#[test]
fn a_wrong_body_is_critical() {
    let server = Server::start(well);
    let url = server.url("/");
    probe_no_clock(&[&url, "--expect-text", "well"]).expect(0, "HTTP 200");
    probe_no_clock(&[&url, "--expect-text", "sick"]).expect(2, r#"does not contain "sick""#);
    probe_no_clock(&[&url, "--expect-body", "^w[aeiou]ll\n$"]).expect(0, "HTTP 200");
    // The message names the expression, and must not end at its `|`.
    let said = probe_no_clock(&[&url, "--expect-body", "sick|ill"]);
    said.expect(2, "does not match /sick/ill/");
}

#[test]
fn another_attempt_may_succeed() {
    let server = Server::start(|request| match request.index {
        0 | 1 => Reply::Send(answer("500 Internal Server Error", &[], "")),
        _ => well(request),
    });
    let arguments = [&*server.url("/"), "--retries", "3", "--retry-pause", "1ms"];
    let said = probe_no_clock(&arguments);
    said.expect(0, "(attempt 3 of 4)");
    assert_eq!(server.requests().len(), 3);
}

#[test]
fn attempts_end() {
    let server = Server::start(|_| Reply::Send(answer("500 Internal Server Error", &[], "")));
    let url = server.url("/");
    let said = probe_no_clock(&[&url, "--retries", "2", "--retry-pause", "1ms"]);
    said.expect(2, "(attempt 3 of 3)");
    assert_eq!(server.requests().len(), 3);
    probe_no_clock(&[&url]).expect(2, "HTTP 500");
    assert_eq!(server.requests().len(), 4);
}

#[test]
fn an_attempt_does_not_depend_on_the_connection_of_the_one_before() {
    let first = Mutex::new(true);
    let server = Server::start(move |request| {
        if std::mem::take(&mut *first.lock().unwrap()) {
            Reply::Last(Vec::new())
        } else {
            well(request)
        }
    });
    probe_no_clock(&[&server.url("/"), "--retries", "1", "--retry-pause", "1ms"])
        .expect(0, "attempt 2 of 2");
}

#[test]
fn a_body_is_asked_for_as_it_is() {
    let server = Server::start(|request| {
        let headers: &[&str] = match request.header("accept-encoding") {
            Some("identity") => &[],
            _ => &["content-encoding: gzip"],
        };
        Reply::Send(answer("200 OK", headers, "well"))
    });
    let url = server.url("/");
    probe_no_clock(&[&url, "--expect-text", "well"]).expect(0, "HTTP 200");
    let wanting = ["--expect-text", "sick", "-H", "Accept-Encoding: gzip"];
    probe_no_clock(&[&[&*url], &wanting[..]].concat())
        .expect(2, "the body (content-encoding: gzip) does not contain");
}
