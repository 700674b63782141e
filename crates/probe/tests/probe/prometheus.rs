//! The file for Prometheus.

use std::path::PathBuf;
use std::process::{Command, Stdio};

use crate::program::{probe, probe_no_clock};
use crate::server::{Reply, Server, answer, well};

#[test]
fn the_file_has_the_outcome_of_the_check() {
    let server = Server::start(|_| Reply::Send(answer("503 Service Unavailable", &[], "no")));
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("spinfo.prom");
    let said = probe_no_clock(&[&server.url("/"), "--prometheus", file.to_str().unwrap()]);
    said.expect(2, "HTTP 503");
    let text = std::fs::read_to_string(&file).unwrap();
    let url = server.url("/");
    for line in [
        format!("probe_success{{url_full=\"{url}\"}} 0.0"),
        format!("probe_http_status_code{{url_full=\"{url}\"}} 503.0"),
        format!("probe_http_content_length{{url_full=\"{url}\"}} 2.0"),
        format!("probe_ip_protocol{{url_full=\"{url}\"}} 4.0"),
    ] {
        assert!(text.lines().any(|found| found == line), "{line} in {text}");
    }
    assert!(!text.contains("spinfo_probe_clock"), "{text}");
}

#[test]
fn an_unknown_clock_leaves_the_server_a_success() {
    let server = Server::start(well);
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("spinfo.prom");
    let said = probe(&[&server.url("/"), "--prometheus", file.to_str().unwrap()]);
    assert_eq!(said.code, 3, "{}", said.stdout);
    let text = std::fs::read_to_string(&file).unwrap();
    assert!(
        text.contains("} 1.0\n") && text.contains("probe_success"),
        "{text}"
    );
    assert!(!text.contains("spinfo_probe_clock"), "{text}");
}

#[test]
fn a_folder_that_cannot_be_written_to_does_not_change_the_outcome() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("missing/spinfo.prom");
    let server = Server::start(well);
    for (path, code) in [("/", 0), ("/gone", 2)] {
        let url = server.url(path);
        let expected = if code == 0 { "2xx" } else { "404" };
        let arguments = [
            &*url,
            "--expect-status",
            expected,
            "--prometheus",
            file.to_str().unwrap(),
        ];
        let said = probe_no_clock(&arguments);
        assert_eq!(said.code, code, "{}", said.stdout);
        assert_eq!(said.plugin_output().service, "SPINFO");
        assert!(
            said.stderr.contains("--prometheus") && said.stderr.contains("missing"),
            "{}",
            said.stderr
        );
    }
}

#[test]
#[ignore = "needs promtool of proof/backends/install"]
fn promtool_has_nothing_to_say_against_it() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("spinfo.prom");
    let now = |_: &crate::server::Request| {
        let now = std::time::UNIX_EPOCH.elapsed().unwrap().as_nanos();
        let body = format!(r#"{{"received_ns":{now},"transmitted_ns":{now}}}"#);
        Reply::Send(answer("200 OK", &[], &body))
    };
    let server = Server::start(now);
    let url = server.url("/a?x=\"1\"");
    let arguments = [
        &*url,
        "--expect-text",
        "received",
        "--prometheus",
        file.to_str().unwrap(),
    ];
    let said = probe(&arguments);
    assert_eq!(said.code, 0, "{}", said.stdout);
    let text = std::fs::read_to_string(&file).unwrap();
    assert!(text.contains("spinfo_probe_clock_offset_seconds"), "{text}");
    let checked = Command::new(promtool())
        .args(["check", "metrics"])
        .stdin(Stdio::from(std::fs::File::open(&file).unwrap()))
        .output()
        .expect("promtool runs");
    // Lint is printed with exit code 3.
    assert!(
        checked.status.success() && checked.stdout.is_empty() && checked.stderr.is_empty(),
        "{}{}",
        String::from_utf8_lossy(&checked.stdout),
        String::from_utf8_lossy(&checked.stderr)
    );
}

/// Where `proof/backends/install` leaves it.
fn promtool() -> PathBuf {
    let folder = std::env::var_os("SPINFO_BACKENDS").map_or_else(
        || {
            let cache = std::env::var_os("XDG_CACHE_HOME").map(PathBuf::from);
            let home = PathBuf::from(std::env::var_os("HOME").unwrap_or_default());
            cache
                .unwrap_or_else(|| home.join(".cache"))
                .join("spinfo/backends")
        },
        PathBuf::from,
    );
    let path = folder.join("bin/promtool");
    assert!(
        path.is_file(),
        "{} is missing: run proof/backends/install, or set SPINFO_BACKENDS to where it put its programs",
        path.display()
    );
    path
}
