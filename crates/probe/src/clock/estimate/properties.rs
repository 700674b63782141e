//! What holds for an estimate whatever the network does.

use proptest::prelude::*;

use super::simulation::{exchanges, server};
use super::*;

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn the_true_offset_lies_inside_the_bound(server in server(), exchanges in exchanges()) {
        let samples = server.ask(&exchanges);
        let estimate = Estimate::of(&samples[0], &samples[1..]).unwrap();
        let truth = server.offset_at(samples[0].local_sent);
        let Interval { low, high } = estimate.interval();
        prop_assert!(low <= truth && truth <= high, "{} is not in {}..{}", truth, low, high);
        // The numbers that are shown say the same.
        let error = (in_seconds(truth) - estimate.offset_s()).abs();
        prop_assert!(error <= estimate.bound_s() + 1e-9);
    }

    #[test]
    fn another_sample_never_widens_the_bound(server in server(), exchanges in exchanges()) {
        let samples = server.ask(&exchanges);
        let mut before: Option<Interval> = None;
        for count in 1..=samples.len() {
            let estimate = Estimate::of(&samples[0], &samples[1..count]).unwrap();
            let now = estimate.interval();
            if let Some(before) = before {
                prop_assert!(before.low <= now.low && now.high <= before.high);
            }
            prop_assert!(1 <= estimate.used && estimate.used <= estimate.taken && estimate.taken == count);
            before = Some(now);
        }
    }

    #[test]
    fn the_order_of_later_samples_is_nothing(server in server(), exchanges in exchanges()) {
        let mut samples = server.ask(&exchanges);
        let estimate = Estimate::of(&samples[0], &samples[1..]).unwrap();
        samples[1..].reverse();
        prop_assert_eq!(Estimate::of(&samples[0], &samples[1..]).unwrap().interval(), estimate.interval());
    }

    #[test]
    fn a_verdict_is_never_wrong(server in server(), exchanges in exchanges(), limit in prop_oneof![Just(1_000), 0..3_000_u64]) {
        let samples = server.ask(&exchanges);
        let limit = Duration::from_millis(limit);
        let within = server.offset_at(samples[0].local_sent).unsigned_abs() <= limit.as_nanos();
        match Estimate::of(&samples[0], &samples[1..]).unwrap().verdict(limit) {
            Verdict::Within => prop_assert!(within),
            Verdict::Outside => prop_assert!(!within),
            Verdict::Undecided => {}
        }
    }

    #[test]
    fn nothing_that_a_server_says_overflows(stamps in prop::collection::vec((any::<u64>(), any::<u64>(), any::<i64>(), 0..1_000_000_000_000_i128), 1..8), limit in any::<Duration>()) {
        use crate::clock::stamp::Stamp;
        let samples: Vec<Sample> = stamps
            .iter()
            .map(|&(received, transmitted, local, delay)| Sample {
                local_sent: local.into(),
                local_received: Nanos::from(local) + delay,
                received: Stamp::from_nanos(received.into()),
                transmitted: Stamp::from_nanos(transmitted.into()),
            })
            .collect();
        match Estimate::of(&samples[0], &samples[1..]) {
            Ok(estimate) => {
                let _ = (estimate.to_string(), estimate.verdict(limit), estimate.delay_s());
            }
            Err(contradiction) => {
                let _ = (contradiction.to_string(), contradiction.verdict(limit));
            }
        }
    }
}
