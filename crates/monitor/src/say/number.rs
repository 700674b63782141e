//! Numbers for people: short, of a width that hardly changes, and never rounded to what they are not.

/// `850 µs`, `3.1 ms`, `314 ms`, `1.23 s`, `12.3 s`.
pub(super) fn duration(seconds: f64) -> String {
    // The limits are where the rounded number would need another digit.
    if seconds < 0.000_999_5 {
        format!("{:.0} µs", seconds * 1e6)
    } else if seconds < 0.009_95 {
        format!("{:.1} ms", seconds * 1e3)
    } else if seconds < 0.999_5 {
        format!("{:.0} ms", seconds * 1e3)
    } else if seconds < 9.995 {
        format!("{seconds:.2} s")
    } else {
        format!("{seconds:.1} s")
    }
}

/// A clock that counts up: `0:00:05`, `26:02:03`.
pub(super) fn clock(seconds: f64) -> String {
    let seconds = seconds as u64;
    let (minutes, hours) = (seconds / 60 % 60, seconds / 3600);
    format!("{hours}:{minutes:02}:{:02}", seconds % 60)
}

/// A share from 0 to 1 in percent. Only nothing is `0 %` and only everything `100 %`.
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

/// Events a second.
pub(super) fn rate(per_second: f64) -> String {
    if per_second <= 0.0 {
        "0/s".to_owned()
    } else if per_second < 0.995 {
        format!("{per_second:.2}/s")
    } else if per_second < 9.95 {
        format!("{per_second:.1}/s")
    } else {
        format!("{per_second:.0}/s")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_short_and_never_another_unit() {
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
            (125.0, "125.0 s"),
        ] {
            assert_eq!(duration(seconds), expected);
        }
        assert_eq!(clock(26.0 * 3600.0 + 123.9), "26:02:03");
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
    fn rates_keep_two_digits() {
        for (per_second, expected) in [
            (0.0, "0/s"),
            (0.0667, "0.07/s"),
            (0.999, "1.0/s"),
            (9.96, "10/s"),
            (250.4, "250/s"),
        ] {
            assert_eq!(rate(per_second), expected);
        }
    }
}
