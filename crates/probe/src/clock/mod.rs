//! Is the server's clock right, as far as that can be known from here?
//!
//! - [`measure`](measure()) asks until enough is known; `placement` is when, [`source`] is for what; `reading` is what an answer says.
//! - [`anchor`]: our own clock.
//! - [`sample`]: one exchange and the offsets that explain it; [`interval`] is where an offset can lie; [`estimate`] is what
//!   several samples together say.
//! - [`stamp`]: one reading of a clock and what it leaves open; [`rfc3339`] and [`http_date`] read it from text.
//!
//! The sign is always that of RFC 5905: positive when the server's clock is ahead of ours.

mod measure;
mod placement;
mod reading;
pub mod source;

pub mod anchor;

pub mod estimate;
pub mod interval;
pub mod sample;

pub mod http_date;
pub mod rfc3339;
pub mod stamp;

pub mod error;

pub use anchor::Anchor;
pub use error::ClockError;
pub use estimate::{Contradiction, Estimate};
pub use interval::{Interval, Verdict};
pub use measure::{Measurement, Plan, measure};
pub use sample::Sample;
pub use source::Source;
pub use stamp::{Nanos, Stamp};
