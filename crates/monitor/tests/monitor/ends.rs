//! How a run ends, and with which code.

use std::fs::File;
use std::time::Duration;

use crate::program::{Program, command, run};
use crate::server::{Reply, Server, answer};

#[test]
fn a_signal_lets_the_request_under_way_finish_and_has_a_summary() {
    for signal in ["TERM", "INT", "HUP"] {
        let server =
            Server::start(|_| Reply::After(Duration::from_millis(300), Box::new(answer(200, ""))));
        let program = Program::start(&[&server.url(), "--interval", "50ms", "--fail-over", "0"]);
        server.wait_for_requests(1);
        program.signal(signal);
        let ended = program.wait();
        assert_eq!(ended.code, Some(0), "{}", ended.stderr);
        let requests = ended.requests();
        assert_eq!(requests.len(), 1, "{:?}", ended.stdout);
        assert_eq!(requests[0]["success"], true);
        assert_eq!(ended.summary()["requests"], 1);
        let said = [
            &format!("{}: 1 request", server.url()),
            "errors",
            "none",
            &format!("SIG{signal}"),
        ]
        .map(|text| ended.stderr.contains(text));
        assert_eq!(said, [true; 4], "{}", ended.stderr);
    }
}

#[test]
fn a_hangup_that_nohup_has_it_ignore_is_ignored() {
    let server = Server::start(|_| answer(200, ""));
    let program = Program::start_ignoring_hangup(&[&server.url(), "--interval", "20ms"]);
    server.wait_for_requests(1);
    program.signal("HUP");
    server.wait_for_requests(20);
    program.signal("TERM");
    let ended = program.wait();
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    assert!(
        ended.stderr.contains("SIGTERM") && !ended.stderr.contains("SIGHUP"),
        "{}",
        ended.stderr
    );
}

#[test]
fn a_second_signal_ends_at_once() {
    let server = Server::start(|_| Reply::Silence);
    let program = Program::start(&[&server.url(), "--timeout", "10m"]);
    server.wait_for_requests(1);
    program.signal("TERM");
    program.wait_for_log("stopping");
    program.signal("TERM");
    let ended = program.wait();
    assert_eq!(ended.code, Some(130));
    assert_eq!(ended.requests().len(), 0);
}

#[test]
fn the_share_of_failures_decides_the_code() {
    let server = Server::start(|request| match request.path.as_str() {
        "/good/status" => answer(200, ""),
        _ => answer(500, ""),
    });
    let (good, bad) = (
        format!("{}/good", server.url()),
        format!("{}/bad", server.url()),
    );
    let code = |urls: &[&str], share: &[&str]| {
        run(&[urls, &["-n", "2", "-i", "10ms"], share].concat()).code
    };
    assert_eq!(code(&[&bad], &[]), Some(0), "the default never fails");
    assert_eq!(code(&[&bad], &["--fail-over", "99%"]), Some(1));
    assert_eq!(code(&[&good], &["--fail-over", "0"]), Some(0));
    assert_eq!(
        code(&[&good, &bad], &["--fail-over", "0.6"]),
        Some(1),
        "each target counts by itself"
    );
}

#[test]
fn a_count_is_for_each_target() {
    let server = Server::start(|_| answer(200, ""));
    let (one, two) = (
        format!("{}/one", server.url()),
        format!("{}/two", server.url()),
    );
    let ended = run(&[&one, &two, "--count", "3", "-i", "20ms"]);
    assert_eq!(
        (ended.code, ended.requests().len(), server.requests().len()),
        (Some(0), 6, 6)
    );
}

#[test]
fn a_reader_that_is_gone_ends_the_run() {
    let server = Server::start(|_| answer(200, ""));
    let mut program = Program::start(&[&server.url(), "-i", "10ms"]);
    program.wait_for("request", |line| line["kind"] == "request");
    program.close_stdout();
    program.wait_for_log("nobody reads stdout");
    assert_eq!(program.wait().code, Some(0));
}

#[test]
fn a_full_disk_is_an_error_of_its_own() {
    let server = Server::start(|_| answer(200, ""));
    for flags in [&["-n", "1000000"][..], &["-n", "1"]] {
        let full = File::options().write(true).open("/dev/full").unwrap();
        let output = command(&[&[&server.url(), "-i", "10ms"], flags].concat(), &[])
            .stdout(full)
            .output()
            .unwrap();
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(74), "{stderr}");
        assert!(
            stderr.ends_with(
                "error: cannot write to stdout: No space left on device (os error 28)\n"
            ),
            "{stderr}"
        );
        assert!(!stderr.contains("nobody reads"), "{stderr}");
        assert!(stderr.contains("errors     none"), "{stderr}");
    }
}

#[test]
fn what_makes_no_sense_is_a_usage_error() {
    for (arguments, words) in [
        (&["ftp://127.0.0.1"][..], "the scheme ftp: is not supported"),
        (&["127.0.0.1:3000"], "write http://HOST or https://HOST"),
        (
            &["http://h", "--interval", "0"],
            "write a time of at least 1ms",
        ),
        (
            &["http://h", "--fail-over", "7"],
            "write a share such as 5% or 0.05",
        ),
        (
            &["http://h", "--count", "0"],
            "write a whole number above 0",
        ),
        (
            &["http://h", "--path", "status"],
            "write a path that begins with /",
        ),
        (&["--interval", "1s"], "<URL>"),
        (
            &["http://h", "--admin-token-file", "/does/not/exist"],
            "cannot read /does/not/exist: No such file",
        ),
        (&["http://h", "-H", "nonsense"], "write it as 'Name: value'"),
        (
            &["http://h", "--listen", "203.0.113.1:1"],
            "--listen: cannot listen on 203.0.113.1:1",
        ),
    ] {
        let ended = run(arguments);
        assert_eq!(ended.code, Some(2), "{arguments:?}");
        assert!(
            ended.stderr.contains(words),
            "{arguments:?}: {}",
            ended.stderr
        );
        assert_eq!(ended.stdout, [""; 0]);
    }
}

#[test]
fn a_reason_is_told_once() {
    for flags in [
        ["-H", "X-Key: @/does/not/exist"],
        ["--admin-token-file", "/does/not/exist"],
        ["--cacert", "/does/not/exist"],
    ] {
        let ended = run(&[&["http://h"], &flags[..]].concat());
        assert_eq!(
            ended.stderr.matches("No such file").count(),
            1,
            "{flags:?}: {}",
            ended.stderr
        );
    }
}
