//! Port 80 sends to port 443, whatever it is asked.

use spinfo_proof::edge::{Edge, Replicas, Settings};
use spinfo_tests::wire;

/// The redirect needs no replica.
fn start() -> Edge {
    Settings::before(&Replicas::none(1), 1).start()
}

/// Status and target of an answer to a request line and a Host field; without one when it is `None`.
fn ask(edge: &Edge, line: &str, host: Option<&str>) -> (u16, Option<String>) {
    let host = host.map_or(String::new(), |host| format!("Host: {host}\r\n"));
    let request = format!("{line}\r\n{host}Connection: close\r\n\r\n");
    let answer = wire::exchange(edge.http, request.as_bytes());
    let (head, body) = wire::parts(&answer);
    let target = head.lines().find_map(|line| {
        let (name, value) = line.split_once(": ")?;
        name.eq_ignore_ascii_case("location")
            .then(|| value.to_owned())
    });
    assert!(!body.contains("Hello"), "{request:?}: {body}");
    (wire::status(&answer).expect("an answer"), target)
}

#[test]
#[ignore = "needs Caddy; see proof/backends/install"]
fn path_query_and_method_are_kept() {
    let edge = start();
    let port = edge.https.port();
    for method in [
        "GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "WHATEVER",
    ] {
        for path in [
            "/",
            "/status",
            "/status?a=b&c=d%20e",
            "/a//b/../c",
            "/%2f%2fexample.org",
            "/a%0d%0ax:y",
            "//example.org/",
            "/.well-known/other",
            "/?https://example.org",
        ] {
            let asked = ask(
                &edge,
                &format!("{method} {path} HTTP/1.1"),
                Some("localhost"),
            );
            // 308: the method and the body are sent again as they were (RFC 9110 section 15.4.9).
            let wanted = (308, Some(format!("https://localhost:{port}{path}")));
            assert_eq!(asked, wanted, "{method} {path}");
        }
    }
    // What HTTP/1.1 also allows for a path (RFC 9112 section 3.2).
    let asked = ask(
        &edge,
        "GET http://example.org/x?y HTTP/1.1",
        Some("example.org"),
    );
    assert_eq!(asked, (308, Some(format!("https://localhost:{port}/x?y"))));
    assert_eq!(ask(&edge, "GET * HTTP/1.1", Some("localhost")), (400, None));
    let (status, target) = ask(
        &edge,
        "CONNECT example.org:443 HTTP/1.1",
        Some("example.org:443"),
    );
    assert!(
        matches!(status, 308 | 400) && !target.is_some_and(|target| target.contains("example")),
        "{status}"
    );
}

#[test]
#[ignore = "needs Caddy; see proof/backends/install"]
fn nobody_is_sent_to_a_name_that_is_not_ours() {
    let edge = start();
    let port = edge.https.port();
    let canonical = Some(format!("https://localhost:{port}/p?q"));
    for host in [
        "localhost",
        "localhost:80",
        "localhost:8080",
        "example.org",
        "example.org:443",
        "localhost.example.org",
        "127.0.0.2",
        "[::1]",
        "xn--bcher-kva.example",
    ] {
        let asked = ask(&edge, "GET /p?q HTTP/1.1", Some(host));
        assert_eq!(asked, (308, canonical.clone()), "{host}");
    }
    let asked = ask(&edge, "GET /p?q HTTP/1.1", Some("127.0.0.1:80"));
    assert_eq!(asked, (308, Some(format!("https://127.0.0.1:{port}/p?q"))));
    // HTTP/1.0 knows no Host.
    assert_eq!(ask(&edge, "GET /p?q HTTP/1.0", None), (308, canonical));
    for host in [
        None,
        Some(""),
        Some("a b"),
        Some("example.org/x"),
        Some("localhost@example.org"),
        Some("localhost\\@example.org"),
        Some("\u{7f}"),
        Some("localhost\r\nHost: example.org"),
    ] {
        let asked = ask(&edge, "GET /p?q HTTP/1.1", host);
        assert_eq!(asked, (400, None), "{host:?}");
    }
}

#[test]
#[ignore = "needs Caddy; see proof/backends/install"]
fn only_challenges_of_an_acme_server_are_answered_without_tls() {
    let edge = start();
    for path in [
        "/.well-known/acme-challenge/token",
        "/.well-known/acme-challenge/",
    ] {
        let asked = ask(&edge, &format!("GET {path} HTTP/1.1"), Some("localhost"));
        assert_eq!(asked, (404, None), "{path}");
    }
    let asked = ask(
        &edge,
        "GET /.well-known/acme-challenge HTTP/1.1",
        Some("localhost"),
    );
    assert_eq!(asked.0, 308);
}
