//! The crate from outside: recorded behaviour of Spin, good and bad files, and properties.

mod manifests;
mod properties;
mod recorded;
mod support;
