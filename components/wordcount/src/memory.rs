//! The memory that the uploads of one instance take together.
//!
//! An instance serves several requests at a time, and most texts need little: their distinct words. So all go on
//! while that is little in sum. Beyond [`SHARED`] only the upload that holds the most goes on, because it is the
//! nearest to giving it back, and the others wait: the sum stays below [`SHARED`] and what a single upload needs at
//! worst ([`crate::words::WordCounter`]), which is what an instance must have.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::future::poll_fn;
use std::task::{Poll, Waker};

/// Bytes that the uploads of an instance may hold together without waiting for one another.
const SHARED: usize = 32 << 20;

#[derive(Default)]
struct Ledger {
    next: u64,
    held: BTreeMap<u64, usize>,
    waiting: Vec<Waker>,
}

impl Ledger {
    fn may_go_on(&self, number: u64) -> bool {
        let largest = self
            .held
            .iter()
            .max_by_key(|&(number, bytes)| (bytes, number));
        self.held.values().sum::<usize>() <= SHARED
            || largest.is_some_and(|(&largest, _)| largest == number)
    }

    fn wake_all(&mut self) {
        self.waiting.drain(..).for_each(Waker::wake);
    }
}

thread_local! {
    static LEDGER: RefCell<Ledger> = RefCell::default();
}

/// What one upload holds; given back when it is dropped.
pub(crate) struct Share {
    number: u64,
}

impl Share {
    /// A share of nothing yet.
    pub(crate) fn new() -> Self {
        LEDGER.with_borrow_mut(|ledger| {
            ledger.next += 1;
            ledger.held.insert(ledger.next, 0);
            Self {
                number: ledger.next,
            }
        })
    }

    /// Waits until this upload may take more.
    pub(crate) async fn turn(&self) {
        poll_fn(|context| {
            LEDGER.with_borrow_mut(|ledger| {
                if ledger.may_go_on(self.number) {
                    return Poll::Ready(());
                }
                ledger.waiting.push(context.waker().clone());
                Poll::Pending
            })
        })
        .await;
    }

    /// Says how many bytes it holds now.
    pub(crate) fn set(&self, bytes: usize) {
        LEDGER.with_borrow_mut(|ledger| {
            let before = ledger.held.insert(self.number, bytes);
            // Another may have become the largest.
            if before != Some(bytes) {
                ledger.wake_all();
            }
        });
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        LEDGER.with_borrow_mut(|ledger| {
            ledger.held.remove(&self.number);
            ledger.wake_all();
        });
    }
}

#[cfg(test)]
mod tests {
    use futures::FutureExt;

    use super::*;

    fn goes_on(share: &Share) -> bool {
        share.turn().now_or_never().is_some()
    }

    #[test]
    fn all_go_on_while_they_hold_little() {
        let shares: Vec<Share> = (0..16).map(|_| Share::new()).collect();
        for share in &shares {
            share.set(SHARED / 16);
        }
        assert!(shares.iter().all(goes_on));
    }

    #[test]
    fn beyond_that_the_largest_goes_on_until_it_is_done() {
        let small = Share::new();
        small.set(SHARED / 4);
        let large = Share::new();
        large.set(SHARED);
        let new = Share::new();
        assert_eq!([&small, &large, &new].map(goes_on), [false, true, false]);
        drop(large);
        assert!(goes_on(&small) && goes_on(&new));
    }

    #[test]
    fn of_equals_one_goes_on() {
        let shares: Vec<Share> = (0..3).map(|_| Share::new()).collect();
        for share in &shares {
            share.set(SHARED);
        }
        assert_eq!(shares.iter().filter(|share| goes_on(share)).count(), 1);
    }

    #[test]
    fn who_waits_is_woken() {
        let (first, second) = (Share::new(), Share::new());
        first.set(2 * SHARED);
        let order = RefCell::new(Vec::new());
        futures::executor::block_on(futures::future::join(
            async {
                second.turn().await;
                order.borrow_mut().push("second");
            },
            async {
                first.turn().await;
                order.borrow_mut().push("first");
                drop(first);
            },
        ));
        assert_eq!(order.into_inner(), ["first", "second"]);
    }
}
