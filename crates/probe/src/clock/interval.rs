//! Where an offset can lie, and what that says about a limit.

use std::fmt;
use std::time::Duration;

use super::stamp::{Nanos, SECOND, nanos};

/// The offsets that are possible, in nanoseconds, both ends among them. Positive: the server's clock is ahead of ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Interval {
    /// The least.
    pub(crate) low: Nanos,
    /// The greatest; not less than `low`.
    pub(crate) high: Nanos,
}

/// What is known about an offset and the greatest that is allowed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// Every possible offset is allowed.
    Within,
    /// No possible offset is allowed.
    Outside,
    /// Some are, some are not.
    Undecided,
}

impl Interval {
    /// The offset in the middle and the greatest error that it can have, in nanoseconds. Rounding is part of the error.
    pub(crate) fn middle(self) -> (Nanos, Nanos) {
        let middle = self.low + (self.high - self.low) / 2;
        (middle, self.high - middle)
    }

    /// How much is unknown, in nanoseconds.
    pub(crate) fn width(self) -> Nanos {
        self.high - self.low
    }

    /// Whether the offset is at most `max_skew` in either direction.
    pub(crate) fn verdict(self, max_skew: Duration) -> Verdict {
        let limit = nanos(max_skew);
        if -limit <= self.low && self.high <= limit {
            Verdict::Within
        } else if self.high < -limit || limit < self.low {
            Verdict::Outside
        } else {
            Verdict::Undecided
        }
    }
}

/// `+0.2 ms ± 0.9 ms`: in seconds or milliseconds by the size of the offset and its error. What is shown covers the whole interval:
/// the error is rounded up, and the offset's own rounding is added to it.
impl fmt::Display for Interval {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (middle, error) = self.middle();
        let size = middle.abs().max(error);
        let (unit, step, digits, name) = match size {
            SECOND.. => (SECOND, SECOND / 1000, 3, "s"),
            1_000_000.. => (SECOND / 1000, SECOND / 10_000, 1, "ms"),
            _ => (SECOND / 1000, SECOND / 1_000_000, 3, "ms"),
        };
        let steps = (middle + step / 2).div_euclid(step);
        let error = (error + (middle - steps * step).abs() + step - 1) / step;
        let scale = unit / step;
        let decimal = |steps: Nanos| format!("{}.{:0digits$}", steps / scale, steps % scale);
        let sign = if steps < 0 { '-' } else { '+' };
        write!(
            f,
            "{sign}{} {name} ± {} {name}",
            decimal(steps.abs()),
            decimal(error)
        )
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_verdict_needs_the_whole_interval() {
        let ms = |low: Nanos, high: Nanos| Interval {
            low: low * 1_000_000,
            high: high * 1_000_000,
        };
        for (interval, expected) in [
            (ms(-1, 1), Verdict::Within),
            (ms(-1000, 1000), Verdict::Within),
            (ms(-1000, 1001), Verdict::Undecided),
            (ms(600, 1200), Verdict::Undecided),
            (ms(1000, 1002), Verdict::Undecided),
            (ms(1001, 1002), Verdict::Outside),
            (ms(-1200, -600), Verdict::Undecided),
            (ms(-1002, -1001), Verdict::Outside),
            (ms(-5000, 5000), Verdict::Undecided),
        ] {
            assert_eq!(
                interval.verdict(Duration::from_secs(1)),
                expected,
                "{interval}"
            );
        }
        assert_eq!(ms(-1, 1).verdict(Duration::MAX), Verdict::Within);
        assert_eq!(ms(1, 1).verdict(Duration::ZERO), Verdict::Outside);
        assert_eq!(ms(0, 0).verdict(Duration::ZERO), Verdict::Within);
    }

    #[test]
    fn the_text_has_a_unit_that_suits() {
        for (low, high, text) in [
            (-700_000, 1_100_000, "+0.200 ms ± 0.900 ms"),
            (-800_000, 1_200_000, "+0.2 ms ± 1.0 ms"),
            (0, 0, "+0.000 ms ± 0.000 ms"),
            (-1, 0, "+0.000 ms ± 0.001 ms"),
            (
                3_600_000_000_000,
                3_600_000_000_001,
                "+3600.000 s ± 0.001 s",
            ),
            (-1_200_000_000, -600_000_000, "-900.0 ms ± 300.0 ms"),
            (-1_010_000_000, -1_010_000_000, "-1.010 s ± 0.000 s"),
        ] {
            assert_eq!(Interval { low, high }.to_string(), text);
        }
    }

    proptest! {
        #[test]
        fn the_text_covers_the_interval(low in -5_000_000_000_i128..5_000_000_000, width in prop_oneof![0..2_000_i128, 0..5_000_000_000_i128]) {
            let text = Interval { low, high: low + width }.to_string();
            let numbers: Vec<f64> = text.split([' ', '±']).filter_map(|word| word.parse().ok()).collect();
            let unit = if text.ends_with("ms") { 1e6 } else { 1e9 };
            prop_assert!((numbers[0] - numbers[1]) * unit <= low as f64 + 1e-3, "{}", text);
            prop_assert!((numbers[0] + numbers[1]) * unit >= (low + width) as f64 - 1e-3, "{}", text);
        }
    }
}
