//! What the proofs have in common: the programs around the product, with the project's own configuration files.
//!
//! - [`stack`]: the observability stack
//! - [`edge`]: Caddy in front of replicas

pub mod edge;
pub mod stack;
