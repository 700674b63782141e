//! What the end-to-end tests have in common, in the order in which a test needs it:
//!
//! - [`artifacts`]: the host and the components, built once for all tests
//! - [`app`]: an application of fixtures in a folder of its own
//! - [`host`]: a running `spinfo up`, and [`lines`]: what it says
//! - [`outside`]: the probe and the monitor, run against it
//! - [`spin`]: the real `spin up`, where there is one
//! - [`client`]: requests over HTTP/1.1 and HTTP/2, and [`wire`]: bytes as they are
//! - [`tls`]: a certificate and a client that trusts it
//! - [`receiver`]: an OTLP receiver that remembers all it gets
//! - [`redis`]: a real Redis
//! - [`deadline`]: waiting for what should happen soon

pub mod app;
pub mod artifacts;
pub mod client;
pub mod deadline;
pub mod host;
pub mod lines;
pub mod outside;
pub mod redis;
pub mod spin;
pub mod tls;
pub mod wire;

pub use app::FixtureApp;
pub use client::{Answer, Client};
pub use host::{Host, Up};
pub use receiver::Receiver;
pub use redis::Redis;
pub use spin::Spin;
pub use spinfo_test_receiver as receiver;
