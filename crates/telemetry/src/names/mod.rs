//! The names of attributes and metrics, so that host, probe, monitor, dashboards and tests share one truth.
//!
//! Names that the OpenTelemetry semantic conventions define come from the conventions' own crate; what nobody has named yet is
//! ours, under `wasm.*` and `spinfo.*`.

mod attribute;
mod method;
pub mod metric;
mod query;

pub use attribute::*;
pub use method::{KnownMethods, OTHER_METHOD};
pub use query::{REDACTED, redact_query};

/// Bucket boundaries, in seconds, that the semantic conventions recommend for `http.server.request.duration`.
pub const DURATION_BUCKETS: [f64; 14] = [
    0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0,
];

/// Bucket boundaries, in seconds, for work that takes microseconds, such as instantiating a pooled component.
pub const SHORT_DURATION_BUCKETS: [f64; 12] = [
    0.000_005, 0.000_01, 0.000_025, 0.000_05, 0.000_1, 0.000_25, 0.000_5, 0.001, 0.005, 0.025, 0.1,
    1.0,
];

/// Bucket boundaries, in bytes, for bodies and memories: from 256 B to 256 MiB in powers of sixteen and four.
pub const SIZE_BUCKETS: [f64; 9] = [
    256.0,
    1024.0,
    4096.0,
    16_384.0,
    65_536.0,
    1_048_576.0,
    4_194_304.0,
    16_777_216.0,
    268_435_456.0,
];
