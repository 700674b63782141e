//! One reading of a clock, and how exact it can be.

use std::time::Duration;

use jiff::civil::{Date, Time};
use jiff::tz::Offset;

/// Nanoseconds since 1970-01-01T00:00:00Z on the POSIX scale, or between two such times. Wide enough that no arithmetic on the
/// times that a server can claim overflows.
pub(crate) type Nanos = i128;

/// One second in [`Nanos`].
pub(crate) const SECOND: Nanos = 1_000_000_000;

/// Nanoseconds of a duration: fewer than 2⁹⁴.
pub(super) fn nanos(duration: Duration) -> Nanos {
    Nanos::try_from(duration.as_nanos()).unwrap_or(Nanos::MAX)
}

/// The duration of so many nanoseconds: none for a negative number, and five centuries for more than that.
pub(super) fn duration(nanos: Nanos) -> Duration {
    Duration::from_nanos(u64::try_from(nanos.max(0)).unwrap_or(u64::MAX))
}

/// What a clock showed when it was read: the time was at least `at` and at most `at + resolution`, because clocks cut off
/// what they do not show.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Stamp {
    /// The earliest that it can have been.
    pub(crate) at: Nanos,
    /// How much later it can have been, in nanoseconds.
    pub(crate) resolution: Nanos,
}

/// A calendar time as it was written, which need not exist.
#[derive(Debug, Clone, Copy)]
pub(super) struct Written {
    pub(super) year: i16,
    pub(super) month: i8,
    pub(super) day: i8,
    pub(super) hour: i8,
    pub(super) minute: i8,
    /// 60 in a leap second.
    pub(super) second: i8,
    pub(super) nanosecond: i32,
    /// East of Greenwich, in seconds.
    pub(super) offset: i32,
}

impl Stamp {
    /// A stamp whose resolution, at most a second, is what its digits show: trailing zeros may come from a clock that has nothing
    /// finer, or from a writer that leaves them out. That makes one stamp of ten of an exact clock vaguer by 10 ns, and none more
    /// exact than it is. A clock whose tick is no power of ten can be behind by that tick, which nothing in its answers shows.
    pub(crate) fn from_nanos(at: Nanos) -> Self {
        let mut resolution = 1;
        while resolution < SECOND && at % (resolution * 10) == 0 {
            resolution *= 10;
        }
        Self { at, resolution }
    }

    /// The latest that it can have been.
    pub(crate) fn latest(self) -> Nanos {
        self.at + self.resolution
    }
}

impl Written {
    /// The time in UTC; `None` when there is no such time.
    ///
    /// A leap second has no POSIX time of its own: clocks repeat 23:59:59, go on to 00:00:00, or are slowed down around it.
    /// So it may be any time from the one to the other.
    pub(super) fn stamp(self) -> Option<Stamp> {
        let leap = self.second == 60;
        let second = if leap { 59 } else { self.second };
        let date = Date::new(self.year, self.month, self.day).ok()?;
        let time = Time::new(self.hour, self.minute, second, self.nanosecond).ok()?;
        let offset = Offset::from_seconds(self.offset).ok()?;
        let utc = offset.to_timestamp(date.to_datetime(time)).ok()?;
        let mut stamp = Stamp::from_nanos(utc.as_nanosecond());
        if leap {
            let next = Offset::UTC.to_datetime(utc).date().tomorrow().ok()?;
            let of_day = stamp.at.rem_euclid(86_400 * SECOND) / SECOND;
            // ITU-R TF.460: leap seconds are the last of a month, in UTC.
            if of_day != 86_399 || next.day() != 1 {
                return None;
            }
            stamp.resolution += SECOND;
        }
        Some(stamp)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn trailing_zeros_are_no_exactness() {
        for (at, resolution) in [
            (1_767_323_045_000_000_007, 1),
            (1_767_323_045_000_000_120, 10),
            (1_767_323_045_123_000_000, 1_000_000),
            (1_767_323_045_000_000_000, SECOND),
            (1_767_323_040_000_000_000, SECOND),
            (0, SECOND),
            (-1, 1),
            (-10, 10),
        ] {
            assert_eq!(Stamp::from_nanos(at).resolution, resolution, "{at}");
        }
    }
}
