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
mod source;

mod anchor;

mod estimate;
mod interval;
mod sample;

mod http_date;
mod rfc3339;
mod stamp;

mod error;

pub(crate) use error::ClockError;
pub(crate) use interval::Verdict;
pub(crate) use measure::{Measurement, Plan, measure};
pub(crate) use source::Source;
