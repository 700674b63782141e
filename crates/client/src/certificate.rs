//! What is known about the certificate that a server presented.

use std::time::{Duration, SystemTime};

use rustls::pki_types::CertificateDer;
use x509_parser::prelude::{FromDer as _, X509Certificate};
use x509_parser::time::ASN1Time;

/// A server's certificate, in the way monitoring cares for: by when something must be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Certificate {
    /// When the certificate that expires first began to be valid.
    pub not_before: SystemTime,
    /// The earliest expiry in the chain that the server presented.
    pub not_after: SystemTime,
    /// The subject of the server's own certificate, such as `CN=example.org`; its first name where the subject is empty.
    pub subject: String,
}

impl Certificate {
    /// Reads a chain, the server's own certificate first. `None` when one can't be read.
    pub(crate) fn of(chain: &[CertificateDer<'_>]) -> Option<Self> {
        let parsed = chain
            .iter()
            .map(|der| parse(der))
            .collect::<Option<Vec<_>>>()?;
        let subject = subject(parsed.first()?);
        let first = parsed
            .iter()
            .min_by_key(|certificate| certificate.validity().not_after.timestamp())?;
        Some(Self {
            not_before: time(first.validity().not_before),
            not_after: time(first.validity().not_after),
            subject,
        })
    }
}

/// Who signed this certificate, such as `CN=Example CA`.
pub(crate) fn issuer(der: &CertificateDer<'_>) -> Option<String> {
    parse(der)
        .map(|certificate| certificate.issuer().to_string())
        .filter(|issuer| !issuer.is_empty())
}

fn parse<'a>(der: &'a CertificateDer<'_>) -> Option<X509Certificate<'a>> {
    X509Certificate::from_der(der)
        .ok()
        .map(|(_, certificate)| certificate)
}

fn subject(certificate: &X509Certificate<'_>) -> String {
    let subject = certificate.subject().to_string();
    if !subject.is_empty() {
        return subject;
    }
    let names = certificate.subject_alternative_name().ok().flatten();
    names
        .and_then(|names| names.value.general_names.first().map(ToString::to_string))
        .unwrap_or_default()
}

fn time(time: ASN1Time) -> SystemTime {
    let seconds = Duration::from_secs(time.timestamp().unsigned_abs());
    let at = if time.timestamp() < 0 {
        SystemTime::UNIX_EPOCH.checked_sub(seconds)
    } else {
        SystemTime::UNIX_EPOCH.checked_add(seconds)
    };
    at.unwrap_or(SystemTime::UNIX_EPOCH)
}
