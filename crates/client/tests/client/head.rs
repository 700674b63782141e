//! Servers that are wrong before the head of their answer is whole.

use std::time::Duration;

use http::header::{AUTHORIZATION, HOST};
use http::{HeaderMap, HeaderValue, Method, Version};
use spinfo_client::{Client, FailureKind, Options, Phase};

use crate::servers::Server;
use crate::{PATIENCE, asking, failure_soon, get, target, within};

#[tokio::test]
async fn a_request_carries_what_it_must() {
    let server = Server::answering("HTTP/1.1 204 No Content\r\nx-a: b\r\n\r\n").await;
    let options = Options {
        user_agent: Some(HeaderValue::from_static("test/1")),
        ..Options::default()
    };
    let client = Client::new(options).unwrap();
    let target = target(&format!("http://me:hunter2@{}/a", server.address));
    let limits = within(PATIENCE);
    let mut connection = client.connect(&target, limits.deadline).await.unwrap();
    assert!(connection.phases().tls.is_none() && connection.certificate().is_none());
    let answer = connection
        .send(asking(&Method::POST, &target, &HeaderMap::new()), limits)
        .await
        .unwrap();
    assert_eq!(
        (answer.status.as_u16(), answer.version),
        (204, Version::HTTP_11)
    );
    assert_eq!(answer.headers["x-a"], "b");
    let host = server.address;
    let expected = format!(
        "POST /a HTTP/1.1\r\naccept: */*\r\nuser-agent: test/1\r\nauthorization: Basic bWU6aHVudGVyMg==\r\ncontent-length: 0\r\nhost: {host}\r\n\r\n"
    );
    assert_eq!(server.heard(), [expected]);
}

#[tokio::test]
async fn headers_of_the_caller_come_first() {
    let server = Server::answering("HTTP/1.1 204 No Content\r\n\r\n").await;
    let client = Client::new(Options::default()).unwrap();
    let target = target(&format!("http://me:hunter2@{}/", server.address));
    let mut headers = HeaderMap::new();
    headers.insert(AUTHORIZATION, HeaderValue::from_static("Bearer x"));
    headers.insert(HOST, HeaderValue::from_static("other.test"));
    let mut connection = client
        .connect(&target, within(PATIENCE).deadline)
        .await
        .unwrap();
    connection
        .send(asking(&Method::GET, &target, &headers), within(PATIENCE))
        .await
        .unwrap();
    let heard = server.heard().concat();
    assert!(
        heard.contains("authorization: Bearer x\r\n") && heard.contains("host: other.test\r\n"),
        "{heard}"
    );
    assert!(!heard.contains("Basic"), "{heard}");
}

#[tokio::test]
async fn silence_is_a_timeout_at_the_head() {
    let server = Server::start(|visit| visit.silence()).await;
    let failure = failure_soon(&server.url("/")).await;
    assert_eq!(failure.kind, FailureKind::Timeout(Phase::Head), "{failure}");
    assert!(
        failure
            .message
            .ends_with("waiting for the head of the answer"),
        "{failure}"
    );
    assert!(failure.after.unwrap() >= Duration::from_millis(100));
}

#[tokio::test]
async fn slow_headers_are_a_timeout_at_the_head() {
    let server = Server::start(|mut visit| async move {
        visit.answer("HTTP/1.1 200 OK\r\n").await;
        let mut ticks = tokio::time::interval(Duration::from_millis(10));
        loop {
            ticks.tick().await;
            visit.say("x-slow: 1\r\n").await;
        }
    })
    .await;
    assert_eq!(
        failure_soon(&server.url("/")).await.kind,
        FailureKind::Timeout(Phase::Head)
    );
}

#[tokio::test]
async fn a_reset_before_the_head_is_a_reset() {
    let server = Server::start(|mut visit| async move {
        visit.head().await;
        visit.reset();
    })
    .await;
    let failure = get(&server.url("/")).await.unwrap_err();
    assert_eq!(failure.kind, FailureKind::Reset, "{failure}");
    assert!(
        failure
            .message
            .starts_with("the server closed the connection before it answered ("),
        "{failure}"
    );
}

#[tokio::test]
async fn an_end_before_or_within_the_head_is_a_reset() {
    for bytes in ["", "HTTP/1.1 200 OK\r\ncontent-le"] {
        let server = Server::answering(bytes).await;
        assert_eq!(
            get(&server.url("/")).await.unwrap_err().kind,
            FailureKind::Reset,
            "{bytes:?}"
        );
    }
}

#[tokio::test]
async fn garbage_is_a_failure_of_the_protocol() {
    for bytes in [
        "SSH-2.0-OpenSSH_9.9\r\n\r\n",
        "\0\u{1}\u{2}garbage\r\n\r\n",
        "HTTP/1.1 999999 What\r\n\r\n",
        "HTTP/1.1 200 OK\r\nno colon\r\n\r\n",
    ] {
        let server = Server::answering(bytes).await;
        let failure = get(&server.url("/")).await.unwrap_err();
        assert_eq!(failure.kind, FailureKind::Protocol, "{bytes:?}: {failure}");
        assert!(
            failure
                .message
                .starts_with("what the server sent is not HTTP: "),
            "{failure}"
        );
    }
}

#[tokio::test]
async fn a_head_without_an_end_is_a_failure_of_the_protocol() {
    let server = Server::start(|mut visit| async move {
        visit.answer("HTTP/1.1 200 OK\r\n").await;
        for _ in 0..2000 {
            visit
                .say(&format!("x-long: {}\r\n", "x".repeat(1000)))
                .await;
        }
        visit.silence().await;
    })
    .await;
    assert_eq!(
        get(&server.url("/")).await.unwrap_err().kind,
        FailureKind::Protocol
    );
}

#[tokio::test]
async fn what_browsers_read_is_an_answer() {
    let server = Server::start(|mut visit| async move {
        let many = "x-many: 1\r\n".repeat(150);
        let head = "HTTP/1.1 200 OK\r\nx-folded: a\r\n b\r\nX-Space : 1\r\ncontent-length: 1\r\n";
        visit.answer(&format!("{head}{many}\r\nx")).await;
    })
    .await;
    let answer = get(&server.url("/")).await.unwrap();
    assert_eq!((answer.status.as_u16(), &answer.body[..]), (200, &b"x"[..]));
    assert_eq!(answer.headers["x-space"], "1");
    assert_eq!(answer.headers.get_all("x-many").iter().count(), 150);
}

#[tokio::test]
async fn an_interim_answer_is_passed_over() {
    let server = Server::answering(
        "HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 1\r\n\r\nx",
    )
    .await;
    assert_eq!(get(&server.url("/")).await.unwrap().status, 200);
}

#[tokio::test]
async fn what_cannot_be_sent_is_said() {
    let server = Server::answering("").await;
    let failure = get(&server.url(&format!("/{}", "x".repeat(100_000))))
        .await
        .unwrap_err();
    assert_eq!(failure.kind, FailureKind::Protocol, "{failure}");
    assert!(
        failure.message.starts_with("the request can't be sent: "),
        "{failure}"
    );
}
