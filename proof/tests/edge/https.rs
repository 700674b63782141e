//! HTTPS: certificates, protocols, what every answer has.

use std::io::Write as _;
use std::sync::{Arc, PoisonError};

use http::Version;
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use spinfo_proof::edge::caddy::get;
use spinfo_proof::edge::{Edge, Replicas, Settings, ports};
use spinfo_tests::Client;
use spinfo_tests::client::RUNTIME;
use spinfo_tests::tls::Certificate;
use tokio::net::TcpStream;

use crate::handshake::{self, PROTOCOL_VERSION, Reply, TLS_1_1, TLS_1_2};
use crate::{REAL_PORTS, tell};

/// One replica and an edge before it.
fn start() -> (Replicas, Edge) {
    let replicas = Replicas::start(1);
    let edge = Settings::before(&replicas, 1).start().with_certificates();
    (replicas, edge)
}

#[test]
#[ignore = "needs Caddy; see proof/backends/install"]
fn the_greeting_is_served_on_443_to_who_trusts_the_local_ca() {
    let _mine = REAL_PORTS.lock().unwrap_or_else(PoisonError::into_inner);
    let replicas = Replicas::start(1);
    let mut settings = Settings::before(&replicas, 1);
    if ports::may_bind(80) && ports::may_bind(443) {
        settings = settings.ports(80, 443);
    } else {
        tell("ports 80 and 443 are taken or not this user's: other ports are tested");
    }
    let edge = settings.start().with_certificates();
    for protocols in [&["h2"][..], &["http/1.1"]] {
        for name in ["localhost", "127.0.0.1"] {
            let trusting = edge.trusting(protocols);
            let (mut client, chosen) = Client::connect_tls_as(edge.https, name, &trusting).unwrap();
            assert_eq!(chosen.as_deref(), Some(protocols[0].as_bytes()));
            let answer = client.send(get("/"));
            assert_eq!(answer.status, 200, "{answer:?}");
            assert_eq!(answer.header("content-type"), "text/plain; charset=utf-8");
            assert_eq!(answer.text(), "Hello SRE!");
        }
    }
}

#[test]
#[ignore = "needs Caddy; see proof/backends/install"]
fn who_does_not_trust_the_local_ca_or_wants_another_name_is_not_served() {
    let (_replicas, edge) = start();
    let refused = |name: &str, config: Arc<ClientConfig>| {
        let refused = Client::connect_tls_as(edge.https, name, &config);
        refused.err().expect("it must be refused").to_string()
    };
    // A client that trusts another authority.
    let error = refused("localhost", Certificate::new().client(&["h2"]));
    assert!(error.contains("UnknownIssuer"), "{error}");
    // There is no certificate for other names, so the handshake itself fails.
    let error = refused("example.org", edge.trusting(&["h2"]));
    assert!(error.contains("alert"), "{error}");
    // Nor is the one for localhost good for 127.0.0.2, or the one of 127.0.0.1, which is what who sends no name gets.
    let error = refused("127.0.0.2", edge.trusting(&["h2"]));
    assert!(error.contains("not valid for name"), "{error}");
}

#[test]
#[ignore = "needs Caddy; see proof/backends/install"]
fn the_chain_is_a_leaf_and_an_intermediate_and_never_the_root() {
    let (_replicas, edge) = start();
    let trusting = edge.trusting(&["h2"]);
    let chain = RUNTIME.block_on(async {
        let stream = TcpStream::connect(edge.https).await.unwrap();
        let connector = tokio_rustls::TlsConnector::from(trusting);
        let name = ServerName::try_from("localhost").unwrap();
        let stream = connector.connect(name, stream).await.unwrap();
        let chain = stream.get_ref().1.peer_certificates().unwrap();
        chain.iter().map(|der| der.to_vec()).collect::<Vec<_>>()
    });
    assert_eq!(chain.len(), 2);
    let contains = |der: &[u8], text: &str| {
        der.windows(text.len())
            .any(|window| window == text.as_bytes())
    };
    // The extension "subject alternative name" (RFC 5280 section 4.2.1.6) with one name of type 2, `localhost`, and no other.
    let san = [&[0x55, 0x1d, 0x11][..], &[0x01, 0x01, 0xff]].concat();
    let at = chain[0]
        .windows(san.len())
        .position(|window| window == san)
        .expect(
            "the leaf has a subject alternative name, which is critical because it has no subject",
        );
    let value = [&[0x04, 13, 0x30, 11, 0x82, 9][..], b"localhost"].concat();
    assert_eq!(&chain[0][at + san.len()..][..value.len()], value);
    assert!(contains(&chain[0], "spinfo local CA - intermediate"));
    assert!(contains(&chain[1], "spinfo local CA - root"));
    let root = std::fs::read_to_string(edge.root()).unwrap();
    assert_eq!(
        root.matches("BEGIN CERTIFICATE").count(),
        1,
        "the file that is handed out holds one certificate and no key: {root}"
    );
    assert!(!root.contains("PRIVATE"));
}

#[test]
#[ignore = "needs Caddy; see proof/backends/install"]
fn tls_1_1_is_refused() {
    let (_replicas, edge) = start();
    assert_eq!(
        handshake::hello(edge.https, TLS_1_1),
        Reply::Alert(PROTOCOL_VERSION)
    );
    // The same greeting with one version more is answered.
    assert_eq!(handshake::hello(edge.https, TLS_1_2), Reply::Hello(TLS_1_2));
}

#[test]
#[ignore = "needs Caddy; see proof/backends/install"]
fn every_answer_says_how_it_may_be_used() {
    let (_replicas, edge) = start();
    let (mut named, _) =
        Client::connect_tls_as(edge.https, "127.0.0.1", &edge.trusting(&["h2"])).unwrap();
    for path in ["/", "/status", "/file_upload", "/nowhere"] {
        let answer = named.send(get(path));
        for (name, value) in [
            ("strict-transport-security", "max-age=31536000"),
            ("x-content-type-options", "nosniff"),
            ("x-frame-options", "DENY"),
            ("referrer-policy", "strict-origin-when-cross-origin"),
            ("cross-origin-opener-policy", "same-origin"),
            ("cross-origin-resource-policy", "same-origin"),
        ] {
            assert_eq!(answer.header(name), value, "{name} of {path}: {answer:?}");
        }
        assert!(!answer.header("permissions-policy").is_empty(), "{path}");
        assert!(
            !answer.header("content-security-policy").is_empty(),
            "{path}"
        );
        for name in ["server", "via"] {
            assert_eq!(answer.header(name), "", "{name} of {path}");
        }
    }
    // The page's own policy, which lets its script run, is not replaced.
    let page = edge.get("/file_upload");
    let policy = page.header("content-security-policy");
    assert!(policy.contains("script-src 'nonce-"), "{policy}");
    assert_eq!(
        edge.get("/").header("strict-transport-security"),
        "max-age=0",
        "localhost has other servers, on other ports"
    );
}

#[test]
#[ignore = "needs Caddy; see proof/backends/install"]
fn a_request_for_another_name_is_misdirected() {
    let (_replicas, edge) = start();
    let mut client = edge.connect(&["http/1.1"]).unwrap();
    let mut request = get("/");
    request
        .headers_mut()
        .insert("host", "example.org".parse().unwrap());
    let answer = client.send(request);
    assert_eq!(answer.status, 421);
    assert_eq!(answer.header("content-type"), "application/problem+json");
}

#[test]
#[ignore = "needs Caddy; see proof/backends/install"]
fn http_3_is_announced_and_spoken() {
    let (_replicas, edge) = start();
    let answer = edge.get("/");
    assert_eq!(answer.version, Version::HTTP_2);
    let port = edge.https.port();
    assert_eq!(
        answer.header("alt-svc"),
        format!("h3=\":{port}\"; ma=2592000")
    );
    // A second Caddy is the client: it speaks HTTP/3 and nothing else to its upstream.
    let mut caddyfile = tempfile::NamedTempFile::new().unwrap();
    write!(
        caddyfile,
        "{{
            admin off
            http_port {{$EDGE_HTTP_PORT}}
            storage file_system {{$EDGE_DATA}}
        }}
        http:// {{
            reverse_proxy https://127.0.0.1:{port} {{
                header_up Host localhost:{port}
                transport http {{
                    versions 3
                    tls_server_name localhost
                    tls_trust_pool file {}
                }}
            }}
        }}",
        edge.root().display()
    )
    .unwrap();
    let client = Settings::of(caddyfile.path()).start();
    let answer = client.get_plain("/?over=h3");
    assert_eq!(answer.text(), "Hello SRE!", "{answer:?}");
    let entry = edge.entry("over=h3");
    assert_eq!(entry.0["request"]["proto"], "HTTP/3.0");
}
