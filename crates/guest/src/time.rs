//! Times as text and numbers.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Nanoseconds since 1970-01-01T00:00:00Z; 0 before.
pub fn unix_nanos(time: SystemTime) -> u64 {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO);
    u64::try_from(since.as_nanos()).unwrap_or(u64::MAX)
}

/// UTC in RFC 3339 with nanoseconds, `2026-01-02T03:04:05.123456789Z`.
pub fn rfc3339(time: SystemTime) -> String {
    match jiff::Timestamp::try_from(time) {
        Ok(timestamp) => format!("{timestamp:.9}"),
        Err(_) => "9999-12-31T23:59:59.999999999Z".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nanoseconds_are_always_nine_digits() {
        let time = UNIX_EPOCH + Duration::new(1_767_323_045, 120);
        assert_eq!(rfc3339(time), "2026-01-02T03:04:05.000000120Z");
        assert_eq!(rfc3339(UNIX_EPOCH), "1970-01-01T00:00:00.000000000Z");
        assert_eq!(unix_nanos(time), 1_767_323_045_000_000_120);
    }
}
