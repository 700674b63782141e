//! What people see: a live table, lines, and the summary at the end.
//!
//! - [`Live`] draws the table on a terminal, which `screen` takes over and gives back; `layout` decides what is on it, `table` which
//!   columns;
//! - [`lines`] says what has happened in one line each;
//! - [`summary`] says at the end how it went;
//! - `style`, `text`, `number` and `spark` make lines, from text that may be anybody's.

pub mod lines;
mod live;
pub mod summary;

mod layout;
mod number;
mod screen;
mod spark;
mod style;
mod table;
mod text;

#[cfg(test)]
mod samples;

use std::ffi::OsStr;

pub use live::{Command, Live};

/// Whether to colour what is written to a stream, given the values of `NO_COLOR` and `TERM`. `NO_COLOR` counts unless it is empty
/// (<https://no-color.org>).
pub fn colour(stream_is_terminal: bool, no_color: Option<&OsStr>, term: Option<&OsStr>) -> bool {
    no_color.is_none_or(OsStr::is_empty) && can_draw(stream_is_terminal, term)
}

/// Whether a stream understands escape sequences, given the value of `TERM`: it is a terminal, and one that is neither dumb nor
/// unknown.
pub fn can_draw(stream_is_terminal: bool, term: Option<&OsStr>) -> bool {
    let known = |term: &OsStr| !term.is_empty() && term != "dumb" && term != "unknown";
    stream_is_terminal && term.is_some_and(known)
}

#[cfg(test)]
mod tests {
    use std::ffi::OsStr;

    use super::{can_draw, colour};

    #[test]
    fn colour_is_for_terminals_whose_user_does_not_mind() {
        let term = Some(OsStr::new("xterm-256color"));
        assert!(colour(true, None, term));
        assert!(colour(true, Some(OsStr::new("")), term));
        assert!(!colour(true, Some(OsStr::new("0")), term));
        assert!(!colour(false, None, term));
    }

    #[test]
    fn a_dumb_terminal_is_not_drawn_on() {
        for term in [None, Some(""), Some("dumb"), Some("unknown")] {
            assert!(!can_draw(true, term.map(OsStr::new)), "{term:?}");
        }
        assert!(can_draw(true, Some(OsStr::new("tmux"))));
    }
}
