//! What all answers have in common.

use std::fs;
use std::net::SocketAddr;

use serde_json::json;
use spinfo_tests::artifacts;

use super::{HTML, JSON, Servers, ask, get, is_problem, is_traced_and_not_sniffed};

/// Every route that spin.toml sends to a component, as a path: a parameter is 0, a code is 200.
fn paths() -> Vec<String> {
    let manifest = fs::read_to_string(artifacts::manifest()).unwrap();
    let manifest: toml::Table = manifest.parse().unwrap();
    let triggers = manifest["trigger"]["http"].as_array().unwrap();
    let path = |trigger: &toml::Value| {
        let route = trigger["route"].as_str().unwrap();
        let segments = route.split('/').map(|segment| match segment {
            ":code" => "200",
            parameter if parameter.starts_with(':') => "0",
            text => text,
        });
        segments.collect::<Vec<_>>().join("/")
    };
    triggers.iter().map(path).collect()
}

/// What `OPTIONS` says that a path allows.
fn allowed(address: SocketAddr, path: &str) -> Vec<String> {
    let answer = ask(address, "OPTIONS", path, &[], "");
    assert_eq!(answer.status, 204, "OPTIONS {path}: {answer:?}");
    answer
        .header("allow")
        .split(", ")
        .map(str::to_owned)
        .collect()
}

/// Methods that some route allows, one that none does, and one that nobody knows.
const METHODS: [&str; 6] = ["GET", "POST", "PUT", "DELETE", "PATCH", "BREW"];

#[test]
fn every_route_answers_with_a_media_type_and_its_trace() {
    Servers::with(&[]).each(|address| {
        for path in paths() {
            for method in allowed(address, &path) {
                // Its answer is the host's: the component is gone.
                if path == "/panic" && method != "OPTIONS" {
                    continue;
                }
                let answer = ask(address, &method, &path, &JSON, "");
                is_traced_and_not_sniffed(&answer);
                match answer.status.as_u16() {
                    500 => panic!("{method} {path}: {answer:?}"),
                    status @ 400.. if method != "HEAD" => is_problem(&answer, status),
                    _ => {}
                }
                let typed = !answer.header("content-type").is_empty();
                assert!(
                    typed || answer.body.is_empty(),
                    "{method} {path}: {answer:?}"
                );
            }
        }
    });
}

#[test]
fn a_panic_is_an_answer_too() {
    Servers::with(&[]).each(|address| assert_eq!(get(address, "/panic").status, 500));
}

#[test]
fn head_is_get_without_a_body() {
    Servers::with(&[]).each(|address| {
        for path in paths() {
            let methods = allowed(address, &path);
            let has = |method: &str| methods.iter().any(|allowed| allowed == method);
            assert_eq!(has("HEAD"), has("GET"), "{path}: {methods:?}");
            if !has("GET") || path == "/panic" {
                continue;
            }
            let (get, head) = (
                ask(address, "GET", &path, &[], ""),
                ask(address, "HEAD", &path, &[], ""),
            );
            assert_eq!(head.status, get.status, "{path}");
            assert!(head.body.is_empty(), "{path}");
            assert_eq!(
                head.header("content-type"),
                get.header("content-type"),
                "{path}"
            );
            // A clock's reading, an instance's name and a trace id may differ in length from answer to answer.
            if head.headers.contains_key("content-length")
                && ["/", "/version", "/healthz"].contains(&path.as_str())
            {
                assert_eq!(
                    head.header("content-length"),
                    get.body.len().to_string(),
                    "{path}"
                );
            }
            is_traced_and_not_sniffed(&head);
        }
    });
}

#[test]
fn other_methods_get_405_with_those_that_are_allowed() {
    Servers::with(&[]).each(|address| {
        for path in paths() {
            let allowed = allowed(address, &path);
            for method in METHODS {
                if allowed.iter().any(|allowed| allowed == method) {
                    continue;
                }
                let answer = ask(address, method, &path, &[], "");
                is_problem(&answer, 405);
                is_traced_and_not_sniffed(&answer);
                assert_eq!(
                    answer.header("allow"),
                    allowed.join(", "),
                    "{method} {path}"
                );
            }
        }
    });
}

/// What clients rely on: methods, and the media type of the first one's answer.
#[test]
fn methods_and_media_types_are_those_of_the_contract() {
    const TEXT: &str = "text/plain; charset=utf-8";
    const HTML: &str = "text/html; charset=utf-8";
    const JSON: &str = "application/json";
    Servers::with(&[]).each(|address| {
        for (path, methods, media) in [
            ("/", "GET", TEXT),
            ("/api/info", "GET", JSON),
            ("/version", "GET", JSON),
            ("/now", "GET", TEXT),
            ("/status", "GET PUT DELETE", JSON),
            ("/status/change", "POST", JSON),
            ("/file_upload", "GET POST", HTML),
            ("/files", "GET", JSON),
            ("/files/nothing.txt", "GET", "application/problem+json"),
            ("/healthz", "GET", JSON),
            ("/readyz", "GET", JSON),
            ("/readyz/enable", "POST", ""),
            ("/readyz/disable", "POST", ""),
            ("/headers", "GET POST", JSON),
            ("/echo", "POST", "application/octet-stream"),
            ("/delay/0", "GET", JSON),
            ("/status/200", "GET POST PUT", JSON),
            ("/chunked/0", "GET", JSON),
        ] {
            let (allowed, methods) = (allowed(address, path), methods.split(' '));
            assert!(
                methods
                    .clone()
                    .all(|method| allowed.iter().any(|allowed| allowed == method)),
                "{path}: {allowed:?}"
            );
            let answer = ask(address, methods.clone().next().unwrap(), path, &[], "");
            assert_eq!(answer.header("content-type"), media, "{path}: {answer:?}");
        }
    });
}

#[test]
fn slashes_at_both_ends_do_not_count() {
    Servers::with(&[]).each(|address| {
        for (path, method) in [
            ("//", "GET"),
            ("/status/", "GET"),
            ("/status//", "GET"),
            ("//status", "GET"),
            ("/healthz//", "GET"),
            ("/delay/0//", "GET"),
            ("/echo//", "POST"),
        ] {
            let answer = ask(address, method, path, &[], "");
            assert!(answer.status.is_success(), "{method} {path}: {answer:?}");
        }
    });
}

#[test]
fn paths_that_nothing_answers_get_404() {
    let servers = Servers::with(&[]);
    for path in [
        "/nothing",
        "/status/200/more",
        "/files/a/b",
        "/api",
        "/%2e%2e/etc/passwd",
    ] {
        is_problem(&get(servers.host.address, path), 404);
    }
    servers.each(|address| assert_eq!(get(address, "/nothing").status, 404));
}

#[test]
fn spins_own_paths_are_answered() {
    Servers::with(&[]).each(|address| {
        assert_eq!(get(address, "/.well-known/spin/health").text(), "OK");
        let info = get(address, "/.well-known/spin/info").json();
        assert_eq!(
            (&info["name"], &info["version"]),
            (&json!("spinfo"), &json!("0.1.0"))
        );
    });
}

#[test]
fn no_text_of_a_client_comes_back_as_html() {
    const EVIL: &str = "%3Cscript%3Ealert(1)%3C/script%3E";
    Servers::with(&[]).each(|address| {
        for path in [
            format!("/?q={EVIL}"),
            format!("/files/{EVIL}"),
            format!("/delay/{EVIL}"),
            format!("/status/{EVIL}"),
            format!("/file_upload?{EVIL}"),
        ] {
            let answer = ask(address, "GET", &path, &HTML, "");
            let html = answer.header("content-type").starts_with("text/html");
            assert!(!html || !answer.text().contains("<script>alert"), "{path}");
            assert_eq!(
                answer
                    .headers
                    .get("x-content-type-options")
                    .map(|value| value.as_bytes()),
                Some(&b"nosniff"[..]),
                "{path}"
            );
        }
    });
}
