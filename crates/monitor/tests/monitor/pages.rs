//! `/metrics` and `/healthz` while it runs.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::Instant;

use crate::program::{PATIENCE, Program};
use crate::server::{Reply, Server, answer};

/// Status and headers, and the body.
fn get(address: &str, path: &str) -> (String, String) {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    write!(
        stream,
        "GET {path} HTTP/1.1\r\nhost: h\r\nconnection: close\r\n\r\n"
    )
    .unwrap();
    let mut text = String::new();
    stream.read_to_string(&mut text).unwrap();
    let (head, body) = text.split_once("\r\n\r\n").unwrap();
    (head.to_owned(), body.to_owned())
}

fn start(server: &Server, flags: &[&str]) -> (Program, String) {
    let url = server.url();
    let program = Program::start(&[&[url.as_str(), "--listen", "127.0.0.1:0"], flags].concat());
    let line = program.wait_for_log("serving /metrics and /healthz");
    let address = line["fields"]["address"].as_str().unwrap().to_owned();
    (program, address)
}

#[test]
fn metrics_can_be_scraped_while_it_runs() {
    let server = Server::start(|_| answer(500, ""));
    let (program, address) = start(&server, &["-i", "20ms"]);
    let report = program.wait_for("request", |line| line["kind"] == "request");
    let end = Instant::now() + PATIENCE;
    let trace = report["trace_id"].as_str().unwrap().to_owned();
    let count = format!(
        "http_client_request_duration_seconds_count{{error_type=\"500\",http_request_method=\"GET\",http_response_status_code=\"500\",network_protocol_version=\"1.1\",otel_scope_name=\"spinfo-monitor\",otel_scope_version=\"0.1.0\",server_address=\"127.0.0.1\",server_port=\"{}\",url_template=\"/status\"}} ",
        server.port()
    );
    let (head, page) = get(&address, "/metrics");
    assert!(
        head.starts_with("HTTP/1.1 200") && head.contains("application/openmetrics-text"),
        "{head}"
    );
    let first: u64 = page
        .lines()
        .find_map(|line| line.strip_prefix(&count))
        .unwrap_or_else(|| panic!("{page}"))
        .parse()
        .unwrap();
    loop {
        let (_, page) = get(&address, "/metrics");
        let now: u64 = page
            .lines()
            .find_map(|line| line.strip_prefix(&count))
            .unwrap()
            .parse()
            .unwrap();
        if now > first {
            assert!(
                page.contains(" # {span_id=") || page.contains("trace_id="),
                "{page}"
            );
            assert!(
                page.contains("spinfo_monitor_missed_total{")
                    && page.contains("spinfo_monitor_changes_total{"),
                "{page}"
            );
            break;
        }
        assert!(Instant::now() < end, "{trace}\n{page}");
    }
    assert!(get(&address, "/nothing").0.starts_with("HTTP/1.1 404"));
}

#[test]
fn health_is_good_while_the_schedule_runs() {
    let server = Server::start(|_| answer(500, ""));
    let (program, address) = start(&server, &["-i", "20ms"]);
    program.wait_for("request", |line| line["kind"] == "request");
    let (head, body) = get(&address, "/healthz");
    assert!(
        head.starts_with("HTTP/1.1 200") && body == "ok\n",
        "{head}\n{body}"
    );
}

#[test]
fn health_is_bad_while_it_stops() {
    let server = Server::start(|_| Reply::Silence);
    let (program, address) = start(&server, &["--timeout", "10m"]);
    server.wait_for_requests(1);
    program.signal("TERM");
    program.wait_for_log("stopping");
    let (head, body) = get(&address, "/healthz");
    assert!(
        head.starts_with("HTTP/1.1 503") && body == "stopping\n",
        "{head}\n{body}"
    );
}
