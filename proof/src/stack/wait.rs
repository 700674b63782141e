//! Waiting for what a backend learns after a while.

use std::fmt::Debug;
use std::time::{Duration, Instant};

/// How long a test waits for telemetry to arrive: an export, a tail-sampling decision and an ingestion, on a machine that
/// is busy with other tests.
pub const ARRIVAL: Duration = Duration::from_secs(60);

/// How long to wait between two questions.
const INTERVAL: Duration = Duration::from_millis(250);

/// Characters of an answer that a failure shows.
const SHOWN: usize = 4000;

/// Asks until `look` has an answer, for at most [`ARRIVAL`].
///
/// # Panics
/// When it has none by then, with what `look` said last.
pub fn until<T>(what: &str, look: impl FnMut() -> Result<T, String>) -> T {
    until_within(ARRIVAL, what, look)
}

/// The same, with another patience.
///
/// # Panics
/// When there is no answer by then, with what `look` said last.
pub fn until_within<T>(
    patience: Duration,
    what: &str,
    mut look: impl FnMut() -> Result<T, String>,
) -> T {
    let end = Instant::now() + patience;
    loop {
        match look() {
            Ok(found) => return found,
            Err(last) => assert!(
                Instant::now() < end,
                "still waiting for {what} after {} s: {}",
                patience.as_secs(),
                last.chars().take(SHOWN).collect::<String>()
            ),
        }
        std::thread::sleep(INTERVAL);
    }
}

/// Asks until two values are the same.
///
/// # Panics
/// When they are not within [`ARRIVAL`], with both.
pub fn until_equal<T: PartialEq + Debug>(
    what: &str,
    expected: &T,
    mut look: impl FnMut() -> Result<T, String>,
) {
    until(what, || {
        let found = look()?;
        if found == *expected {
            Ok(())
        } else {
            Err(format!("\n found    {found:?}\n expected {expected:?}"))
        }
    });
}
