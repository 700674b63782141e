//! When requests start: at `start + k · interval`, whatever the requests before took.

use std::time::Duration;

use tokio::time::{Instant, sleep_until};

/// The ticks of one target.
///
/// Each is computed from the start, so that no delay adds up. A tick that falls while the target is busy is not made up for: the
/// server would get a burst just when it is slow, and the answers' times would be those of the burst.
#[derive(Debug)]
pub(crate) struct Schedule {
    start: Instant,
    interval: Duration,
    /// The index of the next tick.
    next: u64,
}

impl Schedule {
    /// The schedule of the target `index` of `count`, begun at `start`. The first ticks at once, the others follow in equal parts of the
    /// interval, so that many targets are no burst either.
    pub(crate) fn new(start: Instant, interval: Duration, (index, count): (usize, usize)) -> Self {
        let part = index as f64 / count.max(1) as f64;
        Self {
            start: start + interval.mul_f64(part),
            interval,
            next: 0,
        }
    }

    /// Waits for the next tick that has not passed yet, and says how many have passed since the last one. Nothing is lost when the future
    /// is dropped before its end.
    pub(crate) async fn tick(&mut self) -> u64 {
        let due = match self.next {
            // Nothing was under way, so the first tick is not missed by what the start itself takes.
            0 => 0,
            next => next.max(self.first_from(Instant::now())),
        };
        sleep_until(self.at(due)).await;
        // The process may have been stopped in its sleep, or starved: of the ticks that are due the last is taken.
        let taken = due.max(self.last_until(Instant::now()));
        let missed = taken - self.next;
        self.next = taken + 1;
        missed
    }

    /// When the next tick is, as long as none is missed.
    pub(crate) fn next_at(&self) -> Instant {
        self.at(self.next)
    }

    fn at(&self, tick: u64) -> Instant {
        let nanos = self.interval.as_nanos().saturating_mul(u128::from(tick));
        // Past the end of time there is no tick, so a century will do.
        let offset = u64::try_from(nanos).map_or(
            Duration::from_secs(100 * 365 * 86_400),
            Duration::from_nanos,
        );
        self.start + offset
    }

    /// The index of the first tick that is not before `now`.
    fn first_from(&self, now: Instant) -> u64 {
        let since = now.saturating_duration_since(self.start).as_nanos();
        u64::try_from(since.div_ceil(self.interval.as_nanos().max(1))).unwrap_or(u64::MAX)
    }

    /// The index of the last tick that is not after `now`.
    fn last_until(&self, now: Instant) -> u64 {
        let since = now.saturating_duration_since(self.start).as_nanos();
        u64::try_from(since / self.interval.as_nanos().max(1)).unwrap_or(u64::MAX)
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::{advance, sleep};

    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn millis(start: Instant) -> u128 {
        start.elapsed().as_millis()
    }

    #[tokio::test(start_paused = true)]
    async fn what_requests_take_does_not_add_up() {
        let start = Instant::now();
        let mut schedule = Schedule::new(start, SECOND, (0, 1));
        for tick in 0..1000 {
            assert_eq!(schedule.tick().await, 0);
            assert_eq!(millis(start), tick * 1000);
            sleep(Duration::from_millis(317)).await;
        }
    }

    #[tokio::test(start_paused = true)]
    async fn ticks_during_a_slow_request_are_counted_and_not_made_up_for() {
        let start = Instant::now();
        let mut schedule = Schedule::new(start, SECOND, (0, 1));
        schedule.tick().await;
        sleep(Duration::from_millis(3500)).await;
        assert_eq!(schedule.tick().await, 3);
        assert_eq!(millis(start), 4000);
        assert_eq!(schedule.tick().await, 0);
        assert_eq!(millis(start), 5000);
    }

    #[tokio::test(start_paused = true)]
    async fn a_request_that_ends_with_a_tick_does_not_miss_it() {
        let start = Instant::now();
        let mut schedule = Schedule::new(start, SECOND, (0, 1));
        schedule.tick().await;
        sleep(2 * SECOND).await;
        assert_eq!(schedule.tick().await, 1);
        assert_eq!(millis(start), 2000);
    }

    #[tokio::test(start_paused = true)]
    async fn a_machine_that_was_asleep_goes_on_without_a_burst() {
        let start = Instant::now();
        let mut schedule = Schedule::new(start, SECOND, (0, 1));
        schedule.tick().await;
        let mut tick = Box::pin(schedule.tick());
        assert!(one_look(&mut tick).await.is_none());
        advance(Duration::from_millis(10_400)).await;
        assert_eq!(tick.await, 9);
        assert_eq!(schedule.tick().await, 0);
        assert_eq!(millis(start), 11_000);
    }

    /// One look at a future.
    async fn one_look<F: Future + Unpin>(future: &mut F) -> Option<F::Output> {
        tokio::select! {
            biased;
            output = future => Some(output),
            () = std::future::ready(()) => None,
        }
    }

    #[tokio::test(start_paused = true)]
    async fn the_first_tick_is_at_once_even_if_the_start_takes_a_moment() {
        let start = Instant::now();
        let mut schedule = Schedule::new(start, SECOND, (0, 1));
        advance(Duration::from_millis(20)).await;
        assert_eq!(schedule.tick().await, 0);
        assert_eq!(millis(start), 20);
        schedule.tick().await;
        assert_eq!(millis(start), 1000);
    }

    #[tokio::test(start_paused = true)]
    async fn targets_are_spread_over_the_interval() {
        let start = Instant::now();
        let firsts = (0..4).map(|index| Schedule::new(start, SECOND, (index, 4)).next_at() - start);
        let firsts: Vec<_> = firsts.map(|first| first.as_millis()).collect();
        assert_eq!(firsts, [0, 250, 500, 750]);
    }

    #[tokio::test(start_paused = true)]
    async fn an_abandoned_wait_changes_nothing() {
        let start = Instant::now();
        let mut schedule = Schedule::new(start, SECOND, (0, 1));
        schedule.tick().await;
        let given_up = tokio::time::timeout(Duration::from_millis(300), schedule.tick()).await;
        assert!(given_up.is_err());
        assert_eq!(schedule.tick().await, 0);
        assert_eq!(millis(start), 1000);
    }
}
