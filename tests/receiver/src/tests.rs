use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::panic::{AssertUnwindSafe, catch_unwind};

use http::StatusCode;

use crate::{Answer, Receiver};

/// Sends a request with an empty body, which is an empty message, and takes the answer.
fn post(receiver: &Receiver, path: &str) -> String {
    let url = receiver.url();
    let mut stream = TcpStream::connect(url.strip_prefix("http://").unwrap()).unwrap();
    write!(
        stream,
        "POST {path} HTTP/1.1\r\nhost: a\r\nx-token: b\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
    )
    .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

#[test]
fn answers_are_given_in_their_order_and_then_all_is_taken() {
    let receiver = Receiver::start();
    receiver.answer(&[Answer::Status(StatusCode::SERVICE_UNAVAILABLE, Some("7"))]);
    let refused = post(&receiver, "/v1/logs");
    assert!(refused.starts_with("HTTP/1.1 503 "), "{refused}");
    assert!(refused.contains("retry-after: 7\r\n"), "{refused}");
    assert!(post(&receiver, "/v1/logs").starts_with("HTTP/1.1 200 "));
    receiver.look(|received| {
        assert_eq!(received.requests.len(), 2);
        assert_eq!(received.requests[0].0, "/v1/logs");
        assert_eq!(received.requests[0].1["x-token"], "b");
    });
}

#[test]
fn what_should_not_arrive_fails_the_test_that_looks() {
    let receiver = Receiver::start();
    assert!(post(&receiver, "/v1/nothing").starts_with("HTTP/1.1 400 "));
    let why = catch_unwind(AssertUnwindSafe(|| receiver.look(|_| ()))).unwrap_err();
    let why = why.downcast_ref::<String>().unwrap();
    assert!(why.contains("/v1/nothing: no path of OTLP"), "{why}");
}
