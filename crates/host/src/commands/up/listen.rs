//! The two listeners.

use anyhow::Context as _;
use tokio::net::TcpListener;

use crate::cli::{AdminListen, Up};

/// Ports that `--find-free-port` tries.
const FREE_PORT_TRIES: u16 = 20;

/// Binds the application's address.
///
/// # Errors
/// Says which flag helps when the address is in use.
pub(super) async fn bind(up: &Up) -> anyhow::Result<TcpListener> {
    let mut address = up.listen;
    let mut tries = if up.find_free_port {
        FREE_PORT_TRIES
    } else {
        1
    };
    loop {
        tries -= 1;
        match TcpListener::bind(address).await {
            Ok(listener) => return Ok(listener),
            Err(error)
                if error.kind() == std::io::ErrorKind::AddrInUse
                    && tries > 0
                    && address.port() < u16::MAX =>
            {
                address.set_port(address.port() + 1);
            }
            Err(error) if error.kind() == std::io::ErrorKind::AddrInUse => {
                anyhow::bail!(
                    "{} is in use; choose another with --listen, or let --find-free-port look for one",
                    up.listen
                )
            }
            Err(error) => return Err(error).with_context(|| format!("cannot listen on {address}")),
        }
    }
}

/// Binds the admin listener's address, unless it is off.
///
/// # Errors
/// Says which flag helps.
pub(super) async fn bind_admin(address: AdminListen) -> anyhow::Result<Option<TcpListener>> {
    let AdminListen::On(address) = address else {
        return Ok(None);
    };
    let listener = TcpListener::bind(address)
        .await
        .with_context(|| format!("cannot listen on {address} for /livez, /readyz and /metrics; choose another address with --admin-listen, or off"))?;
    Ok(Some(listener))
}
