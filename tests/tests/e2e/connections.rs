//! HTTP/1.1 and HTTP/2 over plain TCP.

use std::io::{Read as _, Write as _};

use http::{Request, Version};
use spinfo_tests::{Client, FixtureApp, Up, deadline, wire};

fn get(path: &str) -> Request<Vec<u8>> {
    Request::get(path).body(Vec::new()).unwrap()
}

#[test]
fn http2_needs_no_upgrade() {
    let app = FixtureApp::echo("");
    let host = Up::new(app.manifest()).start();
    let mut client = Client::connect_http2(host.address);
    for number in 0..20 {
        let answer = client.send(get(&format!("/{number}")));
        assert_eq!(
            (answer.status.as_u16(), answer.version),
            (200, Version::HTTP_2)
        );
        assert_eq!(answer.json()["uri"], host.url(&format!("/{number}")));
    }
    let body = vec![b'a'; 1 << 20];
    let post = Request::post("/")
        .header("x-do", "body")
        .body(body)
        .unwrap();
    assert_eq!(client.send(post).json()["length"], 1 << 20);
}

#[test]
fn one_connection_serves_many_requests_and_pipelines() {
    let app = FixtureApp::echo("");
    let host = Up::new(app.manifest()).start();
    let requests = "GET /one HTTP/1.1\r\nHost: a\r\n\r\nGET /two HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
    let answer = String::from_utf8(wire::exchange(host.address, requests.as_bytes())).unwrap();
    assert_eq!(answer.matches("HTTP/1.1 200 OK").count(), 2, "{answer}");
    assert!(answer.find("http://a/one") < answer.find("http://a/two"));
}

#[test]
fn an_answer_to_http10_ends_with_the_connection() {
    let app = FixtureApp::echo("");
    let host = Up::new(app.manifest()).start();
    let answer = wire::exchange(host.address, b"GET / HTTP/1.0\r\nHost: old.example\r\n\r\n");
    let (head, body) = wire::parts(&answer);
    assert!(
        head.starts_with("HTTP/1.0 200") && !head.contains("chunked"),
        "{head}"
    );
    assert!(body.contains("http://old.example/"), "{body}");
}

#[test]
fn more_than_one_host_is_refused() {
    let app = FixtureApp::echo("");
    let host = Up::new(app.manifest()).start();
    for hosts in [
        "Host: a\r\nHost: b\r\n",
        "Host: a b\r\n",
        "Host: \u{e9}\r\n",
    ] {
        let request = format!("GET / HTTP/1.1\r\n{hosts}Connection: close\r\n\r\n");
        assert_eq!(
            wire::status(&wire::exchange(host.address, request.as_bytes())),
            Some(400),
            "{hosts}"
        );
    }
    // RFC 9112 section 3.2.2: an absolute target wins over the field.
    let request = b"GET http://b/x HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
    assert!(
        wire::parts(&wire::exchange(host.address, request))
            .1
            .contains("http://b/x")
    );
}

#[test]
fn a_body_that_both_framings_describe_is_refused() {
    let app = FixtureApp::echo("");
    let host = Up::new(app.manifest()).start();
    for framing in [
        "Transfer-Encoding: chunked, identity\r\n",
        "Content-Length: 1\r\nContent-Length: 2\r\n",
        "Content-Length: +1\r\n",
        "Content-Length: 1, 2\r\n",
    ] {
        let request = format!(
            "POST / HTTP/1.1\r\nHost: a\r\n{framing}Connection: close\r\n\r\n1\r\na\r\n0\r\n\r\n"
        );
        assert_eq!(
            wire::status(&wire::exchange(host.address, request.as_bytes())),
            Some(400),
            "{framing}"
        );
    }
}

#[test]
fn a_client_that_leaves_takes_nothing_with_it() {
    let app = FixtureApp::echo("");
    let host = Up::new(app.manifest()).args(["--workers", "1"]).start();
    for _ in 0..20 {
        let mut stream = wire::connect(host.address);
        stream
            .write_all(b"GET / HTTP/1.1\r\nHost: a\r\nX-Do: wait\r\nX-Arg: 60000\r\n\r\n")
            .unwrap();
        // In the middle of a body.
        let mut stream = wire::connect(host.address);
        stream
            .write_all(
                b"POST / HTTP/1.1\r\nHost: a\r\nX-Do: body\r\nContent-Length: 100\r\n\r\nabc",
            )
            .unwrap();
    }
    assert_eq!(host.get("/").status, 200);
    deadline::until("requests without a client to end", || {
        let metrics = host.admin("/metrics");
        let lines = metrics
            .text()
            .lines()
            .filter(|line| line.starts_with("http_server_active_requests{"));
        lines
            .into_iter()
            .all(|line| line.ends_with(" 0"))
            .then_some(())
    });
}

#[test]
fn expecting_clients_are_told_to_go_on() {
    let app = FixtureApp::echo("");
    let host = Up::new(app.manifest()).start();
    let mut stream = wire::connect(host.address);
    stream.write_all(b"POST / HTTP/1.1\r\nHost: a\r\nX-Do: body\r\nExpect: 100-continue\r\nContent-Length: 5\r\nConnection: close\r\n\r\n").unwrap();
    let mut first = [0; 25];
    stream.read_exact(&mut first).unwrap();
    assert_eq!(&first, b"HTTP/1.1 100 Continue\r\n\r\n");
    stream.write_all(b"hello").unwrap();
    assert!(
        wire::parts(&wire::read_to_end(&mut stream))
            .1
            .contains("\"length\":5")
    );
}
