//! The edge as its users see it: the real Caddy with the project's Caddyfile in front of real hosts. A file each:
//!
//! - [`https`]: certificates, protocols, what every answer has
//! - [`redirect`]: port 80 sends to port 443, whatever it is asked
//! - [`requests`]: requests that are no requests, and too large ones
//! - [`replicas`]: who is asked, and what becomes of a request when that one is gone
//! - [`store`]: what replicas share, and what goes on without it
//! - [`telemetry`]: spans, metrics and the access log
//! - [`plain`]: port 80 and no other
//! - [`acme`]: certificates of an ACME server
//! - [`files`]: what can be said without running them

mod acme;
mod files;
mod handshake;
mod https;
mod plain;
mod redirect;
mod replicas;
mod requests;
mod store;
mod telemetry;

use std::io::Write as _;
use std::sync::Mutex;

/// There is one port 80 and one port 443.
static REAL_PORTS: Mutex<()> = Mutex::new(());

/// Says what was measured, or why something else was. Past the harness, which would keep it.
fn tell(text: &str) {
    let _ = writeln!(std::io::stderr(), "    {text}");
}
