//! What is printed besides the line.

use crate::program::probe_no_clock;
use crate::server::{Reply, Server, answer, well};

#[test]
fn the_long_text_has_a_line_for_each_fact() {
    let server = Server::start(well);
    let said = probe_no_clock(&[&server.url("/"), "-v"]);
    let output = said.plugin_output();
    let text = output.long_text.join("\n");
    for part in [
        "from 127.0.0.1:",
        "HTTP/1.1",
        "processing ",
        "http OK: HTTP 200",
    ] {
        assert!(text.contains(part), "{part} in {text}");
    }
}

#[test]
fn an_object_has_times_and_findings() {
    let server = Server::start(|_| Reply::Send(answer("404 Not Found", &[], "no")));
    let said = probe_no_clock(&[&server.url("/a"), "--json", "--expect-text", "yes"]);
    assert_eq!(said.stdout.lines().count(), 1);
    let report = said.json();
    assert_eq!(report["status"], "critical");
    assert_eq!(report["success"], false);
    assert_eq!(report["findings"][0]["step"], "http");
    assert_eq!(report["findings"][1]["step"], "body");
    assert!(report["http"]["phases"]["connect"].as_f64().unwrap() > 0.0);
    assert!(report["http"]["phases"]["tls"].is_null());
    assert!(report["clock"].is_null() && report["certificate"].is_null());
}
