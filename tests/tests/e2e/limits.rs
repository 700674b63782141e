//! Every limit is kept, answered as it should be, and counted.

use std::io::Write as _;
use std::net::{TcpListener, TcpStream};
use std::time::{Duration, Instant};

use http::Request;
use spinfo_names::values::{RejectionReason, TrapKind};
use spinfo_tests::tls::Certificate;
use spinfo_tests::{Answer, Client, FixtureApp, Host, Up, deadline, wire};

fn start(app: &FixtureApp, flags: &[&str]) -> Host {
    Up::new(app.manifest())
        .args(["--workers", "1"])
        .args(flags)
        .start()
}

fn request(deed: &str, argument: &str) -> Request<Vec<u8>> {
    Request::get("/")
        .header("x-do", deed)
        .header("x-arg", argument)
        .body(Vec::new())
        .unwrap()
}

fn ask(host: &Host, deed: &str, argument: &str) -> Answer {
    host.send(request(deed, argument))
}

/// Sends a request that a guest works on for the given time, without waiting for the answer.
fn keep_busy(host: &Host, milliseconds: &str) -> TcpStream {
    let mut stream = wire::connect(host.address);
    let request = format!(
        "GET / HTTP/1.1\r\nHost: a\r\nX-Do: wait\r\nX-Arg: {milliseconds}\r\nConnection: close\r\n\r\n"
    );
    stream.write_all(request.as_bytes()).unwrap();
    stream
}

/// The sum of a metric over its attributes.
fn metric(host: &Host, name: &str) -> f64 {
    let metrics = host.admin("/metrics");
    let lines = metrics
        .text()
        .lines()
        .filter_map(|line| line.strip_prefix(name));
    let values = lines
        .filter(|rest| rest.starts_with(['{', ' ']))
        .filter_map(|rest| rest.rsplit(['}', ' ']).next()?.trim().parse::<f64>().ok());
    values.sum()
}

fn until_metric(host: &Host, name: &str, value: f64) {
    deadline::until(name, || (metric(host, name) == value).then_some(()));
}

fn is_problem(answer: &Answer, status: u16) {
    assert_eq!(answer.status, status, "{answer:?}");
    assert_eq!(answer.header("content-type"), "application/problem+json");
    assert_eq!(answer.json()["trace_id"], answer.trace_id());
}

#[test]
fn every_limit_that_refuses_is_counted() {
    let app = FixtureApp::echo("allowed_outbound_hosts = [\"http://127.0.0.1:*\"]");
    std::thread::scope(|scope| {
        for &reason in RejectionReason::ALL {
            let app = &app;
            let thread = std::thread::Builder::new().name(reason.as_str().to_owned());
            thread
                .spawn_scoped(scope, move || meets(app, reason))
                .unwrap();
        }
    });
}

/// Meets a limit and finds it counted, and no other.
fn meets(app: &FixtureApp, reason: RejectionReason) {
    let certificate = Certificate::new();
    let (cert, key) = (certificate.file(), certificate.key());
    let (cert, key) = (cert.to_str().unwrap(), key.to_str().unwrap());
    let flags: &[&str] = match reason {
        RejectionReason::QueueFull => &["--max-in-flight=1", "--max-queue=0"],
        RejectionReason::QueueTimeout => &["--max-in-flight=1", "--max-queue-wait=100ms"],
        RejectionReason::NoInstance => &["--max-instances=1"],
        RejectionReason::BodyTooLarge => &["--max-body=1KiB"],
        RejectionReason::RequestTimeout => &["--request-timeout=300ms"],
        RejectionReason::Connections => &["--max-connections=1"],
        RejectionReason::HeaderTimeout => &["--header-timeout=300ms"],
        RejectionReason::HandshakeTimeout => &[
            "--header-timeout=300ms",
            "--tls-cert",
            cert,
            "--tls-key",
            key,
        ],
        RejectionReason::HeaderTooLarge => &[],
        RejectionReason::OutboundLimit => &["--max-outbound=1", "--max-queue-wait=100ms"],
    };
    let host = start(app, flags);
    match reason {
        RejectionReason::QueueFull
        | RejectionReason::QueueTimeout
        | RejectionReason::NoInstance => {
            let _working = keep_busy(&host, "60000");
            until_metric(&host, "wasm_instances_live", 1.0);
            is_problem(&host.get("/"), 503);
        }
        RejectionReason::BodyTooLarge => {
            let request = Request::post("/").header("x-do", "body");
            is_problem(&host.send(request.body(vec![b'a'; 1025]).unwrap()), 413);
        }
        RejectionReason::RequestTimeout => is_problem(&ask(&host, "wait", "60000"), 504),
        RejectionReason::Connections => {
            let first = wire::connect(host.address);
            until_metric(&host, "spinfo_connections", 1.0);
            let _second = wire::connect(host.address);
            until_metric(&host, "spinfo_rejections_total", 1.0);
            drop(first);
        }
        RejectionReason::HeaderTimeout | RejectionReason::HandshakeTimeout => {
            assert!(wire::read_to_end(&mut wire::connect(host.address)).is_empty());
        }
        RejectionReason::HeaderTooLarge => {
            let request = format!("GET / HTTP/1.1\r\n{}\r\n", "A: b\r\n".repeat(101));
            let answer = wire::exchange(host.address, request.as_bytes());
            assert_eq!(wire::status(&answer), Some(431));
        }
        RejectionReason::OutboundLimit => {
            let silent = TcpListener::bind("127.0.0.1:0").unwrap();
            let url = format!("http://{}/", silent.local_addr().unwrap());
            let mut waiting = wire::connect(host.address);
            write!(
                waiting,
                "GET / HTTP/1.1\r\nHost: a\r\nX-Do: fetch\r\nX-Arg: {url}\r\n\r\n"
            )
            .unwrap();
            let _upstream = silent.accept().unwrap();
            let refused = ask(&host, "fetch", &url);
            assert!(
                refused.status == 502 && refused.text().contains("ConnectionLimitReached"),
                "{refused:?}"
            );
        }
    }
    until_metric(&host, "spinfo_rejections_total", 1.0);
    let page = host.admin("/metrics");
    let counted = format!("spinfo_rejection_reason=\"{}\"", reason.as_str());
    assert!(page.text().contains(&counted), "{counted} is not counted");
}

#[test]
fn bodies_that_are_too_large_get_413() {
    let app = FixtureApp::echo("");
    let host = start(&app, &["--max-body", "1000"]);
    let post = |length: usize| {
        let request = Request::post("/").header("x-do", "body");
        host.send(request.body(vec![b'a'; length]).unwrap())
    };
    assert_eq!(post(1000).json()["length"], 1000);
    is_problem(&post(1001), 413);
    // A client that sends all of it before it listens hears of it too.
    is_problem(&post(20 << 20), 413);
    // Announced, but not even sent.
    let head = "POST / HTTP/1.1\r\nHost: a\r\nX-Do: body\r\nContent-Length: 99999999999\r\nConnection: close\r\n\r\n";
    assert_eq!(
        wire::status(&wire::exchange(host.address, head.as_bytes())),
        Some(413)
    );
    // Not announced: it shows when it comes.
    let chunk = format!("1f4\r\n{}\r\n", "a".repeat(500));
    for (chunks, status) in [(2, 200), (3, 413)] {
        let request = format!(
            "POST / HTTP/1.1\r\nHost: a\r\nX-Do: body\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n{}0\r\n\r\n",
            chunk.repeat(chunks)
        );
        let answer = wire::exchange(host.address, request.as_bytes());
        assert_eq!(
            wire::status(&answer),
            Some(status),
            "{}",
            String::from_utf8_lossy(&answer)
        );
    }
}

#[test]
fn guests_that_wait_or_compute_too_long_get_504() {
    let app = FixtureApp::echo("");
    let host = start(&app, &["--request-timeout", "1s"]);
    for (deed, argument) in [("wait", "600000"), ("spin", "")] {
        let begun = Instant::now();
        is_problem(&ask(&host, deed, argument), 504);
        let took = begun.elapsed();
        assert!(
            took >= Duration::from_secs(1) && took < Duration::from_secs(20),
            "{deed}: {took:?}"
        );
        assert_eq!(host.get("/").status, 200, "after {deed}");
    }
}

#[test]
fn a_guest_that_computes_does_not_stop_its_neighbours() {
    let app = FixtureApp::echo("");
    let host = start(&app, &["--request-timeout", "10s"]);
    let mut stream = wire::connect(host.address);
    stream
        .write_all(b"GET / HTTP/1.1\r\nHost: a\r\nX-Do: spin\r\nConnection: close\r\n\r\n")
        .unwrap();
    until_metric(&host, "http_server_active_requests", 1.0);
    let begun = Instant::now();
    for _ in 0..20 {
        assert_eq!(host.get("/").status, 200);
    }
    assert!(
        begun.elapsed() < Duration::from_secs(8),
        "it took {:?}",
        begun.elapsed()
    );
    assert_eq!(wire::status(&wire::read_to_end(&mut stream)), Some(504));
}

#[test]
fn memory_beyond_the_limit_traps_the_guest_and_the_flag_is_named() {
    let app = FixtureApp::echo("");
    let host = start(&app, &["--max-memory", "32MiB"]);
    assert_eq!(ask(&host, "memory", "8").json()["filled"], 8 << 20);
    is_problem(&ask(&host, "memory", "64"), 500);
    let trap = host
        .log
        .wait_for_log("the trap", |line| line["level"] == "ERROR");
    assert_eq!(
        trap["fields"]["wasm.trap.kind"],
        TrapKind::MemoryLimit.as_str()
    );
    assert!(
        trap["message"]
            .as_str()
            .unwrap()
            .contains("--max-memory allows 33554432"),
        "{trap}"
    );
    assert_eq!(ask(&host, "memory", "8").status, 200);
    // A panic that comes later has nothing to do with it.
    is_problem(&ask(&host, "trap", ""), 500);
    let page = host.admin("/metrics");
    for kind in [TrapKind::MemoryLimit, TrapKind::Unreachable] {
        let counted = format!("wasm_trap_kind=\"{}\"}} 1", kind.as_str());
        assert!(page.text().contains(&counted), "{counted}: {}", page.text());
    }
}

#[test]
fn a_full_queue_turns_requests_away_with_a_time_to_return() {
    let app = FixtureApp::echo("");
    let host = start(
        &app,
        &[
            "--max-in-flight",
            "1",
            "--max-queue",
            "1",
            "--max-queue-wait",
            "60s",
        ],
    );
    let mut working = keep_busy(&host, "5000");
    until_metric(&host, "http_server_active_requests", 1.0);
    let mut waiting = keep_busy(&host, "0");
    until_metric(&host, "spinfo_queue_depth", 1.0);
    let refused = host.get("/");
    is_problem(&refused, 503);
    assert_eq!(refused.header("retry-after"), "1");
    for stream in [&mut working, &mut waiting] {
        assert_eq!(
            wire::status(&wire::read_to_end(stream)),
            Some(200),
            "what was accepted is answered"
        );
    }
    assert_eq!(metric(&host, "spinfo_rejections_total"), 1.0);
}

#[test]
fn waiting_in_the_queue_ends() {
    let app = FixtureApp::echo("");
    let host = start(&app, &["--max-in-flight", "1", "--max-queue-wait", "100ms"]);
    let mut working = keep_busy(&host, "5000");
    until_metric(&host, "http_server_active_requests", 1.0);
    is_problem(&host.get("/"), 503);
    assert_eq!(wire::status(&wire::read_to_end(&mut working)), Some(200));
}

#[test]
fn no_more_instances_than_allowed() {
    let app = FixtureApp::echo("");
    let host = start(&app, &["--max-instances", "1"]);
    let mut working = keep_busy(&host, "5000");
    until_metric(&host, "wasm_instances_live", 1.0);
    let refused = host.get("/");
    is_problem(&refused, 503);
    assert_eq!(refused.header("retry-after"), "1");
    assert_eq!(wire::status(&wire::read_to_end(&mut working)), Some(200));
}

#[test]
fn an_instance_is_replaced_after_its_share_of_requests() {
    let app = FixtureApp::echo("");
    let host = start(
        &app,
        &[
            "--max-instance-reuse-count",
            "5",
            "--idle-instance-timeout",
            "60s",
        ],
    );
    let mut client = Client::connect(host.address);
    for _ in 0..20 {
        assert_eq!(client.send(request("", "")).status, 200);
    }
    assert_eq!(metric(&host, "wasm_instances_created_total"), 4.0);
    assert_eq!(metric(&host, "wasm_instances_reused_total"), 16.0);
}

#[test]
fn a_head_that_comes_too_slowly_is_cut_off() {
    let app = FixtureApp::echo("");
    let host = start(&app, &["--header-timeout", "1s"]);
    let slow: Vec<_> = (0..50)
        .map(|_| {
            let mut stream = wire::connect(host.address);
            stream
                .write_all(b"GET / HTTP/1.1\r\nHost: a\r\nX-Slow: ")
                .unwrap();
            stream
        })
        .collect();
    assert_eq!(host.get("/").status, 200, "others are served");
    for mut stream in slow {
        let answer = wire::read_to_end(&mut stream);
        assert!(
            matches!(wire::status(&answer), None | Some(408)),
            "{}",
            String::from_utf8_lossy(&answer)
        );
    }
    // One that says nothing at all, or begins what may be HTTP/2, is cut off as well.
    for begun in ["", "PRI * HTTP"] {
        let mut stream = wire::connect(host.address);
        stream.write_all(begun.as_bytes()).unwrap();
        assert!(wire::read_to_end(&mut stream).is_empty(), "{begun}");
    }
    assert_eq!(metric(&host, "spinfo_rejections_total"), 52.0);
    // One that idles after an answer ends as well.
    let mut idle = wire::connect(host.address);
    idle.write_all(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        .unwrap();
    assert_eq!(wire::status(&wire::read_to_end(&mut idle)), Some(200));
    assert_eq!(
        metric(&host, "spinfo_rejections_total"),
        52.0,
        "it was not refused anything"
    );
}

#[test]
fn connections_beyond_the_limit_wait_for_their_turn() {
    let app = FixtureApp::echo("");
    let host = start(&app, &["--max-connections", "2"]);
    let mut first = Client::connect(host.address);
    let second = Client::connect(host.address);
    assert_eq!(first.send(request("", "")).status, 200);
    let mut third = wire::connect(host.address);
    third
        .write_all(b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        .unwrap();
    assert_eq!(first.send(request("", "")).status, 200);
    assert_eq!(metric(&host, "spinfo_connections"), 2.0);
    drop(second);
    assert_eq!(wire::status(&wire::read_to_end(&mut third)), Some(200));
}
