//! Export to a receiver behind TLS, with certificates made for the test.

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::RootCertStore;
use rustls::ServerConfig;
use rustls::pki_types::PrivatePkcs8KeyDer;
use rustls::server::WebPkiClientVerifier;
use spinfo_telemetry::{Error, ServiceDefaults, Settings, Telemetry};
use spinfo_test_receiver::Receiver;

use crate::program::{DEADLINE, GRPC, counter, start, work};

/// An authority of its own and what it has signed.
struct Authority(CertifiedIssuer<'static, KeyPair>);

impl Authority {
    fn new() -> Self {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        Self(CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap())
    }

    fn sign(&self, name: &str) -> (rcgen::Certificate, KeyPair) {
        let key = KeyPair::generate().unwrap();
        let certificate = CertificateParams::new([name.to_owned()])
            .unwrap()
            .signed_by(&key, &self.0)
            .unwrap();
        (certificate, key)
    }

    /// A server's configuration, which asks for a client's certificate of the same authority when `mutual`.
    fn server(&self, mutual: bool) -> ServerConfig {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let (certificate, key) = self.sign("127.0.0.1");
        let config = ServerConfig::builder_with_provider(provider.clone())
            .with_safe_default_protocol_versions()
            .unwrap();
        let config = if mutual {
            let mut roots = RootCertStore::empty();
            roots.add(self.0.der().clone()).unwrap();
            let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider)
                .build()
                .unwrap();
            config.with_client_cert_verifier(verifier)
        } else {
            config.with_no_client_auth()
        };
        let key = PrivatePkcs8KeyDer::from(key.serialize_der());
        let mut config = config
            .with_single_cert(vec![certificate.der().clone()], key.into())
            .unwrap();
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        config
    }
}

fn file(folder: &Path, name: &str, text: &str) -> String {
    let path = folder.join(name);
    fs::write(&path, text).unwrap();
    path.to_str().unwrap().to_owned()
}

#[test]
fn a_receiver_with_a_certificate_of_the_given_authority_is_trusted() {
    let folder = tempfile::tempdir().unwrap();
    let authority = Authority::new();
    let trusted = file(folder.path(), "ca.pem", &authority.0.pem());
    for protocol in [("X", ""), GRPC] {
        let receiver = Receiver::start_with_tls(authority.server(false));
        let telemetry = start(&[
            protocol,
            ("OTEL_EXPORTER_OTLP_ENDPOINT", &receiver.url()),
            ("OTEL_EXPORTER_OTLP_CERTIFICATE", &trusted),
        ]);
        work(&telemetry);
        assert!(telemetry.shutdown(DEADLINE));
        assert_eq!(
            receiver.look(|received| received.spans().len()),
            2,
            "{protocol:?}"
        );
    }
}

#[test]
fn a_receiver_of_another_authority_gets_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let trusted = file(folder.path(), "ca.pem", &Authority::new().0.pem());
    let receiver = Receiver::start_with_tls(Authority::new().server(false));
    let telemetry = start(&[
        ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", &receiver.url()),
        ("OTEL_EXPORTER_OTLP_CERTIFICATE", &trusted),
    ]);
    work(&telemetry);
    let page = telemetry.metrics_page();
    assert_eq!(
        counter(
            &telemetry,
            r#"spinfo_telemetry_spans_dropped_total{error_type="export_failed""#
        ),
        0
    );
    telemetry.shutdown(Duration::from_secs(5));
    assert!(page.open_metrics().ends_with("# EOF\n"));
    assert!(receiver.look(|received| received.requests.is_empty()));
}

#[test]
fn a_client_certificate_is_presented() {
    let folder = tempfile::tempdir().unwrap();
    let authority = Authority::new();
    let (certificate, key) = authority.sign("spinfo");
    let trusted = file(folder.path(), "ca.pem", &authority.0.pem());
    let certificate = file(folder.path(), "me.pem", &certificate.pem());
    let key = file(folder.path(), "me.key", &key.serialize_pem());
    let receiver = Receiver::start_with_tls(authority.server(true));
    let telemetry = start(&[
        ("OTEL_EXPORTER_OTLP_ENDPOINT", &receiver.url()),
        ("OTEL_EXPORTER_OTLP_CERTIFICATE", &trusted),
        ("OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE", &certificate),
        ("OTEL_EXPORTER_OTLP_CLIENT_KEY", &key),
    ]);
    work(&telemetry);
    assert!(telemetry.shutdown(DEADLINE));
    assert_eq!(receiver.look(|received| received.spans().len()), 2);
}

#[test]
fn a_certificate_that_cannot_be_used_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let empty = file(folder.path(), "empty.pem", "not a certificate\n");
    let absent = folder
        .path()
        .join("absent.pem")
        .to_str()
        .unwrap()
        .to_owned();
    for path in [empty, absent] {
        let vars = |name: &str| match name {
            "OTEL_EXPORTER_OTLP_ENDPOINT" => Some("https://127.0.0.1:1".to_owned()),
            "OTEL_EXPORTER_OTLP_CERTIFICATE" => Some(path.clone()),
            _ => None,
        };
        let settings = Settings::from_env(&vars, ServiceDefaults::default()).unwrap();
        let why = Telemetry::start(&settings).map(|_| ()).unwrap_err();
        assert!(
            matches!(&why, Error::Certificate { .. }) && why.to_string().starts_with(&path),
            "{why}"
        );
    }
}
