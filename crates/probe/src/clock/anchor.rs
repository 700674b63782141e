//! Our own clock: read once, and counted on from there.

use std::time::{Instant, SystemTime};

use super::stamp::{Nanos, nanos};

/// How often the clock is read to find the reading that took the least time.
const READINGS: usize = 8;

/// What the clock of an operating system may leave out at the end of its reading, in nanoseconds: macOS shows microseconds.
const RESOLUTION: Nanos = 1_000;

/// How fast a clock may be adjusted without a step, in parts per million (RFC 5905, section 11.3: MAXFREQ).
const SLEW_PPM: Nanos = 500;

/// Differences that two readings can show with no step between them, in nanoseconds: a tick of either clock.
const NOISE: Nanos = 100_000;

/// The wall clock, read between two readings of the monotonic one.
#[derive(Debug, Clone, Copy)]
struct Reading {
    wall: Nanos,
    /// Not after `wall` was read.
    from: Instant,
    /// Not before it.
    to: Instant,
}

/// One reading of the wall clock, from which all later times are counted by the monotonic clock. So durations are right even when
/// somebody sets the wall clock, and that somebody did so can be seen.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Anchor(Reading);

impl Reading {
    /// The most exact of several: between the two readings of the monotonic clock the thread may lose its core.
    fn take() -> Self {
        let once = || {
            let from = Instant::now();
            let wall = since_epoch(SystemTime::now());
            Self {
                wall,
                from,
                to: Instant::now(),
            }
        };
        (1..READINGS).fold(once(), |best, _| {
            let next = once();
            if next.to - next.from < best.to - best.from {
                next
            } else {
                best
            }
        })
    }
}

impl Anchor {
    /// Reads the clock now.
    pub(crate) fn now() -> Self {
        Self(Reading::take())
    }

    /// The wall clock's time at an instant, not later than it was.
    pub(crate) fn not_after(&self, instant: Instant) -> Nanos {
        self.0.wall + between(self.0.to, instant)
    }

    /// The wall clock's time at an instant, not earlier than it was.
    pub(crate) fn not_before(&self, instant: Instant) -> Nanos {
        self.0.wall + RESOLUTION + between(self.0.from, instant)
    }

    /// By how many nanoseconds the wall clock has been set since; positive: forward. `None` when it went on as a clock does, which
    /// includes being slewed. The sleep of a machine whose monotonic clock sleeps too is a step.
    pub(crate) fn step(&self) -> Option<Nanos> {
        self.step_at(&Reading::take())
    }

    fn step_at(&self, now: &Reading) -> Option<Nanos> {
        let shown = now.wall - self.0.wall;
        let least = between(self.0.to, now.from);
        let most = between(self.0.from, now.to);
        let allowed = NOISE + most * SLEW_PPM / 1_000_000;
        if shown > most + allowed {
            Some(shown - most)
        } else if shown < least - allowed {
            Some(shown - least)
        } else {
            None
        }
    }
}

/// Nanoseconds from one instant to another, negative when the other is earlier.
fn between(from: Instant, to: Instant) -> Nanos {
    nanos(to.saturating_duration_since(from)) - nanos(from.saturating_duration_since(to))
}

fn since_epoch(time: SystemTime) -> Nanos {
    match time.duration_since(SystemTime::UNIX_EPOCH) {
        Ok(after) => nanos(after),
        Err(before) => -nanos(before.duration()),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::clock::stamp::SECOND;

    #[test]
    fn an_instant_lies_between_its_bounds() {
        let before = since_epoch(SystemTime::now());
        let anchor = Anchor::now();
        let instant = Instant::now();
        let after = since_epoch(SystemTime::now());
        assert!(anchor.not_after(instant) <= anchor.not_before(instant));
        assert!(anchor.not_after(instant) <= after + NOISE);
        assert!(anchor.not_before(instant) >= before - NOISE);
        let earlier = instant - Duration::from_secs(1);
        assert_eq!(
            anchor.not_after(instant) - anchor.not_after(earlier),
            SECOND
        );
    }

    #[test]
    fn times_before_1970_are_negative() {
        assert_eq!(
            since_epoch(SystemTime::UNIX_EPOCH - Duration::from_nanos(5)),
            -5
        );
    }

    #[test]
    fn a_clock_that_is_left_alone_has_no_step() {
        assert_eq!(Anchor::now().step(), None);
    }

    #[test]
    fn a_clock_that_is_set_has_a_step() {
        let start = Reading::take();
        let anchor = Anchor(start);
        // Ten seconds pass, and the wall clock shows `shown`.
        let later = |shown| Reading {
            wall: start.wall + shown,
            from: start.to + Duration::from_secs(10),
            to: start.to + Duration::from_secs(10),
        };
        let ms = 1_000_000;
        assert_eq!(anchor.step_at(&later(10 * SECOND)), None);
        // As NTP slews: 500 ppm of ten seconds.
        assert_eq!(anchor.step_at(&later(10 * SECOND + 5 * ms)), None);
        assert_eq!(anchor.step_at(&later(10 * SECOND - 5 * ms)), None);
        for by in [
            -3600 * SECOND,
            -SECOND,
            -6 * ms,
            6 * ms,
            SECOND,
            3600 * SECOND,
        ] {
            let step = anchor.step_at(&later(10 * SECOND + by)).unwrap();
            assert!((step - by).abs() < ms, "{by}: {step}");
        }
    }
}
