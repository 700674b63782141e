//! The edge: the real Caddy with the project's own Caddyfile, in front of replicas. In the order in which a test needs it:
//!
//! - [`replicas`]: hosts that are each other's replicas, and [`fake`]: a replica that misbehaves
//! - [`caddy`]: a running edge, and asking it over HTTP and HTTPS
//! - [`access_log`]: what it has written about requests
//! - [`ports`]: free ports of several addresses

pub mod access_log;
pub mod caddy;
pub mod fake;
pub mod ports;
pub mod replicas;

pub use access_log::Entry;
pub use caddy::{Edge, Settings};
pub use fake::{Conduct, Fake};
pub use replicas::Replicas;
