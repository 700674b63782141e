//! Why nothing is known about a server's clock.

use http::StatusCode;
use spinfo_client::Failure;

use super::estimate::Contradiction;
use super::stamp::{Nanos, SECOND};

/// The most of an answer that a message repeats, in characters of the answer.
const EXCERPT: usize = 80;

/// Why there is no estimate.
#[derive(Debug, Clone, thiserror::Error)]
pub(crate) enum ClockError {
    /// No one clock gives these answers.
    #[error(transparent)]
    Contradiction(#[from] Contradiction),

    /// Our own clock was set meanwhile. Samples from before it say nothing about the clock after it.
    #[error("the local clock was set by {:+.3} s during the measurement", *by as f64 / SECOND as f64)]
    Stepped {
        /// By how much, in nanoseconds; positive: forward.
        by: Nanos,
    },

    /// An answer that isn't the time.
    #[error(
        "{target} answered {status} with {came} instead of {expected}: name the path with --time-path, or use --clock date"
    )]
    NotATime {
        /// What was asked.
        target: String,
        /// What it should have answered.
        expected: &'static str,
        /// The status of its answer.
        status: StatusCode,
        /// The beginning of its body.
        came: String,
    },

    /// An answer whose header `Date` is missing or isn't one.
    #[error(
        "{target} answered with {came} in the header Date instead of a date: name a path that answers with the time with --time-path"
    )]
    NoDate {
        /// What was asked.
        target: String,
        /// What the header holds.
        came: String,
    },

    /// An answer that a cache had kept.
    #[error(
        "the answer of {target} comes from a cache (age: {age}), so its time is not now: ask the server itself, or name another path with --time-path"
    )]
    Cached {
        /// What was asked.
        target: String,
        /// What the header `Age` holds.
        age: String,
    },

    /// No answer.
    #[error(transparent)]
    Failed(#[from] Failure),
}

/// The beginning of what a server sent, without characters that a terminal would act on.
pub(super) fn excerpt(bytes: &[u8]) -> String {
    if bytes.is_empty() {
        return "nothing".to_owned();
    }
    // A character has at most four bytes, so no more of them are looked at.
    let text = String::from_utf8_lossy(&bytes[..bytes.len().min(4 * EXCERPT + 4)]);
    let mut shown = String::new();
    for (count, character) in text.trim().chars().enumerate() {
        match character {
            _ if count == EXCERPT => {
                shown.push('…');
                break;
            }
            '"' | '\'' => shown.push(character),
            _ => shown.extend(character.escape_debug()),
        }
    }
    format!("`{shown}`")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_excerpt_is_short_and_harmless() {
        for (bytes, expected) in [
            (&b""[..], "nothing"),
            (b"\x1b[31mred\x07\r\n", "`\\u{1b}[31mred\\u{7}`"),
            (b"\xff", "`\u{fffd}`"),
            ("½ past".as_bytes(), "`½ past`"),
            (br#"{"error":"x"}"#, r#"`{"error":"x"}`"#),
        ] {
            assert_eq!(excerpt(bytes), expected);
        }
        let huge = excerpt("ä".repeat(1 << 20).as_bytes());
        assert_eq!(huge, format!("`{}…`", "ä".repeat(80)));
    }

    #[test]
    fn a_message_names_what_came_and_what_to_do() {
        let error = ClockError::NotATime {
            target: "http://h/now".to_owned(),
            expected: "a time",
            status: StatusCode::NOT_FOUND,
            came: excerpt(b"no such page"),
        };
        assert_eq!(
            error.to_string(),
            "http://h/now answered 404 Not Found with `no such page` instead of a time: name the path with --time-path, or use --clock date"
        );
        let error = ClockError::Stepped { by: -3600 * SECOND };
        assert_eq!(
            error.to_string(),
            "the local clock was set by -3600.000 s during the measurement"
        );
    }
}
