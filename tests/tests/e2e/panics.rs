//! A guest that traps costs its own request only.

use http::Request;
use spinfo_tests::{Client, Up};

fn get(path: &str) -> Request<Vec<u8>> {
    Request::get(path).body(Vec::new()).unwrap()
}

#[test]
fn a_trap_is_a_500_and_the_connection_goes_on() {
    let host = Up::spinfo().start();
    let mut client = Client::connect(host.address);
    for _ in 0..3 {
        let answer = client.send(get("/panic"));
        assert_eq!(answer.status, 500);
        assert_eq!(answer.header("content-type"), "application/problem+json");
        let problem = answer.json();
        assert_eq!(problem["trace_id"], answer.trace_id());
        // The cause is for the operator.
        assert!(
            !answer.text().contains("unreachable") && !answer.text().contains("wasm"),
            "{problem}"
        );
        assert_eq!(client.send(get("/healthz")).status, 200);
    }
    let line = host.log.wait_for_log("the trap in the log", |line| {
        line["fields"]["wasm.trap.kind"] == "unreachable"
    });
    assert_eq!(line["fields"]["wasm.component"], "lab");
    assert_eq!(line["level"], "ERROR");
    let metrics = host.admin("/metrics");
    assert!(
        metrics
            .text()
            .lines()
            .any(|line| line.starts_with("wasm_traps_total{") && line.ends_with(" 3")),
        "{}",
        metrics.text()
    );
}

#[test]
fn a_trap_costs_only_its_own_request() {
    let host = Up::spinfo().start();
    let (address, rounds) = (host.address, 100);
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(move || {
                let mut client = Client::connect(address);
                for round in 0..rounds {
                    assert_eq!(client.send(get("/panic")).status, 500, "round {round}");
                }
            });
        }
        for path in ["/healthz", "/headers", "/status/200", "/"] {
            scope.spawn(move || {
                let mut client = Client::connect(address);
                for round in 0..rounds {
                    let answer = client.send(get(path));
                    assert_eq!(answer.status, 200, "{path}, round {round}: {answer:?}");
                }
            });
        }
    });
}
