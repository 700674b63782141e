//! The HTTP contract, row by row: against our host, and against the real Spin where `SPIN` says where it is.

mod every_answer;
mod hello;
mod lab;
mod status;

use std::net::SocketAddr;

use http::Request;
use spinfo_tests::{Answer, Client, Host, Spin, Up, artifacts};

/// The servers that keep the contract, with these flags for variables.
struct Servers {
    host: Host,
    spin: Option<Spin>,
}

impl Servers {
    fn with(variables: &[&str]) -> Self {
        let flags: Vec<&str> = variables
            .iter()
            .flat_map(|variable| ["--variable", variable])
            .collect();
        let host = Up::spinfo().args(&flags).start();
        let spin = Spin::program().map(|program| {
            let flags: Vec<&str> = ["--variable", "otlp_endpoint=http://127.0.0.1:1"]
                .into_iter()
                .chain(flags)
                .collect();
            Spin::up(&program, &artifacts::manifest(), &flags)
        });
        Self { host, spin }
    }

    fn each(&self, check: impl Fn(SocketAddr)) {
        check(self.host.address);
        if let Some(spin) = &self.spin {
            check(spin.address);
        }
    }
}

fn ask(
    address: SocketAddr,
    method: &str,
    path: &str,
    fields: &[(&str, &str)],
    body: impl Into<Vec<u8>>,
) -> Answer {
    let mut request = Request::builder().method(method).uri(path);
    for (name, value) in fields {
        request = request.header(*name, *value);
    }
    Client::connect(address).send(request.body(body.into()).unwrap())
}

fn get(address: SocketAddr, path: &str) -> Answer {
    ask(address, "GET", path, &[], "")
}

const HTML: [(&str, &str); 1] = [("accept", "text/html,application/xhtml+xml,*/*;q=0.8")];

const JSON: [(&str, &str); 1] = [("accept", "application/json")];

fn is_problem(answer: &Answer, status: u16) {
    assert_eq!(answer.status, status, "{answer:?}");
    assert_eq!(answer.header("content-type"), "application/problem+json");
    let problem = answer.json();
    assert_eq!(problem["status"], status);
    assert_eq!(problem["trace_id"], answer.trace_id());
    assert!(
        problem["title"].is_string() && problem["detail"].is_string(),
        "{problem}"
    );
}

fn is_traced_and_not_sniffed(answer: &Answer) {
    assert_eq!(
        answer.header("x-content-type-options"),
        "nosniff",
        "{answer:?}"
    );
    assert_eq!(answer.trace_id().len(), 32, "{answer:?}");
    assert!(
        answer
            .trace_id()
            .bytes()
            .all(|byte| byte.is_ascii_hexdigit()),
        "{answer:?}"
    );
}
