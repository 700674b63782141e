//! Points in time as text.

use std::time::{Duration, SystemTime};

use jiff::Timestamp;

/// RFC 3339 in UTC. What lies beyond the years that it can write becomes the nearest it can.
pub(crate) fn utc(time: SystemTime) -> String {
    let before = time < SystemTime::UNIX_EPOCH;
    let nearest = if before {
        Timestamp::MIN
    } else {
        Timestamp::MAX
    };
    Timestamp::try_from(time).unwrap_or(nearest).to_string()
}

/// Seconds since 1970-01-01T00:00:00Z, with its fraction.
pub(crate) fn unix_seconds(time: SystemTime) -> f64 {
    seconds_between(SystemTime::UNIX_EPOCH, time)
}

/// Seconds from `from` to `to`: negative when `to` comes first.
pub(crate) fn seconds_between(from: SystemTime, to: SystemTime) -> f64 {
    to.duration_since(from).map_or_else(
        |earlier| -earlier.duration().as_secs_f64(),
        |later: Duration| later.as_secs_f64(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_sides_of_the_epoch() {
        let day = Duration::from_secs(86_400);
        let before = SystemTime::UNIX_EPOCH - day;
        assert_eq!(utc(before), "1969-12-31T00:00:00Z");
        assert!((unix_seconds(before) + 86_400.0).abs() < 1e-9);
        assert!((seconds_between(before, before + day) - 86_400.0).abs() < 1e-9);
    }
}
