//! One question to a server for its time.

use super::estimate::Contradiction;
use super::interval::Interval;
use super::stamp::{Nanos, Stamp};

/// By how much two clocks can drift apart, in parts per million of the time that passes (RFC 5905, section 7.2: PHI).
const PHI_PPM: Nanos = 15;

/// The four stamps of an exchange (RFC 5905, section 8): `local_sent` is its T1, `received` T2, `transmitted` T3 and
/// `local_received` T4. A server that gives one stamp gives it twice: it may have read its clock at any moment between our two.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Sample {
    /// Our clock when the request was sent, not later.
    pub(crate) local_sent: Nanos,
    /// Our clock when the answer was here, not earlier.
    pub(crate) local_received: Nanos,
    /// The server's clock after it had received the request.
    pub(crate) received: Stamp,
    /// The server's clock before it sent the answer.
    pub(crate) transmitted: Stamp,
}

impl Sample {
    /// The time on the way, there and back, in nanoseconds: δ = (T4 - T1) - (T3 - T2), and not less than nothing.
    pub(crate) fn delay(&self) -> Nanos {
        let processing = self.transmitted.at - self.received.at;
        (self.local_received - self.local_sent - processing.max(0)).max(0)
    }

    /// The smallest step of the server's clock that shows in its stamps, in nanoseconds.
    pub(super) fn tick(&self) -> Nanos {
        self.received.resolution.min(self.transmitted.resolution)
    }

    /// The offsets of the server's clock at our time `reference`, not after `local_sent`, that explain this sample.
    ///
    /// The request can't arrive before it is sent, so the offset is at most T2 - T1; nor the answer before it is sent, so it is at
    /// least T3 - T4. The middle of the two is RFC 5905's θ, half their distance is δ / 2. What the digits of a stamp do not show
    /// and the drift since the reference widen them.
    ///
    /// # Errors
    /// When no offset does: the server's clock was set while it worked, or is wrong by itself.
    pub(crate) fn interval(&self, reference: Nanos) -> Result<Interval, Contradiction> {
        if self.transmitted.latest() < self.received.at {
            return Err(Contradiction::Backward {
                by: self.received.at - self.transmitted.latest(),
            });
        }
        let drift = drift(self.local_received - reference);
        let low = self.transmitted.at - self.local_received - drift;
        let high = self.received.latest() - self.local_sent + drift;
        if low > high {
            return Err(Contradiction::Forward { by: low - high });
        }
        Ok(Interval { low, high })
    }
}

/// By how much an offset can have changed in `elapsed`, rounded up.
fn drift(elapsed: Nanos) -> Nanos {
    (elapsed.max(0) * PHI_PPM + 999_999) / 1_000_000
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An exact stamp.
    fn at(at: Nanos) -> Stamp {
        Stamp { at, resolution: 0 }
    }

    #[test]
    fn the_offset_and_delay_are_those_of_ntp() {
        // The server is 1000 ahead; 300 there, 50 work, 100 back.
        let sample = Sample {
            local_sent: 10_000,
            received: at(11_300),
            transmitted: at(11_350),
            local_received: 10_450,
        };
        assert_eq!(sample.delay(), 400);
        let interval = sample.interval(10_000).unwrap();
        // One nanosecond more at both ends for the drift.
        assert_eq!(
            interval,
            Interval {
                low: 899,
                high: 1301
            }
        );
        assert_eq!(interval.middle(), (1100, 201));
    }

    #[test]
    fn a_coarse_stamp_may_have_been_later_than_it_says() {
        let sample = Sample {
            local_sent: 0,
            received: Stamp {
                at: 5_000,
                resolution: 1_000,
            },
            transmitted: Stamp {
                at: 5_000,
                resolution: 1_000,
            },
            local_received: 10,
        };
        assert_eq!(
            sample.interval(0),
            Ok(Interval {
                low: 4_989,
                high: 6_001
            })
        );
    }

    #[test]
    fn drift_grows_with_the_time_since_the_reference() {
        let second = crate::clock::stamp::SECOND;
        let sample = Sample {
            local_sent: second,
            received: at(second),
            transmitted: at(second),
            local_received: second,
        };
        assert_eq!(
            sample.interval(0),
            Ok(Interval {
                low: -15_000,
                high: 15_000
            })
        );
    }

    #[test]
    fn a_clock_that_is_set_during_the_answer_contradicts_itself() {
        let set = |transmitted| Sample {
            local_sent: 0,
            received: at(1_000),
            transmitted: at(transmitted),
            local_received: 100,
        };
        assert_eq!(set(999).interval(0), Err(Contradiction::Backward { by: 1 }));
        assert_eq!(set(1_102).interval(0).map(Interval::width), Ok(0));
        assert_eq!(
            set(1_103).interval(0),
            Err(Contradiction::Forward { by: 1 })
        );
    }
}
