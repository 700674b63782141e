//! Which [`FailureKind`] an error of the libraries below is, and what to tell people.

use std::error::Error;
use std::io;
use std::time::{Duration, SystemTime};

use rustls::{AlertDescription, CertificateError, InvalidMessage};

use crate::failure::{Failure, FailureKind, chain};

/// Why a TLS handshake failed. `issuer` signed the last certificate that the server presented.
pub(crate) fn handshake(error: &io::Error, issuer: Option<&str>) -> Failure {
    let message = match error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>()) {
        Some(error) => tls(error, issuer),
        None if closed(error) => "the server closed the connection during the TLS handshake: does it speak TLS on this port, and know this name?".to_owned(),
        None => format!("the TLS handshake failed: {}", chain(error)),
    };
    Failure::new(FailureKind::Tls, message)
}

/// An error of rustls in words.
fn tls(error: &rustls::Error, issuer: Option<&str>) -> String {
    match error {
        rustls::Error::InvalidCertificate(error) => certificate(error, issuer),
        rustls::Error::InvalidMessage(InvalidMessage::InvalidContentType) => {
            "what came is not TLS: does the server speak plain HTTP on this port? then use http:"
                .to_owned()
        }
        rustls::Error::AlertReceived(AlertDescription::UnrecognisedName) => {
            "the server has no certificate for this name (alert unrecognized_name)".to_owned()
        }
        rustls::Error::AlertReceived(AlertDescription::ProtocolVersion) => {
            "the server speaks none of TLS 1.2 and 1.3 (alert protocol_version)".to_owned()
        }
        rustls::Error::AlertReceived(AlertDescription::CertificateRequired) => {
            "the server asks for a client's certificate, which is not supported".to_owned()
        }
        error => format!("the TLS handshake failed: {error}"),
    }
}

fn certificate(error: &CertificateError, issuer: Option<&str>) -> String {
    match error {
        CertificateError::ExpiredContext { not_after, .. } => format!(
            "the server's certificate expired on {}",
            date(not_after.as_secs())
        ),
        CertificateError::NotValidYetContext { not_before, .. } => {
            format!(
                "the server's certificate is not valid before {}: is this machine's clock right?",
                date(not_before.as_secs())
            )
        }
        CertificateError::NotValidForNameContext {
            expected,
            presented,
        } => {
            let names = if presented.is_empty() {
                "no name at all".to_owned()
            } else {
                presented.iter().map(|name| bare(name)).collect::<Vec<_>>().join(", ")
            };
            format!(
                "the server's certificate is not for {}: it is for {names}",
                expected.to_str()
            )
        }
        CertificateError::UnknownIssuer => {
            let issuer = issuer.map_or_else(String::new, |issuer| format!(" ({issuer})"));
            format!(
                "the server's certificate is from an unknown issuer{issuer}: name a file with the issuer's certificate with --cacert"
            )
        }
        // A key of another kind can't have made the signature, either.
        CertificateError::BadSignature
        | CertificateError::UnsupportedSignatureAlgorithmForPublicKeyContext { .. } => {
            let issuer = issuer.map_or_else(String::new, |issuer| format!(" ({issuer})"));
            format!("the server's certificate is not signed with the key of its issuer{issuer} as it is known here: has the authority a new certificate? name its file with --cacert")
        }
        error if is_authoritys_own(error) => {
            "the server's certificate is an authority's own (CA:TRUE), and not one that is trusted: name its file with --cacert".to_owned()
        }
        CertificateError::Other(error) => format!("the server's certificate is not acceptable: {error}"),
        error => format!("the server's certificate is not acceptable: {error}"),
    }
}

/// Whether a certificate was refused for being an authority's. rustls has no variant for it, only webpki's error.
pub(crate) fn is_authoritys_own(error: &CertificateError) -> bool {
    matches!(error, CertificateError::Other(error) if error.to_string() == "CaUsedAsEndEntity")
}

/// A name without what rustls puts around it: `DnsName("localhost")`.
fn bare(name: &str) -> &str {
    let inner = name.split_once('(').map_or(name, |(_, inner)| inner);
    inner.trim_end_matches(')').trim_matches('"')
}

fn date(seconds: u64) -> String {
    let time = SystemTime::UNIX_EPOCH.checked_add(Duration::from_secs(seconds));
    time.map_or_else(
        || "a date beyond the calendar".to_owned(),
        |time| humantime::format_rfc3339_seconds(time).to_string(),
    )
}

/// Why no head of an answer came.
pub(crate) fn head(error: &hyper::Error) -> Failure {
    if error.is_parse_version_h2() {
        return Failure::new(
            FailureKind::Protocol,
            "the server answered with HTTP/2 where HTTP/1.1 was asked for",
        );
    }
    if error.is_parse() {
        return Failure::new(
            FailureKind::Protocol,
            format!("what the server sent is not HTTP: {}", chain(error)),
        );
    }
    if gone(error) {
        return Failure::new(
            FailureKind::Reset,
            format!(
                "the server closed the connection before it answered ({})",
                chain(error)
            ),
        );
    }
    Failure::new(
        FailureKind::Protocol,
        format!("the server broke the rules of HTTP: {}", chain(error)),
    )
}

/// Why the body of an answer ended too early, after `received` bytes.
pub(crate) fn body(error: &hyper::Error, received: usize) -> Failure {
    Failure::new(
        FailureKind::Body,
        format!(
            "the answer's body was cut short after {received} bytes: {}",
            chain(error)
        ),
    )
}

/// Whether the other side ended it, by closing the connection or (HTTP/2) by giving up the stream, rather than broke a rule.
fn gone(error: &hyper::Error) -> bool {
    error.is_incomplete_message()
        || error.is_canceled()
        || error.is_closed()
        || error.is_body_write_aborted()
        || cause::<io::Error>(error).is_some()
        || cause::<h2::Error>(error).is_some_and(|error| error.is_io() || error.is_remote())
}

/// The error of this type among the causes.
fn cause<E: Error + 'static>(error: &hyper::Error) -> Option<&E> {
    let mut cause = error.source();
    while let Some(error) = cause {
        if let Some(error) = error.downcast_ref() {
            return Some(error);
        }
        cause = error.source();
    }
    None
}

fn closed(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::UnexpectedEof
            | io::ErrorKind::ConnectionReset
            | io::ErrorKind::ConnectionAborted
            | io::ErrorKind::BrokenPipe
    )
}
