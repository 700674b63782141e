//! One connection over many requests.

use std::time::Duration;

use http::{HeaderMap, Method};
use spinfo_client::{Client, Exchange, Failure, FailureKind, Options, Phase, Warm};
use tokio::time::sleep;

use crate::servers::Server;
use crate::{IMPATIENCE, PATIENCE, asking, target, within};

const OK: &str = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok";

fn warm() -> Warm {
    Warm::new(Client::new(Options::default()).unwrap())
}

async fn send(warm: &mut Warm, method: Method, url: &str) -> Result<Exchange, Failure> {
    let target = target(url);
    warm.send(
        asking(&method, &target, &HeaderMap::new()),
        within(PATIENCE),
    )
    .await
}

/// Answers so many requests of a connection.
async fn answering(times: usize) -> Server {
    Server::start(move |mut visit| async move {
        for _ in 0..times {
            visit.answer(OK).await;
        }
    })
    .await
}

#[tokio::test]
async fn a_connection_is_used_again() {
    let server = answering(3).await;
    let mut warm = warm();
    let url = server.url("/");
    assert!(!send(&mut warm, Method::GET, &url).await.unwrap().reused());
    assert!(send(&mut warm, Method::POST, &url).await.unwrap().reused());
    assert!(send(&mut warm, Method::GET, &url).await.unwrap().reused());
    assert_eq!(warm.connection().unwrap().requests(), 3);
}

#[tokio::test]
async fn a_connection_that_was_closed_while_idle_is_made_again_for_every_method() {
    let server = answering(1).await;
    let mut warm = warm();
    for method in [Method::GET, Method::POST, Method::GET] {
        let exchange = send(&mut warm, method, &server.url("/")).await.unwrap();
        assert!(!exchange.reused());
        // The server's closing reaches this side a little later.
        while warm.connection().unwrap().is_open() {
            sleep(Duration::from_millis(1)).await;
        }
    }
}

#[tokio::test]
async fn a_close_that_nobody_has_noticed_yet_is_not_a_failure() {
    for _ in 0..20 {
        let server = answering(1).await;
        let mut warm = warm();
        for method in [Method::GET, Method::GET] {
            assert!(
                !send(&mut warm, method, &server.url("/"))
                    .await
                    .unwrap()
                    .reused()
            );
        }
    }
}

/// Answers the first request of the first connection only, and drops that connection when the next request comes.
async fn forgetful() -> Server {
    Server::start(|mut visit| async move {
        visit.answer(OK).await;
        if visit.number > 0 {
            visit.answer(OK).await;
        } else {
            visit.head().await;
        }
    })
    .await
}

#[tokio::test]
async fn an_idempotent_request_that_met_a_closing_is_sent_again() {
    let server = forgetful().await;
    let mut warm = warm();
    send(&mut warm, Method::GET, &server.url("/"))
        .await
        .unwrap();
    let exchange = send(&mut warm, Method::DELETE, &server.url("/"))
        .await
        .unwrap();
    assert!(!exchange.reused());
    assert_eq!(
        server
            .heard()
            .iter()
            .filter(|head| head.starts_with("DELETE"))
            .count(),
        2
    );
}

#[tokio::test]
async fn another_request_that_met_a_closing_is_not_sent_again() {
    let server = forgetful().await;
    let mut warm = warm();
    send(&mut warm, Method::GET, &server.url("/"))
        .await
        .unwrap();
    let failure = send(&mut warm, Method::POST, &server.url("/"))
        .await
        .unwrap_err();
    assert_eq!(failure.kind, FailureKind::Reset);
    assert_eq!(
        server
            .heard()
            .iter()
            .filter(|head| head.starts_with("POST"))
            .count(),
        1
    );
    assert!(warm.connection().is_none());
}

#[tokio::test]
async fn a_new_connection_that_is_closed_is_a_failure() {
    let server = Server::answering("").await;
    assert_eq!(
        send(&mut warm(), Method::GET, &server.url("/"))
            .await
            .unwrap_err()
            .kind,
        FailureKind::Reset
    );
    assert_eq!(server.heard().len(), 1);
}

#[tokio::test]
async fn a_connection_made_beforehand_is_as_good_as_new() {
    let server = Server::start(|mut visit| async move {
        visit.answer(if visit.number == 0 { "" } else { OK }).await;
    })
    .await;
    let mut warm = warm();
    let target = target(&server.url("/"));
    let made = warm
        .connect(&target, within(PATIENCE).deadline)
        .await
        .unwrap();
    assert!(made.is_some());
    let failure = send(&mut warm, Method::GET, &server.url("/"))
        .await
        .unwrap_err();
    assert_eq!(failure.kind, FailureKind::Reset);
    warm.connect(&target, within(PATIENCE).deadline)
        .await
        .unwrap();
    let exchange = send(&mut warm, Method::GET, &server.url("/"))
        .await
        .unwrap();
    assert!(exchange.phases.is_none() && !exchange.reused());
}

#[tokio::test]
async fn a_connection_is_not_used_after_a_timeout() {
    let server = Server::start(|mut visit| async move {
        if visit.number == 0 {
            visit.silence().await;
        } else {
            visit.answer(OK).await;
        }
    })
    .await;
    let mut warm = warm();
    let target = target(&server.url("/"));
    let failure = warm
        .send(
            asking(&Method::GET, &target, &HeaderMap::new()),
            within(IMPATIENCE),
        )
        .await
        .unwrap_err();
    assert_eq!(failure.kind, FailureKind::Timeout(Phase::Head));
    assert_eq!(
        send(&mut warm, Method::GET, &server.url("/"))
            .await
            .unwrap()
            .answer
            .body,
        "ok"
    );
}

#[tokio::test]
async fn another_origin_gets_its_own_connection() {
    let (one, other) = (answering(2).await, answering(2).await);
    let mut warm = warm();
    send(&mut warm, Method::GET, &one.url("/")).await.unwrap();
    assert!(
        !send(&mut warm, Method::GET, &other.url("/"))
            .await
            .unwrap()
            .reused()
    );
    assert_eq!(warm.connection().unwrap().peer(), other.address);
}

#[tokio::test]
async fn a_closed_connection_is_made_again() {
    let server = answering(2).await;
    let mut warm = warm();
    send(&mut warm, Method::GET, &server.url("/"))
        .await
        .unwrap();
    warm.close();
    assert!(
        !send(&mut warm, Method::GET, &server.url("/"))
            .await
            .unwrap()
            .reused()
    );
}
