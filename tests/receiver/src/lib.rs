//! An OTLP receiver for tests, for HTTP in its binary form and for gRPC, plain or behind TLS, on one port.
//!
//! A [`Receiver`] remembers all that it gets, which a test looks at as [`Received`]. It takes everything, unless it was told an
//! [`Answer`] to give instead. What no exporter should send (an unknown path, over HTTP also a body that is
//! no message) and an answer for the other transport fail the test that looks.
//!
//! - [`receiver`]: starting one, waiting for what arrives and looking at it
//! - [`received`]: what has arrived, by trace and by name
//! - [`values`]: ids and attributes as text

mod grpc;
mod http;
pub mod received;
pub mod receiver;
mod serve;
mod shared;
#[cfg(test)]
mod tests;
pub mod values;

pub use received::Received;
pub use receiver::{PATIENCE, Receiver};
pub use shared::Answer;
pub use tonic::Code;
pub use values::{attribute, attributes, hex, text};
