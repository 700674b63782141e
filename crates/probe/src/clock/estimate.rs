//! What several samples together say about the offset.

use std::fmt;
use std::time::Duration;

use super::interval::{Interval, Verdict};
use super::sample::Sample;
use super::stamp::{Nanos, SECOND};

/// The offset of a server's clock at the time of the first sample, and how far off that can be.
///
/// Each sample gives an interval in which the offset lies, so it lies in all of them, and another sample can only make smaller what
/// they have in common. The least delay gives the narrowest interval, which is why NTP's clock filter prefers it (RFC 5905, section
/// 10); the others count where they cut something off: delays that are long on different sides bound the offset from different sides.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Estimate {
    interval: Interval,
    delay: Nanos,
    /// How many samples made the interval what it is.
    pub(crate) used: usize,
    /// How many samples there were.
    pub(crate) taken: usize,
}

/// Why there is no offset that explains all samples.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Contradiction {
    /// Sent before received.
    #[error("the server's clock went back by {} s or more while it answered", seconds(*by))]
    Backward {
        /// By how much, in nanoseconds.
        by: Nanos,
    },
    /// More time passed on the server than here.
    #[error("the server's clock went forward by {} s or more while it answered", seconds(*by))]
    Forward {
        /// By how much, in nanoseconds.
        by: Nanos,
    },
    /// Two samples without a common offset.
    #[error(
        "the clock was off by {low} in one answer and by {high} in another: it was set or stood still, or several servers answer and their clocks differ"
    )]
    Disjoint {
        /// The sample with the lower offset.
        low: Interval,
        /// The sample with the higher offset.
        high: Interval,
    },
}

impl Estimate {
    /// What the samples have in common. `later` ones were sent after the first, in any order.
    ///
    /// # Errors
    /// When they have nothing in common.
    pub(crate) fn of(first: &Sample, later: &[Sample]) -> Result<Self, Contradiction> {
        let mut by_delay = vec![(first.delay(), first.interval(first.local_sent)?)];
        for sample in later {
            by_delay.push((sample.delay(), sample.interval(first.local_sent)?));
        }
        by_delay.sort_by_key(|&(delay, _)| delay);

        let (delay, narrowest) = by_delay[0];
        // The samples that allow no lower and no higher offset.
        let (mut lowest, mut highest) = (narrowest, narrowest);
        let mut used = 1;
        for &(_, interval) in &by_delay[1..] {
            let (raises, lowers) = (interval.low > lowest.low, interval.high < highest.high);
            used += usize::from(raises || lowers);
            if raises {
                lowest = interval;
            }
            if lowers {
                highest = interval;
            }
        }
        if lowest.low > highest.high {
            return Err(Contradiction::Disjoint {
                low: highest,
                high: lowest,
            });
        }
        Ok(Self {
            interval: Interval {
                low: lowest.low,
                high: highest.high,
            },
            delay,
            used,
            taken: by_delay.len(),
        })
    }

    /// Where the offset lies.
    pub(crate) fn interval(&self) -> Interval {
        self.interval
    }

    /// The most that is known about the offset, in seconds. Positive: the server's clock is ahead.
    pub(crate) fn offset_s(&self) -> f64 {
        in_seconds(self.interval.middle().0)
    }

    /// The greatest error of [`offset_s`](Self::offset_s), in seconds.
    pub(crate) fn bound_s(&self) -> f64 {
        in_seconds(self.interval.middle().1)
    }

    /// The shortest time on the way, there and back, in seconds.
    pub(crate) fn delay_s(&self) -> f64 {
        in_seconds(self.delay)
    }

    /// The shortest time on the way, there and back, in nanoseconds.
    pub(super) fn delay(&self) -> Nanos {
        self.delay
    }

    /// Whether the offset is at most `max_skew` in either direction.
    pub(crate) fn verdict(&self, max_skew: Duration) -> Verdict {
        self.interval.verdict(max_skew)
    }
}

/// `+0.2 ms ± 0.9 ms`
impl fmt::Display for Estimate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.interval.fmt(f)
    }
}

impl Contradiction {
    /// [`Verdict::Outside`] when one of the clocks that answered is off by more than `max_skew`, whichever it is.
    pub(crate) fn verdict(&self, max_skew: Duration) -> Verdict {
        let Self::Disjoint { low, high } = self else {
            return Verdict::Undecided;
        };
        let outside = [low, high]
            .iter()
            .any(|interval| interval.verdict(max_skew) == Verdict::Outside);
        if outside {
            Verdict::Outside
        } else {
            Verdict::Undecided
        }
    }
}

fn in_seconds(nanos: Nanos) -> f64 {
    nanos as f64 / SECOND as f64
}

fn seconds(nanos: Nanos) -> String {
    format!("{:.6}", in_seconds(nanos))
}

#[cfg(test)]
mod properties;
#[cfg(test)]
mod simulation;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::stamp::Stamp;

    const MS: Nanos = 1_000_000;

    /// A sample of a server whose clock is `offset` ahead, reached in `there` and left in `back`; all in milliseconds.
    fn sample(sent: Nanos, offset: Nanos, there: Nanos, back: Nanos) -> Sample {
        let stamp = Stamp {
            at: (sent + there + offset) * MS,
            resolution: 1,
        };
        Sample {
            local_sent: sent * MS,
            local_received: (sent + there + back) * MS,
            received: stamp,
            transmitted: stamp,
        }
    }

    #[test]
    fn delays_on_different_sides_cut_the_interval() {
        let samples = [
            sample(0, 50, 400, 10),
            sample(1_000, 50, 5, 300),
            sample(2_000, 50, 900, 900),
        ];
        let estimate = Estimate::of(&samples[0], &samples[1..]).unwrap();
        assert_eq!((estimate.used, estimate.taken), (2, 3));
        assert!((estimate.delay_s() - 0.305).abs() < 1e-9);
        assert!((estimate.offset_s() - 0.0475).abs() < 1e-3, "{estimate}");
        assert!((estimate.bound_s() - 0.0075).abs() < 1e-3, "{estimate}");
    }

    #[test]
    fn two_clocks_behind_one_name_contradict_each_other() {
        let contradiction = Estimate::of(
            &sample(0, 0, 5, 5),
            &[sample(20, 5_000, 5, 5), sample(40, 0, 5, 5)],
        )
        .unwrap_err();
        assert_eq!(
            contradiction.to_string(),
            "the clock was off by +0.0 ms ± 5.1 ms in one answer and by +5.000 s ± 0.006 s in another: \
             it was set or stood still, or several servers answer and their clocks differ"
        );
        assert_eq!(
            contradiction.verdict(Duration::from_secs(1)),
            Verdict::Outside
        );
        assert_eq!(
            contradiction.verdict(Duration::from_secs(6)),
            Verdict::Undecided
        );
    }

    #[test]
    fn the_verdict_matrix() {
        use Verdict::{Outside, Undecided, Within};
        // There and back in milliseconds. The offset is at most `back` less and at most `there` more than the true one.
        let delays = [(1, 1), (0, 4), (4, 0), (200, 200), (0, 400), (400, 0)];
        for (offset, verdicts) in [
            (0, [Within; 6]),
            (500, [Within; 6]),
            (-500, [Within; 6]),
            (990, [Within, Within, Within, Undecided, Within, Undecided]),
            (-990, [Within, Within, Within, Undecided, Undecided, Within]),
            (
                1_010,
                [Outside, Outside, Outside, Undecided, Undecided, Outside],
            ),
            (
                -1_010,
                [Outside, Outside, Outside, Undecided, Outside, Undecided],
            ),
            (3_600_000, [Outside; 6]),
            (-3_600_000, [Outside; 6]),
        ] {
            for ((there, back), expected) in delays.into_iter().zip(verdicts) {
                let samples: Vec<Sample> = (0..8)
                    .map(|k| sample(k * 1_000, offset, there, back))
                    .collect();
                let estimate = Estimate::of(&samples[0], &samples[1..]).unwrap();
                let verdict = estimate.verdict(Duration::from_secs(1));
                assert_eq!(
                    verdict, expected,
                    "{offset} ms, {there} there, {back} back: {estimate}"
                );
            }
        }
    }

    #[test]
    fn nine_tenths_give_or_take_three_are_undecided() {
        let estimate = Estimate::of(&sample(0, 900, 300, 300), &[]).unwrap();
        assert_eq!(estimate.to_string(), "+900.0 ms ± 300.1 ms");
        assert_eq!(estimate.verdict(Duration::from_secs(1)), Verdict::Undecided);
    }
}
