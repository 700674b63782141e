//! Requests that are no requests, and too large ones.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;

use http::Request;
use rustls::pki_types::ServerName;
use rustls::{ClientConnection, StreamOwned};
use serde_json::json;
use spinfo_proof::edge::caddy::get;
use spinfo_proof::edge::{Edge, Replicas, Settings};
use spinfo_tests::{Client, wire};

const HOST: &str = "Host: localhost\r\n";
const CLOSE: &str = "Connection: close\r\n";

/// Sends bytes by TLS and reads until the edge closes the connection.
fn exchange(edge: &Edge, bytes: &[u8]) -> Vec<u8> {
    let name = ServerName::try_from("localhost").unwrap();
    let session = ClientConnection::new(edge.trusting(&["http/1.1"]), name).unwrap();
    let mut stream: StreamOwned<_, TcpStream> =
        StreamOwned::new(session, wire::connect(edge.https));
    // An edge that has heard enough may close before everything is written; its answer still counts.
    let _ = stream.write_all(bytes);
    let mut answer = Vec::new();
    // A connection that is cut is no proper end of TLS.
    let _ = stream.read_to_end(&mut answer);
    answer
}

/// Statuses of all answers to bytes.
fn statuses(edge: &Edge, bytes: &str) -> Vec<u16> {
    let answer = exchange(edge, bytes.as_bytes());
    let text = String::from_utf8_lossy(&answer);
    let heads = text.match_indices("HTTP/1.1 ");
    heads
        .filter_map(|(at, head)| text[at + head.len()..].get(..3)?.parse().ok())
        .collect()
}

/// Requests that a host has had.
fn served(replicas: &Replicas) -> f64 {
    let metrics = replicas.hosts[0].admin("/metrics");
    let counts = metrics.text().lines().filter_map(|line| {
        line.starts_with("http_server_request_duration_seconds_count{")
            .then(|| line.split_whitespace().nth(1)?.parse::<f64>().ok())?
    });
    counts.sum()
}

#[test]
#[ignore = "needs Caddy; see proof/backends/install"]
fn edge_and_host_never_disagree_about_where_a_request_ends() {
    let replicas = Replicas::start(1);
    let edge = Settings::before(&replicas, 1).start().with_certificates();
    let post = |fields: &str, body: &str| {
        format!("POST /echo HTTP/1.1\r\n{HOST}{CLOSE}{fields}\r\n{body}")
    };
    let chunked = "Transfer-Encoding: chunked\r\n";
    for (what, request) in [
        (
            "two lengths",
            post("Content-Length: 4\r\nContent-Length: 5\r\n", "abcde"),
        ),
        (
            "a list of lengths",
            post("Content-Length: 4, 4\r\n", "abcd"),
        ),
        (
            "a length with a sign",
            post("Content-Length: +4\r\n", "abcd"),
        ),
        ("a negative length", post("Content-Length: -4\r\n", "abcd")),
        (
            "a length in hexadecimal",
            post("Content-Length: 0x4\r\n", "abcd"),
        ),
        (
            "an unknown coding",
            post("Transfer-Encoding: xchunked\r\n", "0\r\n\r\n"),
        ),
        (
            "chunked that is not last",
            post("Transfer-Encoding: chunked, gzip\r\n", "0\r\n\r\n"),
        ),
        (
            "chunked twice",
            post(
                "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n",
                "0\r\n\r\n",
            ),
        ),
        (
            "a space before the colon",
            post("Transfer-Encoding : chunked\r\n", "0\r\n\r\n"),
        ),
        (
            "a tab in the coding",
            post("Transfer-Encoding:\tchunked\u{b}\r\n", "0\r\n\r\n"),
        ),
        (
            "a name with a line feed",
            post("X-A: b\rTransfer-Encoding: chunked\r\n", "0\r\n\r\n"),
        ),
        ("a zero byte", post("X-A: \0\r\n", "")),
        ("two hosts", post("Host: example.org\r\n", "")),
        ("a line without a colon", post("nonsense\r\n", "")),
        (
            "a line feed after a chunk's size",
            post(chunked, "4\nabcd\r\n0\r\n\r\n"),
        ),
        (
            "a size that is none",
            post(chunked, "4z\r\nabcd\r\n0\r\n\r\n"),
        ),
        (
            "a chunk that is longer than its size",
            post(chunked, "3\r\nabcd\r\n0\r\n\r\n"),
        ),
        (
            "an endless extension of a chunk",
            post(
                chunked,
                &format!("1;{}\r\na\r\n0\r\n\r\n", "a".repeat(70_000)),
            ),
        ),
        (
            "a version that there is not",
            format!("GET / HTTP/9.9\r\n{HOST}{CLOSE}\r\n"),
        ),
        ("no version", format!("GET /\r\n{HOST}{CLOSE}\r\n")),
    ] {
        let statuses = statuses(&edge, &request);
        assert!(
            statuses.len() == 1 && statuses[0] >= 400,
            "{what}: {statuses:?}"
        );
    }
    // What is right, though odd, means the same to both: nothing after its end reaches the host as a request.
    for (what, request, wanted) in [
        (
            "equal lengths",
            post("Content-Length: 4\r\nContent-Length: 4\r\n", "abcd"),
            "abcd",
        ),
        (
            "an extension of a chunk",
            post(chunked, "4;a=b\r\nabcd\r\n0\r\n\r\n"),
            "abcd",
        ),
        (
            "a trailer",
            post(chunked, "4\r\nabcd\r\n0\r\nX-A: b\r\n\r\n"),
            "abcd",
        ),
        (
            "coding and length",
            post(
                &format!("{chunked}Content-Length: 3\r\n"),
                "4\r\nabcd\r\n0\r\n\r\n",
            ),
            "abcd",
        ),
        (
            "folded lines",
            post("X-A: b\r\n c\r\nContent-Length: 4\r\n", "abcd"),
            "abcd",
        ),
        (
            "bare line feeds",
            post("Content-Length: 4\r\n", "abcd").replace("\r\n", "\n"),
            "abcd",
        ),
    ] {
        let before = served(&replicas);
        let smuggled = format!("{request}GET /smuggled HTTP/1.1\r\n{HOST}\r\n");
        let answer = exchange(&edge, smuggled.as_bytes());
        assert_eq!(wire::parts(&answer).1, wanted, "{what}");
        assert_eq!(served(&replicas) - before, 1.0, "{what}");
    }
    assert!(edge.entries("/smuggled").is_empty());
    // A body of GET means nothing, so it is not passed on.
    let get = format!("GET /headers HTTP/1.1\r\n{HOST}{CLOSE}{chunked}\r\n4\r\nabcd\r\n0\r\n\r\n");
    let (_, seen) = wire::parts(&exchange(&edge, get.as_bytes()));
    assert!(
        seen.contains("\"host\"") && !seen.contains("chunked") && !seen.contains("content-length"),
        "{seen}"
    );
}

#[test]
#[ignore = "needs Caddy; see proof/backends/install"]
fn a_client_that_breaks_off_or_lies_does_not_cost_others_the_service() {
    let replicas = Replicas::start(2);
    let edge = Settings::before(&replicas, 2).start().with_certificates();
    let broken = format!(
        "POST /echo HTTP/1.1\r\n{HOST}{CLOSE}Transfer-Encoding: chunked\r\n\r\n4\nabcd\r\n0\r\n\r\n"
    );
    let repeated = broken.replace("POST", "GET");
    let mut client = edge.connect(&["h2"]).unwrap();
    // More than what takes a replica that fails out of service.
    for round in 0..60 {
        let bytes = if round % 2 == 0 { &broken } else { &repeated };
        exchange(&edge, bytes.as_bytes());
        let answer = client.send(get("/"));
        assert_eq!(answer.status, 200, "round {round}: {answer:?}");
    }
}

#[test]
#[ignore = "needs Caddy; see proof/backends/install"]
fn too_much_is_refused() {
    let replicas = Replicas::start(1);
    let edge = Settings::before(&replicas, 1).start().with_certificates();
    let header = format!(
        "GET / HTTP/1.1\r\n{HOST}{CLOSE}X-A: {}\r\n\r\n",
        "a".repeat(40_000)
    );
    assert_eq!(statuses(&edge, &header), [431]);
    let fields = "X-A: a\r\n".repeat(150);
    let many = format!("GET / HTTP/1.1\r\n{HOST}{CLOSE}{fields}\r\n");
    assert_eq!(statuses(&edge, &many), [431]);
    let path = format!("GET /{} HTTP/1.1\r\n{HOST}{CLOSE}\r\n", "a".repeat(40_000));
    assert_eq!(statuses(&edge, &path), [431]);

    let before = served(&replicas);
    let mut client = edge.connect(&["h2"]).unwrap();
    let large = vec![b'a'; 12 << 20];
    let answer = client.send(Request::post("/file_upload").body(large.clone()).unwrap());
    assert_eq!(answer.status, 413, "{answer:?}");
    assert_eq!(answer.header("content-type"), "application/problem+json");
    assert_eq!(answer.json()["status"], 413);
    assert_eq!(
        served(&replicas),
        before,
        "its length was enough to refuse it"
    );

    // Without a length it is counted on its way.
    let mut chunked =
        format!("POST /file_upload HTTP/1.1\r\n{HOST}{CLOSE}Transfer-Encoding: chunked\r\nContent-Type: multipart/form-data; boundary=b\r\n\r\n{:x}\r\n", large.len())
            .into_bytes();
    chunked.extend(&large);
    chunked.extend(b"\r\n0\r\n\r\n");
    assert_eq!(wire::status(&exchange(&edge, &chunked)), Some(413));
}

#[test]
#[ignore = "needs Caddy; see proof/backends/install"]
fn the_largest_upload_passes() {
    let replicas = Replicas::start(1);
    let edge = Settings::before(&replicas, 1).start().with_certificates();
    let form = |size: usize| {
        let mut form =
            b"--b\r\nContent-Disposition: form-data; name=\"new_file\"; filename=\"a.txt\"\r\n\r\n"
                .to_vec();
        form.extend(b"a ".repeat(size / 2));
        form.extend(b"\r\n--b--\r\n");
        Request::post("/file_upload")
            .header("content-type", "multipart/form-data; boundary=b")
            .header("accept", "text/plain")
            .body(form)
            .unwrap()
    };
    let limit = 10 << 20;
    for protocol in ["h2", "http/1.1"] {
        let mut client: Client = edge.connect(&[protocol]).unwrap();
        let answer = client.send(form(limit));
        assert_eq!(answer.status, 200, "{answer:?}");
        assert!(
            answer.text().contains(&format!("Word Count:{}", limit / 2)),
            "{answer:?}"
        );
    }
    // One byte pair more is for the application to refuse, which knows why.
    let answer = edge.send(form(limit + 2));
    assert_eq!(answer.status, 413, "{answer:?}");
    assert_ne!(
        answer.header("traceresponse"),
        "",
        "this is the host's answer: {answer:?}"
    );
}

#[test]
#[ignore = "needs Caddy; see proof/backends/install"]
fn nobody_can_pretend_to_be_another_client() {
    let replicas = Replicas::start(1);
    let edge = Settings::before(&replicas, 1).start().with_certificates();
    let request = Request::get("/headers")
        .header("x-forwarded-for", "203.0.113.7")
        .header("x-forwarded-proto", "http")
        .header("x-forwarded-host", "example.org")
        .header("spin-client-addr", "203.0.113.7:1");
    let seen = edge.send(request.body(Vec::new()).unwrap()).json();
    assert_eq!(seen["x-forwarded-for"], json!(["127.0.0.1"]), "{seen}");
    assert_eq!(seen["x-forwarded-proto"], json!(["https"]), "{seen}");
    let text = seen.to_string();
    assert!(
        !text.contains("203.0.113.7") && !text.contains("example.org"),
        "{text}"
    );
}
