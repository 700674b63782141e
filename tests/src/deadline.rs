//! Waiting for what should happen soon.

use std::time::{Duration, Instant};

/// How long a test waits before it fails. Far more than anything takes, because a machine that compiles beside the tests is slow.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// How long to wait between two looks at something that can't be waited for.
const INTERVAL: Duration = Duration::from_millis(10);

/// Looks until `look` finds something.
///
/// # Panics
/// When it does not within [`PATIENCE`].
pub fn until<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let end = Instant::now() + PATIENCE;
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(Instant::now() < end, "still waiting for {what}");
        std::thread::sleep(INTERVAL);
    }
}
