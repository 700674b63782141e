//! Servers that do not keep to HTTP, or to time.

use std::io::Write as _;
use std::time::{Duration, Instant};

use crate::program::{probe, probe_no_clock};
use crate::server::{Reply, Server, answer, well};

#[test]
fn a_server_that_answers_is_well() {
    let server = Server::start(well);
    let said = probe_no_clock(&[&server.url("/")]);
    said.expect(0, "HTTP 200 in ");
    let output = said.plugin_output();
    assert!(output.get("time").value > 0.0);
    assert_eq!(output.get("size").value, 5.0);
    assert_eq!(said.stderr, "");
}

#[test]
fn nobody_listens() {
    let server = Server::start(well);
    let url = server.url("/");
    drop(server);
    let said = probe(&[&url, "--json"]);
    assert_eq!(
        said.json()["findings"][0]["error_type"],
        "connect",
        "{}",
        said.stdout
    );
    assert_eq!(said.code, 2);
}

#[test]
fn a_name_that_does_not_exist() {
    // No name server knows names under .invalid (RFC 6761, section 6.4); most machines of tests have none at all.
    let said = probe(&["http://spinfo.invalid/", "--json", "--timeout", "30s"]);
    assert_eq!(said.code, 2);
    assert_eq!(
        said.json()["findings"][0]["error_type"],
        "dns",
        "{}",
        said.stdout
    );
}

#[test]
fn slow_headers_end_at_the_timeout() {
    let server = Server::start(|_| Reply::Hang(b"HTTP/1.1 200 OK\r\ncontent-".to_vec()));
    let began = Instant::now();
    let said = probe(&[&server.url("/"), "--timeout", "300ms"]);
    said.expect(2, "timed out");
    assert!(began.elapsed() < Duration::from_secs(20));
    let said = probe(&[&server.url("/"), "--timeout", "300ms", "--json"]);
    assert_eq!(said.json()["findings"][0]["error_type"], "timeout");
    assert!(said.json()["duration_seconds"].as_f64().unwrap() >= 0.3);
}

#[test]
fn a_body_that_does_not_end_ends_at_the_timeout() {
    let server =
        Server::start(|_| Reply::Hang(b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nabc".to_vec()));
    probe(&[&server.url("/"), "--timeout", "300ms"]).expect(2, "body");
}

#[test]
fn half_a_body_is_no_answer() {
    let server = Server::start(|_| {
        Reply::Last(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nabc".to_vec())
    });
    let said = probe_no_clock(&[&server.url("/"), "--json"]);
    assert_eq!(said.code, 2);
    assert_eq!(
        said.json()["findings"][0]["error_type"],
        "body",
        "{}",
        said.stdout
    );
    assert!(said.json()["http"].is_null());
}

#[test]
fn a_huge_body_is_not_read_to_its_end() {
    let server = Server::start(|_| Reply::Send(answer("200 OK", &[], &"x".repeat(10 << 20))));
    let said = probe_no_clock(&[&server.url("/")]);
    said.expect(2, "1048576");
    let said = probe_no_clock(&[&server.url("/"), "--max-body", "10485760"]);
    said.expect(0, "HTTP 200");
    assert_eq!(said.plugin_output().get("size").value, 10_485_760.0);
}

#[test]
fn a_reset_is_told_apart() {
    // What was sent and not read makes the system answer the close with a reset.
    let server = Server::raw(drop);
    let said = probe_no_clock(&[&server.url("/"), "--json"]);
    assert_eq!(said.code, 2);
    assert_eq!(
        said.json()["findings"][0]["error_type"],
        "reset",
        "{}",
        said.stdout
    );
}

#[test]
fn what_is_no_http_is_told_apart() {
    let server = Server::raw(|mut stream| {
        let _ = stream.write_all(b"SSH-2.0-OpenSSH_9.9\r\n\r\n");
    });
    let said = probe_no_clock(&[&server.url("/"), "--json"]);
    assert_eq!(said.code, 2);
    assert_eq!(
        said.json()["findings"][0]["error_type"],
        "protocol",
        "{}",
        said.stdout
    );
}

#[test]
fn a_slow_answer_warns_by_its_range() {
    let server = Server::start(|request| {
        // The time that the server takes is what this is about.
        if request.path == "/slow" {
            std::thread::sleep(Duration::from_millis(120));
        }
        well(request)
    });
    let ranges = ["-w", "0.1", "-c", "30"];
    let slow = server.url("/slow");
    let said = probe_no_clock(&[&[&*slow], &ranges[..]].concat());
    said.expect(1, "is outside the warning range 0.1");
    let time = said.plugin_output();
    assert_eq!(time.get("time").warning.as_deref(), Some("0.1"));
    assert!(time.get("time").value >= 0.12 && time.get("time_firstbyte").value >= 0.12);
    probe_no_clock(&[&slow, "-w", "0.05", "-c", "0.1"])
        .expect(2, "is outside the critical range 0.1");
    // With @ a time within the range alerts.
    probe_no_clock(&[&slow, "-w", "@0.1:60"]).expect(1, "is inside the warning range @0.1:60");
    probe_no_clock(&[&server.url("/"), "-w", "30", "-c", "~:60"]).expect(0, "HTTP 200");
}

#[test]
fn a_name_resolves_to_the_address_that_is_given() {
    let server = Server::start(well);
    let url = server.url_of("spinfo.invalid", "/");
    let resolve = format!("spinfo.invalid:{}:127.0.0.1", server.port());
    probe_no_clock(&[&url, "--resolve", &resolve]).expect(0, "HTTP 200");
    let host = server.requests()[0].header("host").map(str::to_owned);
    assert_eq!(host, Some(format!("spinfo.invalid:{}", server.port())));
    let said = probe_no_clock(&[&url, "--resolve", &resolve, "-6"]);
    assert_eq!(said.code, 2, "{}", said.stdout);
}

#[test]
fn performance_data_has_the_same_labels_when_nothing_answers() {
    let server = Server::start(well);
    let url = server.url("/");
    let labels = || {
        let output = probe(&[&url]).plugin_output();
        output
            .data
            .into_iter()
            .map(|data| data.label)
            .collect::<Vec<_>>()
    };
    let well = labels();
    drop(server);
    assert_eq!(labels(), well);
    let failed = probe(&[&url]).plugin_output();
    assert!(failed.get("size").value.is_nan(), "{failed:?}");
}

#[test]
fn the_proxy_of_the_environment_is_for_those_who_want_it() {
    let server = Server::start(well);
    let with_proxy = |arguments: &[&str]| {
        let mut command = crate::program::command(&[arguments, &["--no-clock"]].concat());
        command.env("http_proxy", "http://127.0.0.1:1");
        crate::program::Said::of(command.output().unwrap())
    };
    let url = server.url("/");
    with_proxy(&[&url]).expect(2, "the proxy http://127.0.0.1:1/");
    with_proxy(&[&url, "--proxy", ""]).expect(0, "HTTP 200");
    with_proxy(&[&url, "--noproxy", "127.0.0.1"]).expect(0, "HTTP 200");
}

/// A container's environment may have the proxies of its user's machine.
#[test]
fn health_checks_of_images_take_no_proxy() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let mut checks = 0;
    for file in ["deploy/Dockerfile", "compose.yaml"] {
        let text = std::fs::read_to_string(root.join(file)).unwrap();
        let is_check = |line: &&str| line.contains("HEALTHCHECK") || line.contains("test: [CMD");
        for line in text
            .lines()
            .filter(is_check)
            .filter(|line| line.contains("spinfo-probe"))
        {
            assert!(line.contains("--proxy="), "{file}: {line}");
            checks += 1;
        }
    }
    assert!(checks >= 5, "{checks}");
}
