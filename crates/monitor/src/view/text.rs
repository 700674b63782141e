//! Text that others wrote, made fit for a terminal.
//!
//! States, error messages and names come from servers, certificates and configuration files. Printed as they are they could move
//! the cursor, set the window's title or turn the reading order around. Everything on the screen goes through [`harmless`].

use std::borrow::Cow;

use unicode_width::UnicodeWidthChar as _;

/// More marks than this on one letter are a tower that covers the lines above.
const MAX_MARKS: usize = 2;

/// What stands for a character that must not reach the terminal.
const REPLACEMENT: char = '\u{fffd}';

/// Columns of a terminal that `text` takes. It must be [`harmless`].
pub(super) fn width(text: &str) -> usize {
    text.chars().map(char_width).sum()
}

fn char_width(character: char) -> usize {
    character.width().unwrap_or(0)
}

/// The same text in which every character is either printed where it stands or gone: a line end becomes one space with the white space
/// around it, control characters `\u{fffd}`, and invisible ones that change how their neighbours look are left out.
pub(super) fn harmless(text: &str) -> Cow<'_, str> {
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
        if is_break(character) {
            if !clean.ends_with(' ') {
                clean.push(' ');
            }
            after_break = true;
            marks = MAX_MARKS;
            continue;
        }
        after_break = false;
        if is_invisible(character) {
            continue;
        }
        match character.width() {
            // Nobody agrees on how wide the wider ones are.
            None | Some(3..) => {
                clean.push(REPLACEMENT);
                marks = MAX_MARKS;
            }
            Some(0) if marks >= MAX_MARKS => {}
            Some(0) => {
                clean.push(character);
                marks += 1;
            }
            Some(1 | 2) => {
                clean.push(character);
                marks = 0;
            }
        }
    }
    Cow::Owned(clean)
}

/// Ends a line somewhere, or moves the cursor along it.
fn is_break(character: char) -> bool {
    matches!(character, '\t'..='\r' | '\u{85}' | '\u{2028}' | '\u{2029}')
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

/// The beginning of `text` in at most `columns`, with `…` for what was cut off.
pub(super) fn cut(text: &str, columns: usize) -> Cow<'_, str> {
    if width(text) <= columns {
        return Cow::Borrowed(text);
    }
    if columns == 0 {
        return Cow::Borrowed("");
    }
    Cow::Owned(format!("{}…", head(text, columns - 1).trim_end()))
}

/// Both ends of `text` in at most `columns`, with `…` between them: the names of a fleet differ at either end.
pub(super) fn cut_middle(text: &str, columns: usize) -> Cow<'_, str> {
    if width(text) <= columns {
        return Cow::Borrowed(text);
    }
    if columns < 4 {
        return cut(text, columns);
    }
    let tail_columns = (columns - 1) / 2;
    Cow::Owned(format!(
        "{}…{}",
        head(text, columns - 1 - tail_columns),
        tail(text, tail_columns)
    ))
}

fn head(text: &str, columns: usize) -> &str {
    let mut taken = 0;
    for (at, character) in text.char_indices() {
        taken += char_width(character);
        if taken > columns {
            return &text[..at];
        }
    }
    text
}

fn tail(text: &str, columns: usize) -> &str {
    let mut taken = 0;
    let mut start = text.len();
    for (at, character) in text.char_indices().rev() {
        taken += char_width(character);
        if taken > columns {
            break;
        }
        // A mark belongs to the letter before it, so the tail never begins with one.
        if char_width(character) > 0 {
            start = at;
        }
    }
    &text[start..]
}

/// Names as short as they stay different: without scheme and final slash where all of them can do without.
pub(super) fn short_names(names: &[String]) -> Vec<String> {
    let short: Vec<String> = names.iter().map(|name| short_name(name)).collect();
    let mut sorted: Vec<&String> = short.iter().collect();
    sorted.sort_unstable();
    if sorted.windows(2).any(|pair| pair[0] == pair[1]) {
        return names
            .iter()
            .map(|name| harmless(name).into_owned())
            .collect();
    }
    short
}

fn short_name(name: &str) -> String {
    let name = harmless(name);
    let bare = name
        .strip_prefix("http://")
        .or_else(|| name.strip_prefix("https://"))
        .map_or(&*name, |rest| rest.trim_end_matches('/'));
    if bare.is_empty() { &*name } else { bare }.to_owned()
}

#[cfg(test)]
mod tests {
    use super::{cut, cut_middle, harmless, short_names, width};

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
            assert!(
                (2..=4).contains(&width(&text)),
                "{character:?} is {} wide",
                width(&text)
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
        assert_eq!(harmless("👩\u{200d}🚒"), "👩🚒");
    }

    #[test]
    fn ordinary_text_stays_as_it_is() {
        for text in ["connection refused", "zürich", "東京", "ไทย", "مرحبا", "🚀"] {
            assert_eq!(harmless(text), text);
        }
    }

    #[test]
    fn width_is_what_a_terminal_shows() {
        for (text, expected) in [
            ("", 0),
            ("abc", 3),
            ("zu\u{308}rich", 6),
            ("東京", 4),
            ("🚀", 2),
            ("▁█×…", 4),
        ] {
            assert_eq!(width(text), expected, "{text}");
        }
    }

    #[test]
    fn cuts_the_end() {
        assert_eq!(cut("connection refused", 18), "connection refused");
        assert_eq!(cut("connection refused", 12), "connection…");
        assert_eq!(cut("connection refused", 1), "…");
        assert_eq!(cut("connection refused", 0), "");
        // A wide character that would be halved goes too.
        assert_eq!(cut("東京都", 4), "東…");
        assert_eq!(cut("e\u{301}e\u{301}e\u{301}", 2), "e\u{301}…");
    }

    #[test]
    fn cuts_the_middle() {
        assert_eq!(
            cut_middle("replica-17.spinfo.example.com", 16),
            "replica-…ple.com"
        );
        assert_eq!(cut_middle("short", 5), "short");
        assert_eq!(cut_middle("東京都庁", 6), "東…庁");
        assert_eq!(cut_middle("abcdef", 3), "ab…");
    }

    #[test]
    fn names_are_short_but_different() {
        let names = |list: &[&str]| list.iter().map(|&name| name.to_owned()).collect::<Vec<_>>();
        assert_eq!(
            short_names(&names(&[
                "http://127.0.0.1:3000/",
                "https://example.com/base"
            ])),
            ["127.0.0.1:3000", "example.com/base"]
        );
        let both = names(&["http://example.com/", "https://example.com/"]);
        assert_eq!(short_names(&both), both);
        assert_eq!(short_names(&names(&["edge\u{1b}c"])), ["edge\u{fffd}c"]);
    }
}
