//! Which characters make a word.
//!
//! Python's `re` takes `str.isalnum()` or an underscore for `\w`, so letters and numbers of all scripts, but not
//! marks, which Unicode's own definition (UTS #18, annex C) and Rust's `regex` include. Which characters are
//! letters grows with each version of Unicode. For counts to be those of Python to the last character,
//! `classes.txt` is what Python 3.11 (Unicode 14) answers for every character; `fixtures/make.py` writes it.

use std::sync::LazyLock;

/// Ranges of code points, first and last in hexadecimal.
const RANGES: &str = include_str!("classes.txt");

const CODE_POINTS: usize = char::MAX as usize + 1;

/// Answers for ASCII, which most texts are made of.
const ASCII: [bool; 128] = {
    let mut table = [false; 128];
    let mut byte = 0_u8;
    while byte < 128 {
        table[byte as usize] = byte.is_ascii_alphanumeric() || byte == b'_';
        byte += 1;
    }
    table
};

/// A bit for each character, 136 KiB, set up when the first text of this instance has more than ASCII.
static WORD: LazyLock<Box<[u64]>> = LazyLock::new(|| {
    let mut bits = vec![0; CODE_POINTS / 64].into_boxed_slice();
    for (first, last) in RANGES.lines().filter_map(range) {
        for code in first..=last.min(CODE_POINTS - 1) {
            bits[code / 64] |= 1 << (code % 64);
        }
    }
    bits
});

/// Whether Python's `\w` matches the character.
#[inline]
pub(super) fn is_word(character: char) -> bool {
    let code = character as usize;
    match ASCII.get(code) {
        Some(&is_word) => is_word,
        None => WORD[code / 64] >> (code % 64) & 1 == 1,
    }
}

fn range(line: &str) -> Option<(usize, usize)> {
    let (first, last) = line.split_once(' ')?;
    let code = |text| usize::from_str_radix(text, 16).ok();
    Some((code(first)?, code(last)?))
}
