//! An authority, the certificates that it signs, and servers that present them.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use http_body_util::Full;
use hyper::body::Bytes;
use hyper::server::conn::http2;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use rustls::ServerConfig;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use spinfo_client::{Options, Trust};
use tempfile::TempDir;
use tokio::io::{AsyncWriteExt as _, copy_bidirectional};
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;

use crate::servers::{Server, read_head};

const OK: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok";

/// An authority that signs certificates, with its own in a file.
pub(crate) struct Authority {
    issuer: CertifiedIssuer<'static, KeyPair>,
    folder: TempDir,
}

impl Authority {
    pub(crate) fn new() -> Self {
        Self::named("Test Authority")
    }

    /// One of this name.
    pub(crate) fn named(name: &str) -> Self {
        Self::with(name, KeyPair::generate().unwrap())
    }

    /// With the same name as others, and a key of its own.
    pub(crate) fn with(name: &str, key: KeyPair) -> Self {
        Self::of(CertificateParams::default(), name, key)
    }

    /// What `openssl req -x509` makes: an authority's certificate, for a server of this name.
    pub(crate) fn for_server(name: &str) -> Self {
        let params = CertificateParams::new([name.to_owned()]).unwrap();
        Self::of(params, name, KeyPair::generate().unwrap())
    }

    fn of(mut params: CertificateParams, name: &str, key: KeyPair) -> Self {
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.distinguished_name.push(DnType::CommonName, name);
        let issuer = CertifiedIssuer::self_signed(params, key).unwrap();
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

    /// A server with a certificate for this name that is changed before it is signed.
    pub(crate) fn server_with(
        &self,
        name: &str,
        change: impl Fn(&mut CertificateParams),
    ) -> ServerConfig {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new([name.to_owned()]).unwrap();
        params.distinguished_name.push(DnType::CommonName, name);
        change(&mut params);
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        let chain = vec![certificate.der().clone(), self.issuer.der().clone()];
        server(chain, &key)
    }

    /// A server with the authority's own certificate.
    pub(crate) fn own_server(&self) -> ServerConfig {
        server(vec![self.issuer.der().clone()], self.issuer.key())
    }

    /// A client that believes this authority.
    pub(crate) fn trusted(&self) -> Options {
        Options {
            trust: Trust {
                cacert: vec![self.file()],
            },
            ..Options::default()
        }
    }
}

fn server(chain: Vec<CertificateDer<'static>>, key: &KeyPair) -> ServerConfig {
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
    ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .unwrap()
}

/// A server that speaks TLS.
pub(crate) struct Served {
    server: Server,
    heard: Arc<Mutex<Vec<String>>>,
}

impl Served {
    /// Answers `ok` to one request a connection.
    pub(crate) async fn new(config: ServerConfig) -> Self {
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let heard = Arc::new(Mutex::new(Vec::new()));
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

    pub(crate) fn address(&self) -> SocketAddr {
        self.server.address
    }

    pub(crate) fn url(&self) -> String {
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
