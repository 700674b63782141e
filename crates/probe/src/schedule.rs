//! When the next check of `--interval` is due.

use std::time::Duration;

/// Checks of many machines that started together drift apart by up to this share of the interval.
pub(crate) const JITTER: f64 = 0.1;

/// Points in time at whole intervals from the first check, each moved by its own jitter: over a day there are as many checks as
/// intervals, whatever a check takes.
#[derive(Debug)]
pub(crate) struct Schedule {
    interval: Duration,
    /// Intervals from the first check to the one that is due next.
    next: u32,
}

impl Schedule {
    /// A schedule whose first check is done now.
    pub(crate) fn every(interval: Duration) -> Self {
        Self { interval, next: 1 }
    }

    /// The time from the first check to the next, when `elapsed` of it has passed. `jitter` is from -1 to 1. What was missed by a
    /// check that took longer than the interval is left out, not made up for.
    pub(crate) fn next(&mut self, elapsed: Duration, jitter: f64) -> Duration {
        let moved = |turn: u32| {
            let due = self.interval.as_secs_f64() * (f64::from(turn) + jitter * JITTER);
            Duration::try_from_secs_f64(due).unwrap_or(Duration::MAX)
        };
        let mut turn = self.next;
        if moved(turn) < elapsed {
            let passed = elapsed.as_nanos() / self.interval.as_nanos().max(1);
            turn = turn.max(u32::try_from(passed).unwrap_or(u32::MAX - 2));
            // Within the interval that has begun, or in the one after it.
            while moved(turn) < elapsed && turn < u32::MAX - 1 {
                turn += 1;
            }
        }
        self.next = turn.saturating_add(1);
        moved(turn)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn jitter_moves_a_check_and_not_the_schedule() {
        let mut schedule = Schedule::every(Duration::from_secs(10));
        let second = Duration::from_secs;
        assert_eq!(schedule.next(second(1), 1.0), second(11));
        assert_eq!(schedule.next(second(12), -1.0), second(19));
        assert_eq!(schedule.next(second(20), 0.0), second(30));
    }

    #[test]
    fn what_a_slow_check_missed_is_left_out() {
        let mut schedule = Schedule::every(Duration::from_secs(10));
        let second = Duration::from_secs;
        assert_eq!(schedule.next(second(35), 0.0), second(40));
        assert_eq!(schedule.next(second(41), 0.0), second(50));
        // Due at 60 less its jitter, which has just passed.
        assert_eq!(
            schedule.next(Duration::from_millis(59_500), -1.0),
            second(69)
        );
    }

    proptest! {
        #[test]
        fn the_next_check_is_never_in_the_past_nor_far_away(
            interval in 1_u64..1_000_000,
            steps in prop::collection::vec((0_u64..5_000_000, -1.0_f64..=1.0), 1..50),
        ) {
            let interval = Duration::from_millis(interval);
            let mut schedule = Schedule::every(interval);
            let mut elapsed = Duration::ZERO;
            for (took, jitter) in steps {
                elapsed += Duration::from_millis(took);
                let due = schedule.next(elapsed, jitter);
                prop_assert!(due >= elapsed);
                prop_assert!(due - elapsed <= interval.mul_f64(2.3));
                elapsed = due;
            }
        }
    }
}
