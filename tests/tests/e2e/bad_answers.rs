//! Guests whose answers are no good: the client is told the truth, and nobody else notices.

use std::io::{Read as _, Write as _};

use http::Request;
use spinfo_tests::{Answer, Client, FixtureApp, Host, Up, wire};

fn ask(host: &Host, path: &str, deed: &str, argument: &str) -> Answer {
    let request = Request::get(path)
        .header("x-do", deed)
        .header("x-arg", argument);
    host.send(request.body(Vec::new()).unwrap())
}

fn is_problem(answer: &Answer, status: u16) {
    assert_eq!(answer.status, status, "{answer:?}");
    assert_eq!(answer.header("content-type"), "application/problem+json");
}

#[test]
fn an_answer_that_breaks_off_is_seen_to_be_broken() {
    let app = FixtureApp::echo("");
    let host = Up::new(app.manifest()).start();
    let request = b"GET / HTTP/1.1\r\nHost: a\r\nX-Do: half\r\nConnection: close\r\n\r\n";
    let answer = wire::exchange(host.address, request);
    let text = String::from_utf8(answer).unwrap();
    assert!(
        text.starts_with("HTTP/1.1 200") && text.contains("half"),
        "{text}"
    );
    assert!(
        !text.ends_with("0\r\n\r\n"),
        "the last chunk would say that it is whole: {text}"
    );
    host.log.wait_for_log("the trap in the log", |line| {
        line["fields"]["wasm.trap.kind"] == "unreachable"
    });
    assert_eq!(host.get("/").status, 200);
}

#[test]
fn interim_status_codes_are_no_answers() {
    let app = FixtureApp::echo("");
    let host = Up::new(app.manifest()).start();
    for code in ["100", "101", "103"] {
        is_problem(&ask(&host, "/", "status", code), 500);
    }
    for code in [200, 204, 304, 499, 599] {
        assert_eq!(ask(&host, "/", "status", &code.to_string()).status, code);
    }
}

#[test]
fn a_client_that_reads_slowly_costs_no_memory() {
    let app = FixtureApp::echo("");
    let host = Up::new(app.manifest()).start();
    let before = host.resident_memory();
    let mut slow: Vec<_> = (0..8)
        .map(|_| {
            let mut stream = wire::connect(host.address);
            stream
                .write_all(b"GET / HTTP/1.1\r\nHost: a\r\nX-Do: pour\r\nX-Arg: 64\r\nConnection: close\r\n\r\n")
                .unwrap();
            let mut head = [0; 64];
            stream.read_exact(&mut head).unwrap();
            stream
        })
        .collect();
    // Others are served meanwhile, which also gives the guests time to pour.
    for _ in 0..50 {
        assert_eq!(host.get("/").status, 200);
    }
    let during = host.resident_memory();
    assert!(
        during < before + (100 << 20),
        "{} MiB before, {} MiB during",
        before >> 20,
        during >> 20
    );
    let rest = wire::read_to_end(&mut slow.remove(0));
    assert!(rest.len() > 64 << 20, "{} bytes", rest.len());
}

#[test]
fn a_body_that_no_guest_reads_does_not_spoil_the_connection() {
    let app = FixtureApp::echo("");
    let host = Up::new(app.manifest()).start();
    for length in [10, 1 << 20, 8 << 20] {
        let request = Request::post("/").body(vec![b'a'; length]).unwrap();
        let mut client = Client::connect(host.address);
        assert_eq!(client.send(request).status, 200, "{length} bytes");
        let next = Request::get("/").body(Vec::new()).unwrap();
        assert_eq!(client.send(next).status, 200, "after {length} bytes");
    }
}

#[test]
fn components_of_wasi_02_fail_alike() {
    let app = FixtureApp::new(
        "spin_manifest_version = 2\n[application]\nname = \"old\"\n\
         [[trigger.http]]\nroute = \"/...\"\ncomponent = \"old\"\n[component.old]\nsource = \"proxy02.wasm\"\n",
    );
    let host = Up::new(app.manifest())
        .args(["--request-timeout", "1s"])
        .start();
    for (deed, status) in [("trap", 500), ("silent", 500), ("wait", 504), ("spin", 504)] {
        is_problem(&ask(&host, "/", deed, ""), status);
        assert_eq!(host.get("/").status, 203, "after {deed}");
    }
}
