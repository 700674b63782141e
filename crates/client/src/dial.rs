//! From a host and a port to a TCP connection: the look-up, then one address after the other until one answers.

use std::io;
use std::net::{IpAddr, SocketAddr, ToSocketAddrs as _};
use std::time::{Duration, Instant};

use tokio::net::TcpStream;
use tokio::sync::oneshot;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout_at};

use crate::failure::{Failure, FailureKind, Phase};
use crate::options::{Family, Options};

/// How long an address has before the next one is tried beside it: RFC 8305, section 5.
const ATTEMPT_DELAY: Duration = Duration::from_millis(250);

/// A TCP connection and what it took.
pub(crate) struct Dialled {
    pub(crate) stream: TcpStream,
    pub(crate) peer: SocketAddr,
    pub(crate) dns: Duration,
    pub(crate) connect: Duration,
}

/// Looks up a host and connects to it.
pub(crate) async fn dial(
    host: &str,
    port: u16,
    options: &Options,
    deadline: Instant,
) -> Result<Dialled, Failure> {
    let began = Instant::now();
    let found = timeout_at(deadline.into(), addresses(host, port, options))
        .await
        .map_err(|_| Failure::timeout(Phase::Dns, began))?;
    let addresses = found?;
    let dns = began.elapsed();

    let began = Instant::now();
    let raced = timeout_at(deadline.into(), race(alternating(addresses)))
        .await
        .map_err(|_| Failure::timeout(Phase::Connect, began))?;
    let (stream, peer) = raced.map_err(|errors| refused(host, port, &errors))?;
    // A request is written at once, whatever its size. Without this it could wait for the answer to an earlier packet.
    stream.set_nodelay(true).map_err(|error| {
        Failure::new(
            FailureKind::Connect,
            format!("cannot set up the connection: {error}"),
        )
    })?;
    Ok(Dialled {
        stream,
        peer,
        dns,
        connect: began.elapsed(),
    })
}

async fn addresses(host: &str, port: u16, options: &Options) -> Result<Vec<SocketAddr>, Failure> {
    let listed = options
        .resolve
        .iter()
        .find_map(|entry| entry.addresses(host, port));
    let literal = || {
        host.parse::<IpAddr>()
            .ok()
            .map(|address| vec![SocketAddr::new(address, port)])
    };
    let mut found = match listed.or_else(literal) {
        Some(addresses) => addresses,
        None => look_up(host, port).await?,
    };
    if let Some(family) = options.family {
        found.retain(|&address| family.has(address));
        if found.is_empty() {
            return Err(Failure::new(
                FailureKind::Dns,
                format!("{host} has no {} address", family.name()),
            ));
        }
    }
    Ok(found)
}

/// Asks the system's resolver. It can't be interrupted, and a runtime waits for its blocking tasks when it ends, so a program whose deadline has
/// passed would hang on for as long as the resolver likes. A thread of its own isn't waited for.
async fn look_up(host: &str, port: u16) -> Result<Vec<SocketAddr>, Failure> {
    let (sender, answer) = oneshot::channel();
    let name = host.to_owned();
    let failed = |error: &dyn std::fmt::Display| {
        Failure::new(
            FailureKind::Dns,
            format!("cannot find the address of {host}: {error}"),
        )
    };
    std::thread::Builder::new()
        .name("resolver".to_owned())
        .spawn(move || {
            // Fails when the deadline has passed and nobody waits any more.
            let _ = sender.send((name.as_str(), port).to_socket_addrs().map(Vec::from_iter));
        })
        .map_err(|error| failed(&error))?;
    let found = match answer.await {
        Ok(found) => found.map_err(|error| failed(&reason(&error)))?,
        Err(_) => return Err(failed(&"the resolver gave up")),
    };
    if found.is_empty() {
        Err(failed(&"it has none"))
    } else {
        Ok(found)
    }
}

/// The resolver's own words, without the standard library's introduction to them.
fn reason(error: &io::Error) -> String {
    let text = error.to_string();
    text.strip_prefix("failed to lookup address information: ")
        .unwrap_or(&text)
        .to_owned()
}

/// The addresses in an order that alternates between the families, beginning with that of the first: RFC 8305, section 4.
fn alternating(addresses: Vec<SocketAddr>) -> Vec<SocketAddr> {
    let first = match addresses.first() {
        Some(SocketAddr::V6(_)) => Family::V6,
        _ => Family::V4,
    };
    let total = addresses.len();
    let (preferred, other): (Vec<_>, Vec<_>) = addresses
        .into_iter()
        .partition(|&address| first.has(address));
    let (mut preferred, mut other) = (preferred.into_iter(), other.into_iter());
    let mut ordered = Vec::with_capacity(total);
    while ordered.len() < total {
        ordered.extend(preferred.next());
        ordered.extend(other.next());
    }
    ordered
}

/// Connects to the address that answers first. Each is tried when the one before has failed, or [`ATTEMPT_DELAY`] after it.
async fn race(
    addresses: Vec<SocketAddr>,
) -> Result<(TcpStream, SocketAddr), Vec<(SocketAddr, io::Error)>> {
    let mut waiting = addresses.into_iter();
    let mut attempts = JoinSet::new();
    let mut errors = Vec::new();
    loop {
        match waiting.next() {
            Some(address) => {
                attempts.spawn(async move {
                    TcpStream::connect(address)
                        .await
                        .map(|stream| (stream, address))
                        .map_err(|error| (address, error))
                });
            }
            None if attempts.is_empty() => return Err(errors),
            None => {}
        }
        let next_is_due = async {
            if waiting.len() == 0 {
                std::future::pending().await
            } else {
                sleep(ATTEMPT_DELAY).await;
            }
        };
        tokio::select! {
            Some(done) = attempts.join_next() => match done {
                Ok(Ok(connected)) => return Ok(connected),
                Ok(Err(error)) => errors.push(error),
                // Only a panic ends a task otherwise: nothing here cancels one.
                Err(panic) => std::panic::resume_unwind(panic.into_panic()),
            },
            () = next_is_due => {}
        }
    }
}

fn refused(host: &str, port: u16, errors: &[(SocketAddr, io::Error)]) -> Failure {
    let each = errors
        .iter()
        .map(|(address, error)| format!("{address}: {}", plain(error)))
        .collect::<Vec<_>>()
        .join(", ");
    Failure::new(
        FailureKind::Connect,
        format!("cannot connect to {host} port {port} ({each})"),
    )
}

/// An error of the system without its number.
fn plain(error: &io::Error) -> String {
    let text = error.to_string();
    text.split_once(" (os error")
        .map_or(text.as_str(), |(text, _)| text)
        .to_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn families_alternate_beginning_with_the_first() {
        let addresses =
            ["[::1]:1", "[::2]:1", "[::3]:1", "1.1.1.1:1"].map(|address| address.parse().unwrap());
        let ordered: Vec<_> = alternating(addresses.to_vec())
            .iter()
            .map(ToString::to_string)
            .collect();
        assert_eq!(ordered, ["[::1]:1", "1.1.1.1:1", "[::2]:1", "[::3]:1"]);
    }
}
