//! Text that others wrote, made fit for a terminal, and lines of it in colour.
//!
//! States, error messages and certificates' names come from servers. Printed as they are they could move the cursor, set the window's
//! title or turn the reading order around. Everything that people are shown goes through [`harmless`], log records too.

use std::borrow::Cow;

/// More marks than this on one letter are a tower that covers the lines above.
const MAX_MARKS: usize = 2;

/// The same text in which every character is either printed where it stands or gone: a line end becomes one space with the white space
/// around it, control characters `\u{fffd}`, and invisible ones that change how their neighbours look are left out.
pub(crate) fn harmless(text: &str) -> Cow<'_, str> {
    if text.bytes().all(|byte| (b' '..=b'~').contains(&byte)) {
        return Cow::Borrowed(text);
    }
    let mut clean = String::with_capacity(text.len());
    let mut marks = MAX_MARKS;
    let mut after_break = false;
    for character in text.chars() {
        if after_break && character == ' ' {
            continue;
        }
        after_break = is_break(character);
        if after_break {
            if !clean.ends_with(' ') {
                clean.push(' ');
            }
            marks = MAX_MARKS;
        } else if is_mark(character) {
            if marks < MAX_MARKS {
                clean.push(character);
            }
            marks += 1;
        } else if !is_invisible(character) {
            clean.push(if character.is_control() {
                char::REPLACEMENT_CHARACTER
            } else {
                character
            });
            marks = 0;
        }
    }
    Cow::Owned(clean)
}

/// Ends a line somewhere, or moves the cursor along it.
fn is_break(character: char) -> bool {
    matches!(character, '\t'..='\r' | '\u{85}' | '\u{2028}' | '\u{2029}')
}

/// Stands above or below the letter before it: Unicode's blocks of combining marks, and those of Cyrillic and Thai, of which towers
/// are built too.
fn is_mark(character: char) -> bool {
    matches!(character,
        '\u{300}'..='\u{34e}' | '\u{350}'..='\u{36f}' | '\u{483}'..='\u{489}' | '\u{e31}' | '\u{e34}'..='\u{e3a}'
        | '\u{e47}'..='\u{e4e}' | '\u{1ab0}'..='\u{1aff}' | '\u{1dc0}'..='\u{1dff}' | '\u{20d0}'..='\u{20ff}'
        | '\u{fe20}'..='\u{fe2f}')
}

/// Format characters (Unicode's Cf) that reorder, join or hide, selectors of variations, and letters that are blank. Terminals
/// disagree on the width of what they join, so without them each character keeps its own.
fn is_invisible(character: char) -> bool {
    matches!(character,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}'..='\u{1160}' | '\u{17b4}'..='\u{17b5}' | '\u{180b}'..='\u{180f}'
        | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}'
        | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}' | '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}'
        | '\u{e0000}'..='\u{e0fff}')
}

/// What a piece of a line means. Colour only repeats what the words say, so nothing is lost without it. Numbers are parameters of SGR
/// (ECMA-48, section 8.3.117), of the terminal's own palette, which fits its background.
#[derive(Clone, Copy, Debug)]
pub(super) enum Tone {
    Plain = 0,
    Strong = 1,
    Faint = 2,
    Good = 32,
    Warning = 33,
    Bad = 31,
}

/// A line as it is printed, without its end.
pub(super) struct Line {
    text: String,
    colour: bool,
}

impl Line {
    pub(super) fn new(colour: bool) -> Self {
        Self {
            text: String::new(),
            colour,
        }
    }

    /// Adds a piece, [`harmless`] whatever it is.
    pub(super) fn push(&mut self, tone: Tone, text: &str) {
        let text = harmless(text);
        match tone as u8 {
            0 => self.text.push_str(&text),
            _ if !self.colour => self.text.push_str(&text),
            sgr => self.text += &format!("\u{1b}[{sgr}m{text}\u{1b}[0m"),
        }
    }

    pub(super) fn finish(self) -> String {
        self.text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escape_sequences_lose_what_makes_them_work() {
        assert_eq!(
            harmless("\u{1b}[2J\u{1b}]0;title\u{7}gone"),
            "\u{fffd}[2J\u{fffd}]0;title\u{fffd}gone"
        );
        // The same in C1 controls, which terminals also understand: CSI, OSC and ST.
        assert_eq!(
            harmless("\u{9b}31m\u{9d}0;x\u{9c}"),
            "\u{fffd}31m\u{fffd}0;x\u{fffd}"
        );
        assert_eq!(harmless("\u{0}\u{8}\u{7f}"), "\u{fffd}\u{fffd}\u{fffd}");
    }

    #[test]
    fn nothing_that_a_terminal_obeys_is_left_of_any_character() {
        for character in '\0'..=char::MAX {
            let raw = format!("a{character}b");
            let text = harmless(&raw);
            assert!(!text.chars().any(char::is_control), "{character:?}");
            assert!(
                !text
                    .chars()
                    .any(|left| matches!(left, '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')),
                "{character:?}"
            );
        }
    }

    #[test]
    fn line_ends_become_one_space() {
        assert_eq!(harmless("one \r\n\t  two\u{2028}three"), "one two three");
        assert_eq!(harmless("one  two"), "one  two");
    }

    #[test]
    fn order_and_towers_are_taken_out() {
        assert_eq!(harmless("user\u{202e}gpj.exe\u{2069}"), "usergpj.exe");
        assert_eq!(
            harmless("z\u{301}\u{302}\u{303}\u{304}a"),
            "z\u{301}\u{302}a"
        );
        assert_eq!(harmless("\u{301}a"), "a");
        assert_eq!(
            harmless(&format!("ก{}", "\u{e47}".repeat(20))),
            "ก\u{e47}\u{e47}"
        );
        assert_eq!(harmless("👩\u{200d}🚒"), "👩🚒");
    }

    #[test]
    fn ordinary_text_stays_as_it_is() {
        for text in [
            "connection refused",
            "zu\u{308}rich",
            "東京",
            "ไทย",
            "مرحبا",
            "🚀",
        ] {
            assert_eq!(harmless(text), text);
        }
    }

    #[test]
    fn a_line_is_harmless_and_coloured_only_where_that_is_wanted() {
        let line = |colour| {
            let mut line = Line::new(colour);
            line.push(Tone::Bad, "fail\u{1b}[1m");
            line.push(Tone::Plain, "ing\n");
            line.finish()
        };
        assert_eq!(line(true), "\u{1b}[31mfail\u{fffd}[1m\u{1b}[0ming ");
        assert_eq!(line(false), "fail\u{fffd}[1ming ");
    }
}
