//! The small server, by the bytes on the wire.

use std::time::Duration;

use http::StatusCode;
use spinfo_program::AbortOnDrop;
use spinfo_program::server::{Routes, TEXT, response};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

async fn ask(head: &str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let routes = Routes::new()
        .get("/healthz", |head| async move {
            tokio::task::yield_now().await;
            let query = head.uri.query().unwrap_or("ok").to_owned();
            response(StatusCode::OK, TEXT, query)
        })
        .get("/metrics", |_| async { response(StatusCode::OK, TEXT, "") });
    let _server = AbortOnDrop::spawn(routes.serve(listener));
    let mut stream = TcpStream::connect(address).await.unwrap();
    let request = format!("{head} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    let read = stream.read_to_string(&mut answer);
    tokio::time::timeout(Duration::from_secs(10), read)
        .await
        .expect("an answer in time")
        .unwrap();
    answer
}

#[tokio::test]
async fn a_handler_sees_the_query() {
    let answer = ask("GET /healthz?why").await;
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
    assert!(answer.ends_with("\r\n\r\nwhy"), "{answer}");
    let head = ask("HEAD /healthz").await;
    assert!(
        head.contains("content-length: 2\r\n") && head.ends_with("\r\n\r\n"),
        "{head}"
    );
}

#[tokio::test]
async fn other_paths_and_methods_are_told_what_there_is() {
    assert!(ask("GET /").await.ends_with("\r\n\r\n/healthz\n/metrics\n"));
    let missing = ask("GET /nothing").await;
    assert!(missing.starts_with("HTTP/1.1 404 "), "{missing}");
    assert!(
        missing.contains("there are only /healthz /metrics\""),
        "{missing}"
    );
    let refused = ask("POST /healthz").await;
    assert!(
        refused.starts_with("HTTP/1.1 405 ") && refused.contains("allow: GET, HEAD\r\n"),
        "{refused}"
    );
}
