//! When telemetry is sent, and that nothing depends on it.

use std::net::TcpListener;
use std::time::{Duration, Instant};

use http::Request;
use spinfo_tests::{Client, Host, Receiver, Up};

use super::{TRACE, exporting, traced};

#[test]
fn what_is_left_is_sent_at_the_end() {
    for protocol in ["http/protobuf", "grpc"] {
        let receiver = Receiver::start();
        // The usual intervals, which are longer than the host lives.
        let mut host = exporting(&receiver, protocol).start();
        assert_eq!(traced(&host, "GET", "/status").status, 200);
        assert_eq!(host.stop().code(), Some(0));
        receiver.look(|received| {
            for name in ["GET /status", "status", "status GET /status"] {
                assert!(
                    received.span(TRACE, name).is_some(),
                    "{name} is missing over {protocol}"
                );
            }
            assert_eq!(
                received.histogram("http.server.request.duration").count(),
                1,
                "over {protocol}"
            );
        });
    }
}

/// The same requests, and how long they took.
fn go_round(host: &Host) -> Duration {
    let begun = Instant::now();
    let mut client = Client::connect(host.address);
    for path in ["/", "/now", "/status", "/healthz", "/version"]
        .into_iter()
        .cycle()
        .take(100)
    {
        let answer = client.send(Request::get(path).body(Vec::new()).unwrap());
        assert_eq!(answer.status, 200, "{path}");
    }
    begun.elapsed()
}

#[test]
fn without_a_receiver_nothing_fails_and_nothing_waits() {
    // One takes connections and never answers, the other is not there.
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let silent = format!("http://{}", silent.local_addr().unwrap());
    let gone = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    for url in [silent, format!("http://{gone}")] {
        for protocol in ["http/protobuf", "grpc"] {
            let mut host = Up::exporting(&url)
                .env("OTEL_EXPORTER_OTLP_ENDPOINT", &url)
                .env("OTEL_EXPORTER_OTLP_PROTOCOL", protocol)
                .args(["--flush-timeout", "1s"])
                .start();
            let took = go_round(&host);
            assert!(took < Duration::from_secs(10), "{url} {protocol}: {took:?}");
            let begun = Instant::now();
            assert_eq!(host.stop().code(), Some(0));
            assert!(
                begun.elapsed() < Duration::from_secs(30),
                "{url} {protocol}: the end took {:?}",
                begun.elapsed()
            );
        }
    }
}

#[test]
fn export_can_be_switched_off() {
    let receiver = Receiver::start();
    let mut host = Up::spinfo()
        .env("OTEL_EXPORTER_OTLP_ENDPOINT", receiver.url())
        .env("OTEL_SDK_DISABLED", "true")
        .start();
    assert_eq!(traced(&host, "GET", "/status").trace_id(), TRACE);
    assert_eq!(host.stop().code(), Some(0));
    receiver.look(|received| assert!(received.requests.is_empty(), "{:?}", received.requests));
}

#[test]
fn an_endpoint_that_cannot_be_one_stops_the_start() {
    let (code, text) = Up::spinfo()
        .env("OTEL_EXPORTER_OTLP_ENDPOINT", "not a url")
        .fail();
    assert_eq!(code, Some(1), "{text}");
    assert!(text.contains("OTEL_EXPORTER_OTLP_ENDPOINT"), "{text}");
}
