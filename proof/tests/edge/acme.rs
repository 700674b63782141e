//! Certificates of an ACME server, which here is a second Caddy.

use std::io::Write as _;
use std::net::{SocketAddr, ToSocketAddrs as _};
use std::process::Command;
use std::sync::PoisonError;

use spinfo_proof::edge::{Replicas, Settings, ports};
use spinfo_tests::{Client, deadline, tls};

use crate::{REAL_PORTS, tell};

/// The port of a challenge is 80 (RFC 8555 section 8.3), and the name has to be one that leads here.
#[test]
#[ignore = "needs Caddy; see proof/backends/install"]
fn one_variable_brings_certificates_of_an_acme_server() {
    let _mine = REAL_PORTS.lock().unwrap_or_else(PoisonError::into_inner);
    let name = Command::new("hostname")
        .output()
        .expect("hostname can be run");
    let name = String::from_utf8(name.stdout).unwrap().trim().to_owned();
    let mut addresses = (&*name, 80).to_socket_addrs().into_iter().flatten();
    let Some(SocketAddr::V4(here)) = addresses.find(SocketAddr::is_ipv4) else {
        return tell("this machine's name has no address: ACME is not tested");
    };
    let may_bind = |port| std::net::TcpListener::bind((*here.ip(), port)).is_ok();
    if !may_bind(80) {
        return tell("port 80 is taken or not this user's: ACME is not tested");
    }
    let mut caddyfile = tempfile::NamedTempFile::new().unwrap();
    caddyfile
        .write_all(
            b"{
                admin off
                auto_https disable_redirects
                default_bind 127.0.0.1
                http_port {$EDGE_HTTP_PORT}
                https_port {$EDGE_HTTPS_PORT}
                storage file_system {$EDGE_DATA}
            }
            http:// {
            }
            https://localhost https://127.0.0.1 {
                tls internal
                acme_server {
                    challenges http-01
                }
            }",
        )
        .unwrap();
    let authority = Settings::of(caddyfile.path()).start().with_certificates();
    let replicas = Replicas::start(1);
    let directory = format!(
        "https://localhost:{}/acme/local/directory",
        authority.https.port()
    );
    let edge = Settings::before(&replicas, 1)
        .ports(80, ports::free(1))
        .env("EDGE_HOSTS", &name)
        .env("EDGE_CANONICAL", &name)
        .env("EDGE_TLS", "operator@example.org")
        .env("EDGE_ACME", directory)
        // For the CA of that server; public ones are known.
        .env("SSL_CERT_FILE", authority.root());
    let edge = edge.start_at(*here.ip());
    let trusting = tls::trusting(&authority.root(), &["h2"]);
    let mut client = deadline::until("a certificate", || {
        let connected = Client::connect_tls_as(edge.https, &name, &trusting);
        connected.ok().map(|(client, _)| client)
    });
    let answer = client.send(spinfo_proof::edge::caddy::get("/"));
    assert_eq!(answer.text(), "Hello SRE!", "{answer:?}");
    edge.log.wait_for_log("the challenge on port 80", |line| {
        line["msg"] == "served key authentication" && line["challenge"] == "http-01"
    });
}
