//! Redirects, those that lead to an end and those that don't.

use crate::program::probe_no_clock;
use crate::server::{Reply, Server, answer, well};

fn to(location: &str) -> Reply {
    let location = format!("location: {location}");
    Reply::Send(answer("302 Found", &[&location], "elsewhere"))
}

#[test]
fn redirects_are_followed_and_counted() {
    let server = Server::start(|request| match &*request.path {
        "/" => to("/a/b"),
        "/a/b" => to("c?x=1"),
        _ => well(request),
    });
    let said = probe_no_clock(&[&server.url("/"), "--json"]);
    assert_eq!(said.code, 0, "{}", said.stdout);
    assert_eq!(server.paths(), ["/", "/a/b", "/a/c?x=1"]);
    let report = said.json();
    assert_eq!(report["http"]["redirects"], 2);
    assert_eq!(report["http"]["url"], server.url("/a/c?x=1"));
    assert_eq!(report["url"], server.url("/"));
}

#[test]
fn a_loop_is_critical_at_once() {
    let server = Server::start(|request| match &*request.path {
        "/a" => to("/b"),
        _ => to("/a"),
    });
    let said = probe_no_clock(&[&server.url("/a")]);
    said.expect(2, "redirect loop");
    assert_eq!(server.paths(), ["/a", "/b"]);
}

#[test]
fn a_loop_that_waits_for_a_cookie_says_so() {
    let server = Server::start(|_| {
        let headers = ["location: /", "set-cookie: seen=1"];
        Reply::Send(answer("302 Found", &headers, ""))
    });
    probe_no_clock(&[&server.url("/")]).expect(2, "sets a cookie, and no cookies are kept");
}

#[test]
fn a_location_may_be_raw_utf8() {
    let server = Server::start(|request| match &*request.path {
        "/" => to("/gr\u{fc}n"),
        _ => well(request),
    });
    probe_no_clock(&[&server.url("/")]).expect(0, "HTTP 200");
    assert_eq!(server.paths(), ["/", "/gr%C3%BCn"]);
}

#[test]
fn a_way_without_end_has_a_limit() {
    let server = Server::start(|request| to(&format!("/{}", request.index + 1)));
    let said = probe_no_clock(&[&server.url("/0")]);
    said.expect(2, "more than 10 redirects");
    assert_eq!(server.requests().len(), 11);
    probe_no_clock(&[&server.url("/0"), "--max-redirects", "1"]).expect(2, "more than 1 redirects");
}

#[test]
fn a_redirect_can_be_what_is_expected() {
    let server = Server::start(|_| to("/away"));
    let url = server.url("/");
    probe_no_clock(&[&url, "--expect-status", "302"]).expect(0, "HTTP 302");
    probe_no_clock(&[&url, "--max-redirects", "0"]).expect(2, "HTTP 302");
    assert_eq!(server.paths(), ["/", "/"]);
}

#[test]
fn a_location_that_is_no_url_is_critical() {
    let server = Server::start(|_| to("gopher://example.org/"));
    probe_no_clock(&[&server.url("/")]).expect(2, "leads nowhere");
    let server = Server::start(|_| to("http://"));
    probe_no_clock(&[&server.url("/")]).expect(2, "leads nowhere");
}

#[test]
fn a_failure_behind_a_redirect_says_where() {
    let gone = Server::start(well).url("/gone");
    let location = gone.clone();
    let server = Server::start(move |_| to(&location));
    probe_no_clock(&[&server.url("/")]).expect(2, &format!("redirected to {gone}"));
}
