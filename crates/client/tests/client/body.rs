//! Servers that are wrong after a good head.

use std::time::Duration;

use spinfo_client::{FailureKind, Phase};

use crate::servers::Server;
use crate::{BODY_LIMIT, failure_soon, get};

async fn failing(bytes: &'static str) -> String {
    let server = Server::answering(bytes).await;
    let failure = get(&server.url("/")).await.unwrap_err();
    assert_eq!(failure.kind, FailureKind::Body, "{failure}");
    failure.message
}

#[tokio::test]
async fn half_a_body_is_cut_short() {
    let message = failing("HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhalf!").await;
    assert!(
        message.starts_with("the answer's body was cut short after 5 bytes: "),
        "{message}"
    );
}

#[tokio::test]
async fn chunks_without_the_last_one_are_cut_short() {
    let message =
        failing("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n").await;
    assert!(
        message.starts_with("the answer's body was cut short after 3 bytes: "),
        "{message}"
    );
}

#[tokio::test]
async fn chunks_of_no_length_are_a_failure_of_the_body() {
    failing("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nwhat?\r\nabc\r\n").await;
}

#[tokio::test]
async fn a_reset_within_the_body_cuts_it_short() {
    let server = Server::start(|mut visit| async move {
        visit
            .answer("HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nabc")
            .await;
        visit.reset();
    })
    .await;
    let failure = get(&server.url("/")).await.unwrap_err();
    assert_eq!(failure.kind, FailureKind::Body, "{failure}");
}

#[tokio::test]
async fn a_body_up_to_the_limit_is_read() {
    let server = Server::start(|mut visit| async move {
        visit
            .answer(&format!(
                "HTTP/1.1 200 OK\r\n\r\n{}",
                "x".repeat(BODY_LIMIT)
            ))
            .await;
    })
    .await;
    assert_eq!(get(&server.url("/")).await.unwrap().body.len(), BODY_LIMIT);
}

#[tokio::test]
async fn a_body_longer_than_the_limit_is_given_up() {
    for head in [
        "content-length: 1000000000000\r\n\r\n",
        "transfer-encoding: chunked\r\n\r\n10000000\r\n",
        "\r\n",
    ] {
        let server = Server::start(move |mut visit| async move {
            visit
                .answer(&format!(
                    "HTTP/1.1 200 OK\r\n{head}{}",
                    "x".repeat(BODY_LIMIT + 1)
                ))
                .await;
            visit.silence().await;
        })
        .await;
        let failure = get(&server.url("/")).await.unwrap_err();
        assert_eq!(failure.kind, FailureKind::Body);
        assert_eq!(
            failure.message,
            "the answer's body is longer than the limit of 1000 bytes"
        );
    }
}

#[tokio::test]
async fn a_body_that_stops_is_a_timeout_at_the_body() {
    let server = Server::start(|mut visit| async move {
        visit
            .answer("HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nabc")
            .await;
        visit.silence().await;
    })
    .await;
    let failure = failure_soon(&server.url("/")).await;
    assert_eq!(failure.kind, FailureKind::Timeout(Phase::Body), "{failure}");
}

#[tokio::test]
async fn head_and_body_have_their_own_times() {
    const PAUSE: Duration = Duration::from_millis(100);
    let server = Server::start(|mut visit| async move {
        visit
            .answer("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\na")
            .await;
        tokio::time::sleep(PAUSE).await;
        visit.say("b").await;
    })
    .await;
    let answer = get(&server.url("/")).await.unwrap();
    assert_eq!(answer.body, "ab");
    assert!(answer.sent_at <= answer.head_at);
    let gap = answer.finished_at - answer.head_at;
    // The head is stamped when it is read, so that a busy machine may have read it late, but not by as much as this.
    assert!(gap > PAUSE / 4, "{gap:?}");
}
