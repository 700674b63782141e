//! Certificates: wrong ones, and those that soon will be.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use rcgen::{CertificateParams, KeyPair};
use rustls::ServerConfig;
use rustls::crypto::ring;
use rustls::pki_types::PrivatePkcs8KeyDer;
use tempfile::TempDir;

use crate::program::{Said, probe_no_clock};
use crate::server::{Server, well};

const HOUR: u64 = 3_600;
const DAY: u64 = 24 * HOUR;

/// A server with a certificate of its own.
struct Secured {
    server: Server,
    folder: TempDir,
}

impl Secured {
    /// `age` seconds old, and valid for `left` seconds more.
    fn with(name: &str, age: u64, left: i64) -> Self {
        let mut params = CertificateParams::new([name.to_owned()]).expect("a name");
        let now = SystemTime::now();
        let end = if left < 0 {
            now - Duration::from_secs(left.unsigned_abs())
        } else {
            now + Duration::from_secs(left.unsigned_abs())
        };
        params.not_before = (now - Duration::from_secs(age)).into();
        params.not_after = end.into();
        let key = KeyPair::generate().expect("a key");
        let certificate = params.self_signed(&key).expect("a certificate");
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::write(folder.path().join("ca.pem"), certificate.pem()).expect("a file");
        let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .expect("ring knows them")
            .with_no_client_auth()
            .with_single_cert(
                vec![certificate.der().clone()],
                PrivatePkcs8KeyDer::from(key.serialize_der()).into(),
            )
            .expect("a key that fits");
        Self {
            server: Server::start_with_tls(config, well),
            folder,
        }
    }

    fn file(&self) -> PathBuf {
        self.folder.path().join("ca.pem")
    }

    /// Checks it with trust in it.
    fn probe(&self, arguments: &[&str]) -> Said {
        let (url, file) = (self.server.url("/"), self.file());
        let trusting = [&*url, "--cacert", file.to_str().expect("a path")];
        probe_no_clock(&[&trusting, arguments].concat())
    }
}

#[test]
fn a_good_certificate_is_well() {
    let secured = Secured::with("127.0.0.1", DAY, 60 * 86_400 + 600);
    let said = secured.probe(&[]);
    said.expect(0, "certificate expires in 60 days");
    let output = said.plugin_output();
    assert!(output.get("time_tls").value > 0.0);
    let left = output.get("cert").value;
    assert!(
        (60.0 * 86_400.0..60.0 * 86_400.0 + 601.0).contains(&left),
        "{left}"
    );
}

#[test]
fn one_that_soon_expires_alerts_by_its_lifetime() {
    let hours = |hours: i64| hours * 3_600 + 600;
    for (age, left, code, part) in [
        (80 * DAY, hours(24 * 10), 1, "expires in 10 days"),
        (88 * DAY, hours(24 * 2), 2, "expires in 2 days"),
        (6 * HOUR, hours(6), 0, "expires in 6 h"),
        (10 * HOUR, hours(2), 1, "expires in 2 h"),
        (11 * HOUR, hours(0), 2, "expires in 10 min"),
    ] {
        let secured = Secured::with("127.0.0.1", age, left);
        // The minutes go by while it is checked.
        let said = secured.probe(&[]);
        let part = part.replace("10 min", "");
        said.expect(code, &part);
    }
}

#[test]
fn the_limits_are_the_users() {
    let secured = Secured::with("127.0.0.1", DAY, 60 * 86_400);
    secured
        .probe(&["--cert-warning", "70days"])
        .expect(1, "expires in 59 days");
    secured
        .probe(&["--cert-critical", "70days"])
        .expect(2, "expires in 59 days");
}

#[test]
fn an_unknown_authority_is_critical_and_the_remedy_is_named() {
    let secured = Secured::with("127.0.0.1", DAY, 60 * 86_400);
    let said = probe_no_clock(&[&secured.server.url("/")]);
    said.expect(2, "--cacert");
    let said = probe_no_clock(&[&secured.server.url("/"), "--json"]);
    assert_eq!(said.json()["findings"][0]["error_type"], "tls");
}

#[test]
fn another_name_is_critical_and_told() {
    let secured = Secured::with("other.example", DAY, 60 * 86_400);
    secured.probe(&[]).expect(2, "other.example");
    // With the right name the same server is well.
    let resolve = format!("other.example:{}:127.0.0.1", secured.server.port());
    let url = secured.server.url_of("other.example", "/");
    let file = secured.file();
    let said = probe_no_clock(&[
        &url,
        "--resolve",
        &resolve,
        "--cacert",
        file.to_str().unwrap(),
    ]);
    said.expect(0, "HTTP 200");
}

#[test]
fn an_expired_one_is_critical() {
    let secured = Secured::with("127.0.0.1", 10 * DAY, -86_400);
    let metrics = secured.folder.path().join("a.prom");
    let said = secured.probe(&["--prometheus", metrics.to_str().unwrap()]);
    said.expect(2, "certificate expired 24 h ago");
    // Its metric goes on, or an alert on it would end now.
    assert!(said.plugin_output().get("cert").value < -86_000.0);
    let metrics = std::fs::read_to_string(metrics).unwrap();
    assert!(
        metrics.contains("\nprobe_ssl_earliest_cert_expiry{"),
        "{metrics}"
    );
}
