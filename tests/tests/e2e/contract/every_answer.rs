//! What all answers have in common.

use serde_json::json;

use super::{HTML, Servers, ask, get, is_problem, is_traced_and_not_sniffed};

/// Every route with the methods that it allows, `GET` standing for `HEAD` too, and the media type of its usual answer.
const ROUTES: [(&str, &[&str], &str); 18] = [
    ("/", &["GET"], "text/plain; charset=utf-8"),
    ("/api/info", &["GET"], "application/json"),
    ("/version", &["GET"], "application/json"),
    ("/now", &["GET"], "text/plain; charset=utf-8"),
    ("/status", &["GET", "PUT", "DELETE"], "application/json"),
    ("/status/change", &["POST"], "application/json"),
    ("/file_upload", &["GET", "POST"], "text/html; charset=utf-8"),
    ("/files", &["GET"], "application/json"),
    ("/files/nothing.txt", &["GET"], "application/problem+json"),
    ("/healthz", &["GET"], "application/json"),
    ("/readyz", &["GET"], "application/json"),
    ("/readyz/enable", &["POST"], ""),
    ("/readyz/disable", &["POST"], ""),
    ("/headers", &["GET", "POST"], "application/json"),
    ("/echo", &["POST"], "application/octet-stream"),
    ("/delay/0", &["GET"], "application/json"),
    ("/status/200", &["GET", "POST", "PUT"], "application/json"),
    ("/chunked/0", &["GET"], "application/json"),
];

#[test]
fn every_route_answers_with_its_media_type_and_its_trace() {
    Servers::with(&[]).each(|address| {
        for (path, methods, media) in ROUTES
            .into_iter()
            .filter(|(path, ..)| !path.starts_with("/readyz/"))
        {
            let answer = ask(address, methods[0], path, &[], "");
            assert_eq!(answer.header("content-type"), media, "{path}: {answer:?}");
            is_traced_and_not_sniffed(&answer);
        }
    });
}

#[test]
fn head_is_get_without_a_body() {
    Servers::with(&[]).each(|address| {
        for (path, ..) in ROUTES
            .into_iter()
            .filter(|(_, methods, _)| methods.contains(&"GET"))
        {
            let (get, head) = (
                ask(address, "GET", path, &[], ""),
                ask(address, "HEAD", path, &[], ""),
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
                && ["/", "/version", "/healthz"].contains(&path)
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
        for (path, methods, _) in ROUTES {
            for method in ["GET", "POST", "PUT", "DELETE", "PATCH", "BREW"] {
                if methods.contains(&method) {
                    continue;
                }
                let answer = ask(address, method, path, &[], "");
                is_problem(&answer, 405);
                is_traced_and_not_sniffed(&answer);
                let allow: Vec<_> = answer.header("allow").split(", ").collect();
                assert!(
                    methods.iter().all(|method| allow.contains(method)),
                    "{method} {path}: {allow:?}"
                );
                assert_eq!(
                    allow.contains(&"HEAD"),
                    methods.contains(&"GET"),
                    "{method} {path}: {allow:?}"
                );
                assert!(!allow.contains(&method));
            }
            let answer = ask(address, "OPTIONS", path, &[], "");
            assert_eq!(answer.status, 204, "OPTIONS {path}");
            assert!(
                answer.header("allow").contains(methods[0]),
                "OPTIONS {path}: {answer:?}"
            );
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
