//! When to ask a coarse clock next.
//!
//! A clock that shows whole seconds says most just when it goes on to the next one. If the request arrives when the clock would go on
//! provided that its offset is the middle of what is possible, then the answer tells which half the offset is in. So each answer
//! halves what is unknown, down to the delay.

use std::time::Duration;

use super::estimate::Estimate;
use super::stamp::{Nanos, SECOND, duration};

/// How late a timer can be, in nanoseconds.
const TIMER: Nanos = 2_000_000;

/// When the next question should be sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Next {
    /// At once: the clock is finer than the delay, so that no moment is better than another.
    Now,
    /// After a pause.
    In(Duration),
    /// Never: another answer would say next to nothing.
    Enough,
}

/// Places the next question to a clock that goes on every `tick` nanoseconds. `now` is our own clock.
pub(super) fn next(now: Nanos, estimate: &Estimate, tick: Nanos) -> Next {
    let delay = estimate.delay();
    // What makes a stamp vaguer than a second, such as a leap second, is no tick.
    let tick = tick.min(SECOND);
    if tick <= delay {
        return Next::Now;
    }
    let interval = estimate.interval();
    if interval.width() <= delay + delay / 4 + TIMER.min(tick) {
        return Next::Enough;
    }
    let (middle, _) = interval.middle();
    let arrival = now + delay / 2 + middle;
    Next::In(duration((-arrival).rem_euclid(tick)))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::clock::sample::Sample;
    use crate::clock::stamp::{Stamp, nanos};

    const MS: Nanos = 1_000_000;

    /// Asks a clock of whole ticks until there is nothing more to learn. Gives the estimate after each answer.
    fn ask(offset: Nanos, tick: Nanos, start: Nanos, there: Nanos, back: Nanos) -> Vec<Estimate> {
        let mut samples = Vec::new();
        let mut estimates: Vec<Estimate> = Vec::new();
        let mut now = start;
        while samples.len() < 40 {
            match estimates.last().map(|estimate| next(now, estimate, tick)) {
                None | Some(Next::Now) => {}
                Some(Next::In(pause)) => now += nanos(pause),
                Some(Next::Enough) => break,
            }
            let shown = (now + there + offset).div_euclid(tick) * tick;
            let stamp = Stamp {
                at: shown,
                resolution: tick,
            };
            samples.push(Sample {
                local_sent: now,
                local_received: now + there + back,
                received: stamp,
                transmitted: stamp,
            });
            now += there + back;
            estimates.push(Estimate::of(&samples[0], &samples[1..]).unwrap());
        }
        estimates
    }

    #[test]
    fn a_clock_of_whole_seconds_is_known_to_milliseconds_after_ten_answers() {
        let estimates = ask(737 * MS, SECOND, 123_456_789, MS, MS);
        assert!(estimates.len() <= 10, "{}", estimates.len());
        let last = estimates[estimates.len() - 1];
        assert!(last.bound_s() < 0.003, "{last}");
        assert!((last.offset_s() - 0.737).abs() <= last.bound_s());
    }

    #[test]
    fn a_clock_finer_than_the_delay_is_asked_at_once() {
        let sample = Sample {
            local_sent: 0,
            local_received: 10 * MS,
            received: Stamp {
                at: 5 * MS,
                resolution: MS,
            },
            transmitted: Stamp {
                at: 5 * MS,
                resolution: MS,
            },
        };
        let estimate = Estimate::of(&sample, &[]).unwrap();
        assert_eq!(next(10 * MS, &estimate, MS), Next::Now);
    }

    proptest! {
        #[test]
        fn each_answer_halves_what_is_unknown(offset in -5 * SECOND..5 * SECOND, start in 0..SECOND, there in 0..100 * MS, back in 0..100 * MS) {
            let estimates = ask(offset, SECOND, start, there, back);
            let width = |estimate: &Estimate| estimate.interval().width();
            for pair in estimates.windows(2) {
                // Half of the delay stays, whichever half the offset is in; and the clocks drift meanwhile.
                let most = width(&pair[0]) / 2 + (there + back) / 2 + MS;
                prop_assert!(width(&pair[1]) <= most, "{} after {}", pair[1], pair[0]);
            }
            prop_assert!(estimates.len() < 40);
        }
    }
}
