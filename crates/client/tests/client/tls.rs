//! TLS: certificates that are right, and those that are wrong in every way that monitoring meets.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use http::Version;
use http_body_util::Full;
use hyper::body::Bytes;
use hyper::server::conn::http2;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair, date_time_ymd,
};
use rustls::ServerConfig;
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use spinfo_client::{Client, Failure, FailureKind, Options, Phase, Trust};
use tempfile::TempDir;
use tokio::io::{AsyncWriteExt as _, copy_bidirectional};
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;

use crate::servers::{Server, Visit, read_head};
use crate::{IMPATIENCE, PATIENCE, get, get_with, target, within};

const OK: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok";

/// An authority that signs certificates, with its own in a file.
pub(crate) struct Authority {
    issuer: CertifiedIssuer<'static, KeyPair>,
    folder: TempDir,
}

impl Authority {
    pub(crate) fn new() -> Self {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params
            .distinguished_name
            .push(DnType::CommonName, "Test Authority");
        let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("ca.pem"), issuer.pem()).unwrap();
        Self { issuer, folder }
    }

    /// The authority's certificate in PEM form.
    pub(crate) fn file(&self) -> PathBuf {
        self.folder.path().join("ca.pem")
    }

    /// A server with a good certificate for this name.
    pub(crate) fn server(&self, name: &str) -> ServerConfig {
        self.server_with(name, |_| {})
    }

    fn server_with(&self, name: &str, change: impl Fn(&mut CertificateParams)) -> ServerConfig {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new([name.to_owned()]).unwrap();
        params.distinguished_name.push(DnType::CommonName, name);
        change(&mut params);
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
        ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(
                vec![certificate.der().clone(), self.issuer.der().clone()],
                key,
            )
            .unwrap()
    }

    fn trusted(&self) -> Options {
        Options {
            trust: Trust {
                cacert: vec![self.file()],
            },
            ..Options::default()
        }
    }
}

/// A server that speaks TLS.
pub(crate) struct Served {
    server: Server,
    heard: Arc<std::sync::Mutex<Vec<String>>>,
}

impl Served {
    /// Answers `ok` to one request a connection.
    pub(crate) async fn new(config: ServerConfig) -> Self {
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let heard = Arc::new(std::sync::Mutex::new(Vec::new()));
        let hearing = heard.clone();
        let server = Server::start(move |visit| {
            let (acceptor, hearing) = (acceptor.clone(), hearing.clone());
            async move {
                // A client that doesn't believe the certificate goes.
                let Ok(mut stream) = acceptor.accept(visit.stream).await else {
                    return;
                };
                if stream.get_ref().1.alpn_protocol() == Some(b"h2") {
                    return speak_http2(stream).await;
                }
                let head = read_head(&mut stream).await;
                hearing.lock().unwrap().push(head);
                let _ = stream.write_all(OK).await;
                let _ = stream.shutdown().await;
            }
        })
        .await;
        Self { server, heard }
    }

    /// A proxy: does what CONNECT asks for, whatever the host.
    pub(crate) async fn tunnel(config: ServerConfig) -> Self {
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let server = Server::start(move |visit| {
            let acceptor = acceptor.clone();
            async move {
                let mut stream = acceptor.accept(visit.stream).await.unwrap();
                let head = read_head(&mut stream).await;
                let port = head
                    .split_whitespace()
                    .nth(1)
                    .and_then(|authority| authority.rsplit_once(':'))
                    .unwrap()
                    .1
                    .to_owned();
                let mut server = TcpStream::connect(format!("127.0.0.1:{port}"))
                    .await
                    .unwrap();
                stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await.unwrap();
                // Ends in an error when one side doesn't wait for the other's last bytes.
                let _ = copy_bidirectional(&mut stream, &mut server).await;
            }
        })
        .await;
        Self {
            server,
            heard: Arc::default(),
        }
    }

    pub(crate) fn port(&self) -> u16 {
        self.server.port()
    }

    pub(crate) fn heard(&self) -> Vec<String> {
        self.heard.lock().unwrap().clone()
    }

    fn url(&self) -> String {
        format!("https://{}/", self.server.address)
    }
}

async fn speak_http2(stream: tokio_rustls::server::TlsStream<TcpStream>) {
    let service = service_fn(|request: http::Request<hyper::body::Incoming>| async move {
        let authority = request
            .uri()
            .authority()
            .map(ToString::to_string)
            .unwrap_or_default();
        Ok::<_, std::convert::Infallible>(http::Response::new(Full::new(Bytes::from(authority))))
    });
    let _ = http2::Builder::new(TokioExecutor::new())
        .serve_connection(TokioIo::new(stream), service)
        .await;
}

/// The failure of a request that the certificate doesn't allow.
async fn failing(options: Options, url: &str) -> Failure {
    let failure = get_with(options, url, PATIENCE).await.unwrap_err();
    assert_eq!(failure.kind, FailureKind::Tls, "{failure}");
    failure
}

#[tokio::test]
async fn a_certificate_that_is_right_has_its_times() {
    let authority = Authority::new();
    let served = Served::new(authority.server_with("127.0.0.1", |params| {
        params.not_before = date_time_ymd(2020, 1, 1);
        params.not_after = date_time_ymd(2100, 1, 1);
    }))
    .await;
    let client = Client::new(authority.trusted()).unwrap();
    let connection = client
        .connect(&target(&served.url()), within(PATIENCE).deadline)
        .await
        .unwrap();
    let certificate = connection.certificate().unwrap();
    assert_eq!(certificate.subject, "CN=127.0.0.1");
    assert_eq!(
        certificate.not_before,
        SystemTime::UNIX_EPOCH + Duration::from_secs(1_577_836_800)
    );
    assert_eq!(
        certificate.not_after,
        SystemTime::UNIX_EPOCH + Duration::from_secs(4_102_444_800)
    );
    assert!(connection.phases().tls.is_some());
    assert_eq!(connection.version(), Version::HTTP_11);
}

#[tokio::test]
async fn an_expired_certificate_says_since_when() {
    let authority = Authority::new();
    let served = Served::new(authority.server_with("127.0.0.1", |params| {
        params.not_after = date_time_ymd(2020, 2, 3);
    }))
    .await;
    let failure = failing(authority.trusted(), &served.url()).await;
    assert_eq!(
        failure.message,
        "the server's certificate expired on 2020-02-03T00:00:00Z"
    );
    assert!(failure.after.is_some());
}

#[tokio::test]
async fn a_certificate_of_the_future_says_from_when() {
    let authority = Authority::new();
    let served = Served::new(authority.server_with("127.0.0.1", |params| {
        params.not_before = date_time_ymd(2100, 1, 1);
        params.not_after = date_time_ymd(2101, 1, 1);
    }))
    .await;
    let failure = failing(authority.trusted(), &served.url()).await;
    assert!(
        failure
            .message
            .starts_with("the server's certificate is not valid before 2100-01-01T00:00:00Z"),
        "{failure}"
    );
}

#[tokio::test]
async fn a_certificate_for_another_name_says_for_which() {
    let authority = Authority::new();
    let served = Served::new(authority.server("other.test")).await;
    let failure = failing(authority.trusted(), &served.url()).await;
    assert!(
        failure
            .message
            .starts_with("the server's certificate is not for 127.0.0.1: it is for "),
        "{failure}"
    );
    assert!(failure.message.contains("other.test"), "{failure}");
}

#[tokio::test]
async fn an_unknown_issuer_is_named_with_the_remedy() {
    let served = Served::new(Authority::new().server("127.0.0.1")).await;
    let failure = failing(Authority::new().trusted(), &served.url()).await;
    assert!(
        failure
            .message
            .starts_with("the server's certificate is from an unknown issuer ("),
        "{failure}"
    );
    assert!(
        failure.message.contains("Test Authority") && failure.message.contains("--cacert"),
        "{failure}"
    );
}

#[tokio::test]
async fn an_authoritys_own_certificate_is_explained() {
    let authority = Authority::new();
    let served = Served::new(authority.server_with("127.0.0.1", |params| {
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    }))
    .await;
    let failure = failing(authority.trusted(), &served.url()).await;
    assert!(failure.message.contains("(CA:TRUE)"), "{failure}");
}

#[tokio::test]
async fn plain_http_where_tls_is_expected_is_explained() {
    let server = Server::start(|mut visit| async move {
        visit.say("HTTP/1.1 400 Bad Request\r\n\r\n").await;
        visit.silence().await;
    })
    .await;
    let failure = failing(Options::default(), &format!("https://{}/", server.address)).await;
    assert!(
        failure.message.starts_with("what came is not TLS"),
        "{failure}"
    );
}

#[tokio::test]
async fn tls_where_plain_http_is_expected_is_no_http() {
    let served = Served::new(Authority::new().server("127.0.0.1")).await;
    let failure = get(&served.url().replace("https", "http"))
        .await
        .unwrap_err();
    assert!(
        matches!(failure.kind, FailureKind::Protocol | FailureKind::Reset),
        "{failure}"
    );
}

#[tokio::test]
async fn an_end_in_the_handshake_is_explained() {
    let server = Server::start(|visit| async move { visit.reset() }).await;
    let failure = failing(Options::default(), &format!("https://{}/", server.address)).await;
    assert!(
        failure
            .message
            .starts_with("the server closed the connection during the TLS handshake"),
        "{failure}"
    );
}

#[tokio::test]
async fn a_handshake_that_stalls_is_a_timeout() {
    let server = Server::start(Visit::silence).await;
    let failure = get_with(
        Options::default(),
        &format!("https://{}/", server.address),
        IMPATIENCE,
    )
    .await
    .unwrap_err();
    assert_eq!(failure.kind, FailureKind::Timeout(Phase::Tls), "{failure}");
}

#[tokio::test]
async fn http2_is_spoken_when_both_can_and_it_is_wanted() {
    let authority = Authority::new();
    let mut config = authority.server("127.0.0.1");
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    let served = Served::new(config).await;
    let answer = get_with(authority.trusted(), &served.url(), PATIENCE)
        .await
        .unwrap();
    assert_eq!(answer.version, Version::HTTP_2);
    assert_eq!(answer.body, served.server.address.to_string());
    assert!(answer.sent_at <= answer.head_at && answer.head_at <= answer.finished_at);
    let without = Options {
        http2: false,
        ..authority.trusted()
    };
    assert_eq!(
        get_with(without, &served.url(), PATIENCE)
            .await
            .unwrap()
            .version,
        Version::HTTP_11
    );
}

#[tokio::test]
async fn http2_that_is_given_up_is_a_reset() {
    let authority = Authority::new();
    let mut config = authority.server("127.0.0.1");
    config.alpn_protocols = vec![b"h2".to_vec()];
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let server = Server::start(move |visit| {
        let acceptor = acceptor.clone();
        async move { drop(acceptor.accept(visit.stream).await) }
    })
    .await;
    let failure = get_with(
        authority.trusted(),
        &format!("https://{}/", server.address),
        PATIENCE,
    )
    .await
    .unwrap_err();
    assert_eq!(failure.kind, FailureKind::Reset, "{failure}");
}

#[tokio::test]
async fn a_file_without_a_certificate_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let empty = folder.path().join("empty.pem");
    std::fs::write(&empty, "nothing\n").unwrap();
    for (path, expected) in [
        (empty, "there is no certificate in "),
        (
            folder.path().join("none.pem"),
            "cannot read the certificates in ",
        ),
    ] {
        let options = Options {
            trust: Trust {
                cacert: vec![path.clone()],
            },
            ..Options::default()
        };
        let error = Client::new(options).unwrap_err().to_string();
        assert!(
            error.starts_with(expected) && error.contains(&path.display().to_string()),
            "{error}"
        );
    }
}
