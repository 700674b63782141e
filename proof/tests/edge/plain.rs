//! Port 80 and no other.

use http::Request;
use spinfo_proof::edge::{Replicas, Settings};
use spinfo_tests::Client;

#[test]
#[ignore = "needs Caddy; see proof/backends/install"]
fn everything_is_served_on_port_80_and_nothing_on_443() {
    let replicas = Replicas::start(1);
    let edge = Settings::before(&replicas, 1)
        .env("EDGE_MODE", "http")
        .start();
    // Whatever the name: this port is all there is.
    for host in ["localhost", "example.org", "203.0.113.7:80"] {
        let request = Request::get("/").header("host", host);
        let answer = Client::connect(edge.http).send(request.body(Vec::new()).unwrap());
        assert_eq!(answer.status, 200, "{answer:?}");
        assert_eq!(answer.text(), "Hello SRE!");
        assert_eq!(answer.header("x-content-type-options"), "nosniff");
        assert_eq!(answer.header("strict-transport-security"), "");
        assert_eq!(answer.header("alt-svc"), "");
    }
    assert!(std::net::TcpStream::connect(edge.https).is_err());
}

#[test]
#[ignore = "needs Caddy; see proof/backends/install"]
fn replicas_can_be_found_by_dns() {
    let replicas = Replicas::start(1);
    let edge = Settings::new()
        .env("EDGE_MODE", "http")
        .env("EDGE_REPLICAS", "dns")
        .env("EDGE_DNS_NAME", "localhost")
        .env("EDGE_DNS_PORT", replicas.port.to_string())
        .start();
    let answer = edge.get_plain("/");
    assert_eq!(answer.text(), "Hello SRE!", "{answer:?}");
}
