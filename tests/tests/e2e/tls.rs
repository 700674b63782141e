//! HTTPS: what is negotiated, and connections that never become one.

use std::io::Write as _;

use http::{Request, Version};
use spinfo_tests::tls::Certificate;
use spinfo_tests::{Client, FixtureApp, Host, Up, wire};

fn start(app: &FixtureApp, certificate: &Certificate) -> Host {
    let (cert, key) = (certificate.file(), certificate.key());
    let flags = [
        "--tls-cert".as_ref(),
        cert.as_os_str(),
        "--tls-key".as_ref(),
        key.as_os_str(),
    ];
    Up::new(app.manifest())
        .args(flags)
        .args(["--header-timeout", "2s"])
        .start()
}

fn get() -> Request<Vec<u8>> {
    Request::get("/x").body(Vec::new()).unwrap()
}

#[test]
fn the_protocol_is_the_best_that_both_speak() {
    let (app, certificate) = (FixtureApp::echo(""), Certificate::new());
    let host = start(&app, &certificate);
    for (offered, chosen, version) in [
        (&["h2", "http/1.1"][..], Some("h2"), Version::HTTP_2),
        (&["http/1.1"], Some("http/1.1"), Version::HTTP_11),
        (&[], None, Version::HTTP_11),
    ] {
        let (mut client, protocol) =
            Client::connect_tls(host.address, &certificate.client(offered)).unwrap();
        assert_eq!(
            protocol.as_deref(),
            chosen.map(str::as_bytes),
            "offered {offered:?}"
        );
        let answer = client.send(get());
        assert_eq!((answer.status.as_u16(), answer.version), (200, version));
        assert_eq!(answer.json()["uri"], format!("https://{}/x", host.address));
    }
}

#[test]
fn garbage_on_one_connection_stops_no_other() {
    let (app, certificate) = (FixtureApp::echo(""), Certificate::new());
    let host = start(&app, &certificate);
    // Never says a word, says something else, hangs up in the middle of a hello.
    let silent: Vec<_> = (0..20).map(|_| wire::connect(host.address)).collect();
    assert!(wire::status(&wire::exchange(host.address, b"GET / HTTP/1.1\r\n\r\n")).is_none());
    wire::connect(host.address)
        .write_all(b"\x16\x03\x01\x02\x00\x01\x00")
        .unwrap();
    let (mut client, _) = Client::connect_tls(host.address, &certificate.client(&["h2"])).unwrap();
    assert_eq!(client.send(get()).status, 200);
    // Those that say nothing are cut off in the end.
    for mut stream in silent {
        assert!(wire::read_to_end(&mut stream).is_empty());
    }
}

#[test]
fn a_client_that_does_not_trust_the_certificate_is_no_trouble() {
    let (app, certificate) = (FixtureApp::echo(""), Certificate::new());
    let host = start(&app, &certificate);
    assert!(Client::connect_tls(host.address, &Certificate::new().client(&[])).is_err());
    let (mut client, _) = Client::connect_tls(host.address, &certificate.client(&[])).unwrap();
    assert_eq!(client.send(get()).status, 200);
}

#[test]
fn a_certificate_that_cannot_be_used_stops_the_start() {
    let (app, certificate) = (FixtureApp::echo(""), Certificate::new());
    app.write("empty.pem", "");
    let (empty, key) = (app.path("empty.pem"), certificate.key());
    for (cert, key, named) in [
        (&empty, &key, "empty.pem"),
        (&certificate.file(), &empty, "empty.pem"),
        (&app.path("none.pem"), &key, "none.pem"),
    ] {
        let flags = [
            "--tls-cert".as_ref(),
            cert.as_os_str(),
            "--tls-key".as_ref(),
            key.as_os_str(),
        ];
        let (code, text) = Up::new(app.manifest()).args(flags).fail();
        assert_eq!(code, Some(1), "{text}");
        assert!(text.contains(named), "{text}");
    }
}
