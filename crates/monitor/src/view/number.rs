//! Numbers for people: short, of a width that hardly changes, and never rounded to what they are not.

use std::time::Duration;

const MINUTE: u64 = 60;
const HOUR: u64 = 60 * MINUTE;
const DAY: u64 = 24 * HOUR;

/// At most six columns: `850 µs`, `3.1 ms`, `314 ms`, `1.23 s`, `2m 05s`.
pub(super) fn duration(duration: Duration) -> String {
    let seconds = duration.as_secs_f64();
    // The limits are where the rounded number would need another digit.
    if seconds < 0.000_999_5 {
        format!("{:.0} µs", seconds * 1e6)
    } else if seconds < 0.009_95 {
        format!("{:.1} ms", seconds * 1e3)
    } else if seconds < 0.999_5 {
        format!("{:.0} ms", seconds * 1e3)
    } else if seconds < 9.995 {
        format!("{seconds:.2} s")
    } else if seconds < 59.95 {
        format!("{seconds:.1} s")
    } else {
        age(duration)
    }
}

/// A span of time to the second: `5s`, `2m 05s`, `1h 02m`, `3d 04h`.
pub(super) fn age(duration: Duration) -> String {
    let seconds = duration.as_secs();
    match seconds {
        0..MINUTE => format!("{seconds}s"),
        MINUTE..HOUR => format!("{}m {:02}s", seconds / MINUTE, seconds % MINUTE),
        HOUR..DAY => format!("{}h {:02}m", seconds / HOUR, seconds % HOUR / MINUTE),
        DAY.. => format!("{}d {:02}h", seconds / DAY, seconds % DAY / HOUR),
    }
}

/// A clock that counts up: `0:00:05`, `26:02:03`.
pub(super) fn clock(duration: Duration) -> String {
    let seconds = duration.as_secs();
    format!(
        "{}:{:02}:{:02}",
        seconds / HOUR,
        seconds % HOUR / MINUTE,
        seconds % MINUTE
    )
}

/// A share from 0 to 1 in percent, at most six columns. Only nothing is `0 %` and only everything `100 %`.
pub(super) fn share(share: f64) -> String {
    let percent = share * 100.0;
    if percent <= 0.0 {
        "0 %".to_owned()
    } else if percent < 0.1 {
        "<0.1 %".to_owned()
    } else if percent < 9.95 {
        format!("{percent:.1} %")
    } else if percent < 99.5 {
        format!("{percent:.0} %")
    } else if percent < 100.0 {
        ">99 %".to_owned()
    } else {
        "100 %".to_owned()
    }
}

/// Events a second, at most six columns.
pub(super) fn rate(per_second: f64) -> String {
    if per_second <= 0.0 {
        "0/s".to_owned()
    } else if per_second < 0.995 {
        format!("{per_second:.2}/s")
    } else if per_second < 9.95 {
        format!("{per_second:.1}/s")
    } else if per_second < 999.5 {
        format!("{per_second:.0}/s")
    } else {
        format!("{:.1}k/s", per_second / 1e3)
    }
}

/// A count with its thousands apart: `12,345`.
pub(super) fn count(count: u64) -> String {
    let digits = count.to_string();
    let mut grouped = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

/// A count in at most six columns: `12,345`, `123k`.
pub(super) fn short_count(number: u64) -> String {
    match number {
        0..100_000 => count(number),
        100_000..1_000_000 => format!("{}k", number / 1_000),
        1_000_000.. => format!("{}M", number / 1_000_000),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{age, clock, count, duration, rate, share, short_count};

    #[test]
    fn durations_have_at_most_six_columns_up_to_a_day() {
        for (seconds, expected) in [
            (0.0, "0 µs"),
            (0.000_85, "850 µs"),
            (0.000_999_6, "1.0 ms"),
            (0.003_14, "3.1 ms"),
            (0.009_96, "10 ms"),
            (0.314, "314 ms"),
            (0.999_6, "1.00 s"),
            (1.234, "1.23 s"),
            (9.996, "10.0 s"),
            (12.34, "12.3 s"),
            (59.96, "59s"),
            (125.0, "2m 05s"),
            (3725.0, "1h 02m"),
        ] {
            let text = duration(Duration::from_secs_f64(seconds));
            assert_eq!(text, expected);
            assert!(text.chars().count() <= 6, "{text}");
        }
    }

    #[test]
    fn spans_of_time() {
        assert_eq!(age(Duration::from_millis(5900)), "5s");
        assert_eq!(age(Duration::from_secs(3 * 86_400 + 4 * 3600)), "3d 04h");
        assert_eq!(clock(Duration::from_secs(26 * 3600 + 123)), "26:02:03");
    }

    #[test]
    fn a_share_is_never_rounded_to_all_or_nothing() {
        for (part, expected) in [
            (0.0, "0 %"),
            (0.000_01, "<0.1 %"),
            (0.004, "0.4 %"),
            (0.0996, "10 %"),
            (0.5, "50 %"),
            (0.999, ">99 %"),
            (1.0, "100 %"),
        ] {
            assert_eq!(share(part), expected);
        }
    }

    #[test]
    fn rates_and_counts() {
        for (per_second, expected) in [
            (0.0, "0/s"),
            (0.0667, "0.07/s"),
            (0.999, "1.0/s"),
            (9.96, "10/s"),
            (250.4, "250/s"),
            (1234.0, "1.2k/s"),
        ] {
            assert_eq!(rate(per_second), expected);
        }
        assert_eq!(
            [count(0), count(999), count(1000), count(1_234_567)],
            ["0", "999", "1,000", "1,234,567"]
        );
        assert_eq!(
            [
                short_count(99_999),
                short_count(123_456),
                short_count(12_345_678)
            ],
            ["99,999", "123k", "12M"]
        );
    }
}
