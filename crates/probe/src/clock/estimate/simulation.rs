//! Servers and networks for the property tests, with everything that makes an estimate hard.

use proptest::prelude::*;

use crate::clock::rfc3339;
use crate::clock::sample::Sample;
use crate::clock::stamp::{Nanos, SECOND, Stamp};

/// A server's clock: what it shows is cut off to a tick.
#[derive(Debug, Clone, Copy)]
pub(super) struct Server {
    /// How far it is ahead at our time 0.
    offset: Nanos,
    /// How fast that grows, in parts per billion.
    drift_ppb: Nanos,
    tick: Nanos,
    kind: Kind,
}

/// What the server answers with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// `received_ns` and `transmitted_ns`.
    Stamps,
    /// RFC 3339 text with so many digits.
    Text(usize),
    /// Whole seconds in `Date`.
    Date,
}

/// One exchange: when it begins after the one before, and what its parts take.
#[derive(Debug, Clone, Copy)]
pub(super) struct Exchange {
    pause: Nanos,
    there: Nanos,
    work: Nanos,
    /// When within the work a server that gives one stamp reads its clock, in thousandths.
    read_at: Nanos,
    back: Nanos,
}

impl Server {
    pub(super) fn offset_at(&self, local: Nanos) -> Nanos {
        self.offset + (local * self.drift_ppb).div_euclid(SECOND)
    }

    fn read(&self, local: Nanos) -> Nanos {
        let time = local + self.offset_at(local);
        time - time.rem_euclid(self.tick)
    }

    /// Asks, beginning at our time 0.
    pub(super) fn ask(&self, exchanges: &[Exchange]) -> Vec<Sample> {
        let mut now = 0;
        exchanges
            .iter()
            .map(|exchange| self.answer(&mut now, exchange))
            .collect()
    }

    fn answer(&self, now: &mut Nanos, exchange: &Exchange) -> Sample {
        let local_sent = *now + exchange.pause;
        let arrived = local_sent + exchange.there;
        let left = arrived + exchange.work;
        let local_received = left + exchange.back;
        *now = local_received;
        let one = self.read(arrived + exchange.work * exchange.read_at / 1000);
        let (received, transmitted) = match self.kind {
            Kind::Stamps => (self.read(arrived), self.read(left)),
            Kind::Text(_) | Kind::Date => (one, one),
        };
        Sample {
            local_sent,
            local_received,
            received: self.written(received),
            transmitted: self.written(transmitted),
        }
    }

    /// The stamp as it is after it has been written and read again.
    fn written(&self, time: Nanos) -> Stamp {
        match self.kind {
            Kind::Stamps => Stamp::from_nanos(time),
            Kind::Text(digits) => {
                let text = jiff::Timestamp::from_nanosecond(time).unwrap();
                rfc3339::parse(&format!("{text:.digits$}")).unwrap()
            }
            Kind::Date => Stamp::from_nanos(time - time.rem_euclid(SECOND)),
        }
    }
}

pub(super) fn server() -> impl Strategy<Value = Server> {
    let offset = prop_oneof![
        -3 * SECOND..3 * SECOND,
        -1_100_000_000..-900_000_000_i128,
        900_000_000..1_100_000_000_i128,
        -400_000 * SECOND..400_000 * SECOND,
    ];
    let kind = prop_oneof![
        Just(Kind::Stamps),
        (0..=9_usize).prop_map(Kind::Text),
        Just(Kind::Date),
    ];
    (offset, -15_000..=15_000_i128, 0..=9_u32, kind).prop_map(|(offset, drift_ppb, tick, kind)| {
        Server {
            offset,
            drift_ppb,
            tick: 10_i128.pow(tick),
            kind,
        }
    })
}

/// Delays that have nothing to do with one another: each way is from nothing to seconds, and differs each time.
pub(super) fn exchanges() -> impl Strategy<Value = Vec<Exchange>> {
    let way = || prop_oneof![0..1_000_i128, 0..5_000_000_i128, 0..2 * SECOND];
    let exchange = (0..2 * SECOND, way(), way(), 0..=1000_i128, way()).prop_map(
        |(pause, there, work, read_at, back)| Exchange {
            pause,
            there,
            work,
            read_at,
            back,
        },
    );
    prop::collection::vec(exchange, 1..20)
}
