//! TLS for the listener and for requests of guests, on one implementation (rustls with ring).

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context as _, ensure};
use arc_swap::ArcSwap;
use rustls::crypto::{CryptoProvider, ring};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use tokio_rustls::TlsAcceptor;

/// HTTP/2 first: a client that can do both should.
const PROTOCOLS: [&[u8]; 2] = [b"h2", b"http/1.1"];

fn provider() -> Arc<CryptoProvider> {
    Arc::new(ring::default_provider())
}

/// The listener's certificate, in two files that can be read again.
pub(crate) struct Certificate {
    chain: PathBuf,
    key: PathBuf,
    current: Arc<Current>,
}

/// The certificate for the next handshake.
struct Current(ArcSwap<CertifiedKey>);

impl std::fmt::Debug for Current {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Current(..)")
    }
}

impl ResolvesServerCert for Current {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.0.load_full())
    }
}

/// A certificate that was read and not yet put to use.
pub(crate) struct Renewed(CertifiedKey);

impl Certificate {
    /// Reads a certificate chain and its key.
    ///
    /// # Errors
    /// Names the flag and the file when one can't be read, or when they don't belong together.
    pub(crate) fn load(chain: &Path, key: &Path) -> anyhow::Result<Self> {
        Ok(Self {
            current: Arc::new(Current(ArcSwap::from_pointee(read(chain, key)?))),
            chain: chain.to_owned(),
            key: key.to_owned(),
        })
    }

    /// Handshakes with whatever certificate is current then.
    ///
    /// # Errors
    /// When the implementation lacks a protocol version.
    pub(crate) fn acceptor(&self) -> anyhow::Result<TlsAcceptor> {
        let mut config = rustls::ServerConfig::builder_with_provider(provider())
            .with_safe_default_protocol_versions()
            .context("cannot set up TLS for the listener")?
            .with_no_client_auth()
            .with_cert_resolver(self.current.clone());
        config.alpn_protocols = PROTOCOLS.iter().map(|protocol| protocol.to_vec()).collect();
        Ok(TlsAcceptor::from(Arc::new(config)))
    }

    /// Reads the files again.
    ///
    /// # Errors
    /// Those of [`Certificate::load`].
    pub(crate) fn read_again(&self) -> anyhow::Result<Renewed> {
        read(&self.chain, &self.key).map(Renewed)
    }

    /// Uses what was read for the next handshakes; whether it is another certificate.
    pub(crate) fn renew(&self, renewed: Renewed) -> bool {
        let changed = self.current.0.load().cert != renewed.0.cert;
        self.current.0.store(Arc::new(renewed.0));
        changed
    }
}

fn read(certificate: &Path, key: &Path) -> anyhow::Result<CertifiedKey> {
    let chain = CertificateDer::pem_file_iter(certificate)
        .and_then(|certificates| certificates.collect::<Result<Vec<_>, _>>())
        .with_context(|| {
            format!(
                "--tls-cert {}: cannot read a certificate chain in PEM form",
                certificate.display()
            )
        })?;
    ensure!(
        !chain.is_empty(),
        "--tls-cert {}: holds no certificate (a block that begins with -----BEGIN CERTIFICATE-----)",
        certificate.display()
    );
    let private_key = PrivateKeyDer::from_pem_file(key).with_context(|| {
        format!(
            "--tls-key {}: cannot read a private key in PEM form",
            key.display()
        )
    })?;
    CertifiedKey::from_der(chain, private_key, &provider()).with_context(|| {
        format!(
            "--tls-cert {} and --tls-key {} don't make a pair",
            certificate.display(),
            key.display()
        )
    })
}

/// TLS for requests of guests: the machine's own trusted roots.
///
/// A machine without any, such as a container from scratch, can still send plain requests.
pub(crate) fn client() -> anyhow::Result<rustls::ClientConfig> {
    use hyper_rustls::ConfigBuilderExt as _;
    let builder = rustls::ClientConfig::builder_with_provider(provider())
        .with_safe_default_protocol_versions()
        .context("cannot set up TLS for outbound requests")?;
    Ok(match builder.clone().with_native_roots() {
        Ok(builder) => builder.with_no_client_auth(),
        Err(error) => {
            tracing::warn!(%error, "no trusted root certificates on this machine: components cannot send requests by https");
            builder
                .with_root_certificates(rustls::RootCertStore::empty())
                .with_no_client_auth()
        }
    })
}
