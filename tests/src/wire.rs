//! Bytes as they are, for requests that no HTTP client would send.

use std::io::{Read as _, Write as _};
use std::net::{Shutdown, SocketAddr, TcpStream};

use crate::deadline::PATIENCE;

/// Opens a connection whose reads end after [`PATIENCE`].
pub fn connect(address: SocketAddr) -> TcpStream {
    let stream =
        TcpStream::connect_timeout(&address, PATIENCE).expect("the host accepts connections");
    stream
        .set_read_timeout(Some(PATIENCE))
        .expect("a timeout can be set");
    stream.set_nodelay(true).expect("a flag can be set");
    stream
}

/// Sends bytes and reads until the host closes the connection, which the bytes should ask for.
pub fn exchange(address: SocketAddr, bytes: &[u8]) -> Vec<u8> {
    let mut stream = connect(address);
    // A host that has heard enough may close before everything is written; its answer still counts.
    let _ = stream.write_all(bytes);
    read_to_end(&mut stream)
}

/// Reads until the host closes the connection.
pub fn read_to_end(stream: &mut TcpStream) -> Vec<u8> {
    let mut answer = Vec::new();
    let mut piece = [0; 64 * 1024];
    loop {
        match stream.read(&mut piece) {
            Ok(0) => break,
            Ok(length) => answer.extend_from_slice(&piece[..length]),
            // What is unread when a connection closes resets it, after the answer.
            Err(error) if error.kind() == std::io::ErrorKind::ConnectionReset => break,
            Err(error) => panic!("{error} after {:?}", String::from_utf8_lossy(&answer)),
        }
    }
    let _ = stream.shutdown(Shutdown::Both);
    answer
}

/// The status code of an answer; `None` when there is no answer.
pub fn status(answer: &[u8]) -> Option<u16> {
    let line = answer.split(|&byte| byte == b'\r').next()?;
    std::str::from_utf8(line)
        .ok()?
        .split(' ')
        .nth(1)?
        .parse()
        .ok()
}

/// Head and body of an answer, as text; chunks are joined.
pub fn parts(answer: &[u8]) -> (String, String) {
    let text = String::from_utf8_lossy(answer).into_owned();
    let (head, body) = text.split_once("\r\n\r\n").unwrap_or((&text, ""));
    let chunked = head
        .to_ascii_lowercase()
        .contains("transfer-encoding: chunked");
    let body = if chunked {
        join_chunks(body)
    } else {
        body.to_owned()
    };
    (head.to_owned(), body)
}

fn join_chunks(mut rest: &str) -> String {
    let mut joined = String::new();
    while let Some((length, after)) = rest.split_once("\r\n") {
        let length = usize::from_str_radix(length, 16).unwrap_or(0);
        if length == 0 || after.len() < length {
            break;
        }
        joined.push_str(&after[..length]);
        rest = after[length..].trim_start_matches("\r\n");
    }
    joined
}
