//! Connections to the receiver: TCP or TLS, HTTP/1.1 or HTTP/2.

use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;
use http_body_util::Full;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ClientConfig, RootCertStore};

use crate::Error;
use crate::settings::{Export, Protocol};

pub(super) type Client = legacy::Client<HttpsConnector<HttpConnector>, Full<Bytes>>;

pub(super) fn client(export: &Export) -> Result<Client, Error> {
    let builder = HttpsConnectorBuilder::new()
        .with_tls_config(tls(export)?)
        .https_or_http();
    let connector = match export.protocol {
        Protocol::HttpProtobuf => builder.enable_http1().build(),
        Protocol::Grpc => builder.enable_http2().build(),
    };
    Ok(legacy::Client::builder(TokioExecutor::new())
        .pool_timer(TokioTimer::new())
        .timer(TokioTimer::new())
        // gRPC is HTTP/2, without TLS by prior knowledge.
        .http2_only(export.protocol == Protocol::Grpc)
        .build(connector))
}

fn tls(export: &Export) -> Result<ClientConfig, Error> {
    let mut roots = RootCertStore::empty();
    if let Some(path) = &export.certificate {
        for certificate in certificates(path)? {
            roots.add(certificate).map_err(|why| unusable(path, &why))?;
        }
    } else if export.endpoint.scheme_str() == Some("https") {
        // Certificates of the system that cannot be read are of no use; the handshake names the one that is missing.
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|why| Error::Certificate {
            path: "tls".to_owned(),
            reason: why.to_string(),
        })?
        .with_root_certificates(roots);
    match &export.client_identity {
        None => Ok(config.with_no_client_auth()),
        Some((certificate, key_path)) => {
            let key =
                PrivateKeyDer::from_pem_file(key_path).map_err(|why| unusable(key_path, &why))?;
            config
                .with_client_auth_cert(certificates(certificate)?, key)
                .map_err(|why| unusable(certificate, &why))
        }
    }
}

fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, Error> {
    let certificates = CertificateDer::pem_file_iter(path)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .map_err(|why| unusable(path, &why))?;
    if certificates.is_empty() {
        return Err(unusable(path, &"the file holds no certificate in PEM form"));
    }
    Ok(certificates)
}

fn unusable(path: &Path, why: &dyn std::fmt::Display) -> Error {
    Error::Certificate {
        path: path.display().to_string(),
        reason: why.to_string(),
    }
}
