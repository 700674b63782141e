//! One HTTP request as a client sees it: where its time goes, and how it fails.
//!
//! - [`target`]: the URL, with its secrets kept apart
//! - [`options`], [`proxy`]: how connections are made; [`mod@headers`]: what requests carry
//! - [`client`]: from a name to a connection; `dial` (DNS, TCP), `tunnel` (CONNECT), `tls`
//! - [`connection`]: one request, one answer, as [`message`] has them; `stamped` takes the time where the bytes pass
//! - [`warm`]: one connection held over many requests
//! - [`failure`]: the kinds of failures; `classify` tells them apart
//! - [`certificate`]: what is known about the server's certificate

pub mod target;

pub mod headers;
pub mod options;
pub mod proxy;

pub mod client;
mod dial;
mod tls;
mod tunnel;

pub mod connection;
pub mod message;
mod stamped;

pub mod warm;

pub mod certificate;
mod classify;
pub mod failure;

pub use certificate::Certificate;
pub use client::{Client, SetupError};
pub use connection::{Connection, Phases};
pub use failure::{Failure, FailureKind, Phase};
pub use headers::headers;
pub use message::{Answer, Limits, Request};
pub use options::{Family, Options, Resolve, Trust};
pub use proxy::Proxy;
pub use target::{Target, TargetError};
pub use tls::TrustError;
pub use warm::{Exchange, Warm};
