//! The observability stack: the real programs with the project's own configuration files, in the order in which a
//! test needs it:
//!
//! - [`backends`]: where the programs are
//! - [`network`]: a free port for each `service:port` of the configuration files
//! - [`compose`]: what compose.yaml says about a service
//! - [`program`]: a running program, and the end of its log
//! - [`launch`]: how each of them is started, [`services`]: all of them together
//! - [`api`]: what they answer; [`prometheus`], [`tempo`], [`loki`], [`alertmanager`]: what their answers mean
//! - [`wait`]: waiting for what a backend learns after a while
//! - [`checks`]: several expectations of one stack, each reported

pub mod alertmanager;
pub mod api;
pub mod backends;
pub mod checks;
pub mod compose;
pub mod launch;
pub mod loki;
pub mod network;
pub mod program;
pub mod prometheus;
pub mod services;
pub mod tempo;
pub mod wait;

pub use checks::Checks;
pub use services::Stack;
