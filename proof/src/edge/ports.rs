//! Free ports.

use std::net::{IpAddr, Ipv4Addr, TcpListener, UdpSocket};
use std::sync::atomic::{AtomicU16, Ordering};

/// Below what Linux hands out to clients (`ip_local_port_range`, from 32768), so that nobody takes the port of a program
/// that is about to start.
const PORTS: std::ops::Range<u16> = 20_000..32_000;

/// The address of a replica. Replicas have the same ports, as in containers, and therefore different addresses.
pub fn address(replica: usize) -> IpAddr {
    let last = u8::try_from(replica + 1).expect("there are few replicas");
    Ipv4Addr::new(127, 0, 0, last).into()
}

/// A port that is free for TCP and UDP at all of the first addresses.
///
/// # Panics
/// When there is none.
pub fn free(addresses: usize) -> u16 {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let span = PORTS.end - PORTS.start;
    // Test programs that run at the same time begin elsewhere.
    let begin = u16::try_from(std::process::id() * 31 % u32::from(span)).unwrap_or(0);
    for _ in 0..span {
        let step = NEXT.fetch_add(1, Ordering::Relaxed);
        let port = PORTS.start + begin.wrapping_add(step) % span;
        let is_free = |replica| {
            let address = address(replica);
            TcpListener::bind((address, port)).is_ok() && UdpSocket::bind((address, port)).is_ok()
        };
        if (0..addresses.max(1)).all(is_free) {
            return port;
        }
    }
    panic!("no port of {PORTS:?} is free");
}

/// Whether a port may be bound and nobody has it.
pub fn may_bind(port: u16) -> bool {
    TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok()
        && UdpSocket::bind((Ipv4Addr::LOCALHOST, port)).is_ok()
}
