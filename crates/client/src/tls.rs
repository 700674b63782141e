//! TLS: the handshake, and in words why it failed.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Instant;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{Resumption, WebPkiServerVerifier, verify_server_name};
use rustls::crypto::{CryptoProvider, ring};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::timeout_at;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::certificate::{self, Certificate};
use crate::classify;
use crate::failure::{Failure, FailureKind, Phase};
use crate::options::Trust;

/// Why certificates of authorities can't be used.
#[derive(Debug, thiserror::Error)]
pub enum TrustError {
    /// A file that can't be read or isn't PEM.
    #[error("cannot read the certificates in {}: {source}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What went wrong.
        source: rustls::pki_types::pem::Error,
    },
    /// A file without a certificate.
    #[error("there is no certificate in {}: it must hold PEM blocks BEGIN CERTIFICATE", .0.display())]
    Empty(PathBuf),
    /// A certificate that can't be one of an authority.
    #[error("a certificate in {} is not usable as an authority's: {source}", path.display())]
    Certificate {
        /// The file.
        path: PathBuf,
        /// What went wrong.
        source: rustls::Error,
    },
}

/// What handshakes of one client share.
pub(crate) struct Tls {
    extra: RootCertStore,
    /// The same, as they are in the files.
    own: Arc<Vec<CertificateDer<'static>>>,
    provider: Arc<CryptoProvider>,
    /// Made at the first handshake: reading the system's roots takes milliseconds that plain HTTP needn't pay.
    base: OnceLock<Result<Base, String>>,
}

struct Base {
    config: ClientConfig,
    verifier: Arc<WebPkiServerVerifier>,
}

impl Tls {
    /// Reads the files of `trust`.
    pub(crate) fn new(trust: &Trust) -> Result<Self, TrustError> {
        let (mut extra, mut own) = (RootCertStore::empty(), Vec::new());
        for path in &trust.cacert {
            let failed = |source| TrustError::File {
                path: path.clone(),
                source,
            };
            let before = extra.len();
            for certificate in CertificateDer::pem_file_iter(path).map_err(failed)? {
                let certificate = certificate.map_err(failed)?;
                own.push(certificate.clone());
                extra
                    .add(certificate)
                    .map_err(|source| TrustError::Certificate {
                        path: path.clone(),
                        source,
                    })?;
            }
            if extra.len() == before {
                return Err(TrustError::Empty(path.clone()));
            }
        }
        Ok(Self {
            extra,
            own: Arc::new(own),
            provider: Arc::new(ring::default_provider()),
            base: OnceLock::new(),
        })
    }

    /// Makes a TLS session with `host` out of `stream`.
    pub(crate) async fn handshake<S>(
        &self,
        host: &str,
        stream: S,
        alpn: &[&[u8]],
        deadline: Instant,
    ) -> Result<TlsStream<S>, Failure>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        let began = Instant::now();
        let base = self
            .base
            .get_or_init(|| self.base())
            .as_ref()
            .map_err(|message| Failure::new(FailureKind::Tls, message.clone()))?;
        let name = ServerName::try_from(host.to_owned()).map_err(|_| {
            Failure::new(
                FailureKind::Tls,
                format!("{host} is not a name that a certificate can be for"),
            )
        })?;
        let presented = Arc::new(Presented {
            verifier: base.verifier.clone(),
            own: self.own.clone(),
            seen: Mutex::default(),
        });
        let mut config = base.config.clone();
        config.alpn_protocols = alpn.iter().map(|protocol| protocol.to_vec()).collect();
        config
            .dangerous()
            .set_certificate_verifier(presented.clone());
        let handshake = TlsConnector::from(Arc::new(config)).connect(name, stream);
        match timeout_at(deadline.into(), handshake).await {
            Ok(Ok(session)) => Ok(session),
            Ok(Err(error)) => {
                let Seen {
                    issuer,
                    certificate,
                } = presented.seen();
                let failure = classify::handshake(&error, issuer.as_deref());
                Err(Failure {
                    certificate,
                    ..failure
                })
            }
            Err(_) => Err(Failure::timeout(Phase::Tls, began)),
        }
    }

    fn base(&self) -> Result<Base, String> {
        let mut roots = self.extra.clone();
        let native = rustls_native_certs::load_native_certs();
        // A system has certificates that aren't usable. One that is needed shows as an unknown issuer.
        roots.add_parsable_certificates(native.certs);
        if roots.is_empty() {
            let cause = native
                .errors
                .first()
                .map(|error| format!(" ({error})"))
                .unwrap_or_default();
            return Err(format!(
                "this system has no certificates of authorities{cause}: name a file with --cacert or SSL_CERT_FILE"
            ));
        }
        let verifier =
            WebPkiServerVerifier::builder_with_provider(Arc::new(roots), self.provider.clone())
                .build()
                .map_err(|error| format!("cannot set up TLS: {error}"))?;
        let mut config = ClientConfig::builder_with_provider(self.provider.clone())
            .with_safe_default_protocol_versions()
            .map_err(|error| format!("cannot set up TLS: {error}"))?
            .with_webpki_verifier(verifier.clone())
            .with_no_client_auth();
        // Every connection shows what a new visitor sees, and the certificate that is served now.
        config.resumption = Resumption::disabled();
        Ok(Base { config, verifier })
    }
}

/// Verifies as rustls does, and remembers what the server presented, for when it isn't believed.
#[derive(Debug)]
struct Presented {
    verifier: Arc<WebPkiServerVerifier>,
    own: Arc<Vec<CertificateDer<'static>>>,
    seen: Mutex<Seen>,
}

#[derive(Clone, Debug, Default)]
struct Seen {
    /// Of the last certificate.
    issuer: Option<String>,
    certificate: Option<Certificate>,
}

impl Presented {
    fn seen(&self) -> Seen {
        let seen = self.seen.lock();
        seen.unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl ServerCertVerifier for Presented {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let chain: Vec<_> = [end_entity]
            .into_iter()
            .chain(intermediates)
            .cloned()
            .collect();
        *self.seen.lock().unwrap_or_else(PoisonError::into_inner) = Seen {
            issuer: chain.last().and_then(certificate::issuer),
            certificate: Certificate::of(&chain),
        };
        let verified = self.verifier.verify_server_cert(
            end_entity,
            intermediates,
            server_name,
            ocsp_response,
            now,
        );
        match verified {
            // A server's own certificate, as `openssl req -x509` makes it, is an authority's. Who names it believes it, and webpki has
            // looked at its dates before its purpose.
            Err(rustls::Error::InvalidCertificate(error))
                if classify::is_authoritys_own(&error) && self.own.contains(end_entity) =>
            {
                verify_server_name(&ParsedCertificate::try_from(end_entity)?, server_name)?;
                Ok(ServerCertVerified::assertion())
            }
            verified => verified,
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.verifier.verify_tls12_signature(message, cert, dss)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.verifier.verify_tls13_signature(message, cert, dss)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.verifier.supported_verify_schemes()
    }
}
