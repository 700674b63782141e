//! What goes wrong is told apart.

use std::net::TcpListener;
use std::sync::Arc;
use std::time::Duration;

use rustls::ServerConfig;
use rustls::pki_types::PrivatePkcs8KeyDer;
use serde_json::Value;
use spinfo_test_receiver::Receiver;

use crate::program::run;
use crate::server::{Reply, Server, answer};

/// The only report of a run of one request.
fn report(arguments: &[&str]) -> Value {
    let arguments = [&["--count", "1", "--timeout", "10s"], arguments].concat();
    let ended = run(&arguments);
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    let requests = ended.requests();
    assert_eq!(requests.len(), 1);
    requests.into_iter().next().unwrap()
}

/// Asserts that the only report has an error of this type, with this in its message.
fn fails(arguments: &[&str], kind: &str, words: &str) -> Value {
    let report = report(arguments);
    let error = &report["error"];
    assert_eq!(
        (&report["success"], &error["type"]),
        (&false.into(), &kind.into()),
        "{report}"
    );
    assert!(
        error["message"].as_str().unwrap().contains(words),
        "{error}"
    );
    report
}

/// Like [`fails`], against a server that does this with its request.
fn fails_with(reply: impl Fn() -> Reply + Send + Sync + 'static, kind: &str, words: &str) -> Value {
    fails(&[&Server::start(move |_| reply()).url()], kind, words)
}

#[test]
fn a_name_without_an_address() {
    // No part of a name may have more than 63 bytes, so no name server is asked.
    let url = format!("http://{}.invalid", "a".repeat(64));
    let report = fails(&[&url], "dns", "cannot find the address");
    assert_eq!(
        (&report["status"], &report["phases"]["connect"]),
        (&Value::Null, &Value::Null)
    );
}

#[test]
fn a_port_where_nobody_listens() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    fails(&[&url], "connect", "refused");
}

#[test]
fn a_server_that_does_not_speak_tls() {
    let server = Server::start(|_| answer(400, ""));
    fails(&[&server.url().replace("http:", "https:")], "tls", "");
}

#[test]
fn a_certificate_that_nobody_vouches_for_and_one_that_cacert_does() {
    let rcgen::CertifiedKey { cert, signing_key } =
        rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).unwrap();
    let key = PrivatePkcs8KeyDer::from(signing_key.serialize_der());
    let config =
        ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![cert.der().clone()], key.into())
            .unwrap();
    // It answers 400 to whatever isn't OTLP.
    let server = Receiver::start_with_tls(config);
    fails(&[&server.url()], "tls", "--cacert");

    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), cert.pem()).unwrap();
    let report = fails(
        &[&server.url(), "--cacert", file.path().to_str().unwrap()],
        "status",
        "400 Bad Request",
    );
    assert!(report["phases"]["tls"].as_f64().unwrap() > 0.0, "{report}");
}

#[test]
fn a_server_that_does_not_answer_in_time() {
    let server = Server::start(|_| Reply::Silence);
    let report = fails(
        &[&server.url(), "--timeout", "300ms"],
        "timeout",
        "head of the answer",
    );
    assert!(report["phases"]["connect"].is_f64(), "{report}");
    let duration = report["duration_seconds"].as_f64().unwrap();
    assert!((0.3..10.0).contains(&duration), "{duration}");
}

#[test]
fn a_connection_that_ends_without_an_answer() {
    fails_with(|| Reply::Last(Vec::new()), "reset", "");
}

#[test]
fn something_else_than_http() {
    fails_with(
        || Reply::Last(b"SSH-2.0-OpenSSH_9.9\r\n".to_vec()),
        "protocol",
        "",
    );
}

#[test]
fn an_answer_with_the_wrong_code() {
    let report = fails_with(|| answer(503, "down"), "status", "503 Service Unavailable");
    assert_eq!(
        (&report["status"], &report["state"]),
        (&503.into(), &Value::Null)
    );
}

#[test]
fn a_redirect_is_named_and_not_followed() {
    let location = "HTTP/1.1 302 X\r\nlocation: /elsewhere\r\ncontent-length: 0\r\n\r\n";
    let server = Server::start(move |_| Reply::Bytes(location.into()));
    let report = fails(
        &[&server.url()],
        "status",
        "302 Found: leads to http://127.0.0.1:",
    );
    assert!(
        report["error"]["message"]
            .as_str()
            .unwrap()
            .contains("/elsewhere")
    );
    assert_eq!(server.requests().len(), 1);
}

#[test]
fn half_a_body() {
    let half = "HTTP/1.1 200 X\r\ncontent-length: 100\r\n\r\nhalf";
    fails_with(move || Reply::Last(half.into()), "body", "");
}

#[test]
fn a_huge_body() {
    let body = "x".repeat((1 << 20) + 1);
    fails_with(move || answer(200, &body), "body", "longer than the limit");
}

#[test]
fn each_is_counted_in_the_summary_under_its_name() {
    let server = Server::start(|request| match request.connection {
        0 => Reply::Last(Vec::new()),
        1 => Reply::After(
            Duration::from_millis(1),
            Box::new(Reply::Last(
                b"HTTP/1.1 500 X\r\ncontent-length: 0\r\n\r\n".to_vec(),
            )),
        ),
        2 => Reply::Last(b"HTTP/1.1 200 X\r\ncontent-length: 9\r\n\r\n".to_vec()),
        _ => answer(200, ""),
    });
    let ended = run(&[
        &server.url(),
        "--count",
        "4",
        "--interval",
        "20ms",
        "--no-keepalive",
    ]);
    let summary = ended.summary();
    assert_eq!(
        summary["errors"],
        serde_json::json!({ "reset": 1, "status": 1, "body": 1 })
    );
    assert_eq!(
        (&summary["requests"], &summary["error_share"]),
        (&4.into(), &0.75.into())
    );
}
