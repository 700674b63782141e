//! A certificate for 127.0.0.1, and clients that trust it or another.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::crypto::ring;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use rustls::{ClientConfig, RootCertStore};
use tempfile::TempDir;

/// A certificate and its key, in files.
pub struct Certificate {
    folder: TempDir,
    der: CertificateDer<'static>,
}

impl Certificate {
    /// A fresh one, signed by itself.
    pub fn new() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder can be made");
        let made = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()])
            .expect("a certificate can be made");
        fs::write(folder.path().join("cert.pem"), made.cert.pem()).expect("a file can be written");
        fs::write(
            folder.path().join("key.pem"),
            made.signing_key.serialize_pem(),
        )
        .expect("a file can be written");
        Self {
            der: made.cert.der().clone(),
            folder,
        }
    }

    /// The certificate in PEM form.
    pub fn file(&self) -> PathBuf {
        self.folder.path().join("cert.pem")
    }

    /// The key in PEM form.
    pub fn key(&self) -> PathBuf {
        self.folder.path().join("key.pem")
    }

    /// A client that trusts only this certificate and offers `protocols` (ALPN).
    pub fn client(&self, protocols: &[&str]) -> Arc<ClientConfig> {
        client(self.der.clone(), protocols)
    }
}

/// A client that trusts only the certificate in a PEM file and offers `protocols` (ALPN).
///
/// # Panics
/// When the file holds none.
pub fn trusting(root: &Path, protocols: &[&str]) -> Arc<ClientConfig> {
    let root = CertificateDer::from_pem_file(root)
        .unwrap_or_else(|error| panic!("{}: {error}", root.display()));
    client(root, protocols)
}

fn client(root: CertificateDer<'static>, protocols: &[&str]) -> Arc<ClientConfig> {
    let mut roots = RootCertStore::empty();
    roots.add(root).expect("a good certificate");
    let mut config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("ring knows them")
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = protocols
        .iter()
        .map(|name| name.as_bytes().to_vec())
        .collect();
    Arc::new(config)
}

impl Default for Certificate {
    fn default() -> Self {
        Self::new()
    }
}
