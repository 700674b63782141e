//! Styled lines, and how they become bytes for a terminal.

use super::text::{cut, harmless, width};

/// What a piece of a line means. Colour only repeats what the words say, so nothing is lost without it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tone {
    Plain,
    Strong,
    Faint,
    Good,
    Warning,
    Bad,
}

impl Tone {
    /// The parameters of SGR (ECMA-48, section 8.3.117). Only the terminal's own palette, which fits its background.
    fn sgr(self) -> Option<&'static str> {
        match self {
            Self::Plain => None,
            Self::Strong => Some("1"),
            Self::Faint => Some("2"),
            Self::Good => Some("32"),
            Self::Warning => Some("33"),
            Self::Bad => Some("31"),
        }
    }
}

/// One line of text in several tones. Whatever is pushed is made [`harmless`] first, so a line can be printed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Line {
    spans: Vec<(Tone, String)>,
}

impl Line {
    pub(super) fn of(tone: Tone, text: &str) -> Self {
        let mut line = Self::default();
        line.push(tone, text);
        line
    }

    pub(super) fn push(&mut self, tone: Tone, text: &str) {
        if !text.is_empty() {
            self.spans.push((tone, harmless(text).into_owned()));
        }
    }

    pub(super) fn append(&mut self, other: Self) {
        self.spans.extend(other.spans);
    }

    /// Columns it takes.
    pub(super) fn width(&self) -> usize {
        self.spans.iter().map(|(_, text)| width(text)).sum()
    }

    /// Appends spaces up to `columns`.
    pub(super) fn fill(&mut self, columns: usize) {
        let missing = columns.saturating_sub(self.width());
        self.push(Tone::Plain, &" ".repeat(missing));
    }

    /// The beginning of the line in at most `columns`, with `…` for what was cut off.
    pub(super) fn cut(self, columns: usize) -> Self {
        if self.width() <= columns {
            return self;
        }
        let mut left = columns;
        let mut line = Self::default();
        for (tone, text) in self.spans {
            let wide = width(&text);
            if wide >= left {
                // One column more than there is, so that the cut is marked even where this piece ends with the line.
                line.push(tone, &cut(&format!("{text} …"), left));
                break;
            }
            left -= wide;
            line.spans.push((tone, text));
        }
        line
    }

    /// The text, with escape sequences for its tones if `colour` is wanted. No line end.
    pub(super) fn paint(&self, colour: bool) -> String {
        let mut painted = String::new();
        for (tone, text) in &self.spans {
            match tone.sgr().filter(|_| colour) {
                Some(sgr) => {
                    painted.extend(["\u{1b}[", sgr, "m", text, "\u{1b}[0m"]);
                }
                None => painted.push_str(text),
            }
        }
        painted
    }
}

#[cfg(test)]
mod tests {
    use super::{Line, Tone};

    fn line() -> Line {
        let mut line = Line::of(Tone::Bad, "failing");
        line.push(Tone::Plain, "  ");
        line.push(Tone::Strong, "東京");
        line
    }

    #[test]
    fn colour_is_left_out_where_nobody_wants_it() {
        assert_eq!(
            line().paint(true),
            "\u{1b}[31mfailing\u{1b}[0m  \u{1b}[1m東京\u{1b}[0m"
        );
        assert_eq!(line().paint(false), "failing  東京");
    }

    #[test]
    fn whatever_is_pushed_is_harmless() {
        assert_eq!(
            Line::of(Tone::Plain, "a\u{1b}[1mb\n").paint(true),
            "a\u{fffd}[1mb "
        );
    }

    #[test]
    fn a_cut_counts_columns_over_all_pieces() {
        assert_eq!(line().cut(13).paint(false), "failing  東京");
        assert_eq!(line().cut(12).paint(false), "failing  東…");
        assert_eq!(line().cut(9).paint(false), "failing…");
        assert_eq!(line().cut(8).paint(false), "failing…");
        assert_eq!(line().cut(7).paint(false), "failin…");
        assert_eq!(line().cut(4).paint(false), "fai…");
        let mut filled = line().cut(4);
        filled.fill(6);
        assert_eq!(filled.paint(false), "fai…  ");
    }
}
