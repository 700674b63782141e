//! Times for people.

use std::time::Duration;

/// Seconds below one minute in milliseconds or seconds, longer times in the largest unit of which there are two.
pub(crate) fn duration(time: Duration) -> String {
    match time.as_secs() {
        0..120 => seconds(time.as_secs_f64()),
        whole @ 120..7_200 => format!("{} min", whole / 60),
        whole @ 7_200..172_800 => format!("{} h", whole / 3_600),
        whole => format!("{} days", whole / 86_400),
    }
}

/// A number of seconds: `0.043 ms`, `3.1 ms`, `1.25 s`, `3600 s`.
pub(crate) fn seconds(value: f64) -> String {
    let size = value.abs();
    // What is rounded to a whole second is shown as one.
    if size >= 0.999_95 {
        let decimals = if size < 60.0 { 3 } else { 1 };
        format!("{} s", trimmed(value, decimals))
    } else {
        let decimals = if size < 0.001 { 3 } else { 1 };
        format!("{} ms", trimmed(value * 1e3, decimals))
    }
}

/// Without zeros at the end, and without the sign of what was rounded to zero.
fn trimmed(value: f64, decimals: usize) -> String {
    let text = format!("{value:.decimals$}");
    let text = if text.contains('.') {
        text.trim_end_matches('0').trim_end_matches('.')
    } else {
        &text
    };
    if text == "-0" { "0" } else { text }.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_unit_fits_the_size() {
        for (value, text) in [
            (0.0, "0 ms"),
            (0.000_043_2, "0.043 ms"),
            (0.003_1, "3.1 ms"),
            (-0.25, "-250 ms"),
            (0.999_99, "1 s"),
            (1.25, "1.25 s"),
            (-3600.0, "-3600 s"),
            (-1e-9, "0 ms"),
        ] {
            assert_eq!(seconds(value), text);
        }
    }

    #[test]
    fn long_times_are_rounded_down() {
        let shown = |seconds| duration(Duration::from_secs(seconds));
        assert_eq!(shown(119), "119 s");
        assert_eq!(shown(3_599), "59 min");
        assert_eq!(shown(86_400), "24 h");
        assert_eq!(shown(14 * 86_400 - 1), "13 days");
    }
}
