//! TLS handshakes with a protocol version that no library offers any more.

use std::io::{Read as _, Write as _};
use std::net::SocketAddr;

use spinfo_tests::wire;

pub(crate) const TLS_1_1: [u8; 2] = [3, 2];
pub(crate) const TLS_1_2: [u8; 2] = [3, 3];

/// What a server says to a client that speaks nothing newer than a version (RFC 5246 section 7).
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Reply {
    /// A ServerHello of this version.
    Hello([u8; 2]),
    /// An alert of this description.
    Alert(u8),
}

/// The description of an alert: no version in common.
pub(crate) const PROTOCOL_VERSION: u8 = 70;

/// Says hello for `localhost`.
pub(crate) fn hello(address: SocketAddr, version: [u8; 2]) -> Reply {
    let mut stream = wire::connect(address);
    stream
        .write_all(&client_hello(version, "localhost"))
        .unwrap();
    let mut record = [0; 5];
    stream.read_exact(&mut record).unwrap();
    let mut body = vec![0; usize::from(u16::from_be_bytes([record[3], record[4]]))];
    stream.read_exact(&mut body).unwrap();
    match record[0] {
        21 => Reply::Alert(body[1]),
        22 if body[0] == 2 => Reply::Hello([body[4], body[5]]),
        other => panic!("a record of type {other}: {body:?}"),
    }
}

fn client_hello(version: [u8; 2], name: &str) -> Vec<u8> {
    // ECDHE-ECDSA with AES-128 in GCM, which is for TLS 1.2, and in CBC with SHA-1, which is for all versions.
    let ciphers = [0xc0, 0x2b, 0xc0, 0x09];
    let name = [&[0][..], &sized(name.as_bytes())].concat();
    let extensions = [
        extension(0, &sized(&name)),
        // secp256r1
        extension(10, &sized(&[0, 23])),
        // Points that are not compressed.
        extension(11, &[1, 0]),
        // ECDSA with SHA-256, and with SHA-1.
        extension(13, &sized(&[4, 3, 2, 3])),
    ]
    .concat();
    let body = [
        &version[..],
        &[7; 32],
        &[0],
        &sized(&ciphers),
        &[1, 0],
        &sized(&extensions),
    ]
    .concat();
    let handshake = [&[1, 0][..], &sized(&body)].concat();
    [&[22, 3, 1][..], &sized(&handshake)].concat()
}

fn extension(kind: u16, data: &[u8]) -> Vec<u8> {
    [&kind.to_be_bytes()[..], &sized(data)].concat()
}

/// With its length before it, in two bytes.
fn sized(data: &[u8]) -> Vec<u8> {
    let length = u16::try_from(data.len()).unwrap();
    [&length.to_be_bytes()[..], data].concat()
}
