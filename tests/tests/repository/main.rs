//! Files of the repository that have to agree, compared without the programs that read them in the end.
//!
//! - [`alerts`]: runbooks, promtool's cases, the copies for Kubernetes
//! - [`series`]: what dashboards and rules ask for
//! - [`versions`]: the workspace's version, the toolchain, images' tags
//! - [`flags`]: docs/reference.md, and every flag in a page
//! - [`build`]: what an image is built from, and what is built once

mod alerts;
mod build;
mod files;
mod flags;
mod series;
mod versions;
