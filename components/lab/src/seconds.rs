//! The path parameter `:seconds`.

use std::time::Duration;

use spinfo_guest::{Problem, Request};

/// Longer than any timeout one would want to provoke, short enough that waiting requests don't pile up.
const LONGEST: u64 = 60;

/// Whole seconds, at most 60.
pub(crate) fn of(request: &Request) -> Result<Duration, Problem> {
    let value = request.param("seconds");
    match value.parse() {
        Ok(seconds) if seconds <= LONGEST => Ok(Duration::from_secs(seconds)),
        _ => Err(Problem::bad_request(
            "the path names no number of seconds that can be waited for",
        )
        .field(
            "seconds",
            format!("must be a whole number from 0 to {LONGEST}"),
        )),
    }
}
