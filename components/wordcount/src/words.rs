//! Counting the words of a text that arrives in chunks.
//!
//! A word is a non-empty piece of the text split on Python's `\W+`, that is a longest run of the characters which
//! Python's `re` takes for `\w` ([`classes`]). Counting is case-sensitive and exact; nothing of the text is kept
//! but its distinct words ([`set`]).

mod classes;
mod set;
#[cfg(test)]
mod tests;

use classes::is_word;
use set::WordSet;

/// How often words occur in a text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Counts {
    /// All words.
    pub(crate) words: u32,
    /// Different words, compared by their bytes.
    pub(crate) unique: u32,
}

/// The bytes are not UTF-8, so they are not text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not UTF-8 at byte {offset}; send the text in UTF-8")]
pub(crate) struct NotText {
    /// Bytes of well-formed UTF-8 before the first that is not.
    pub(crate) offset: u64,
}

/// Counts the words of one text.
///
/// It holds the distinct words and an index over them. For a text of 10 MiB made of nothing but different words as
/// short as possible that is 31 MiB, and 10 MiB more for the moment in which the index grows. Prose takes about a tenth
/// of its own size.
#[derive(Default)]
pub(crate) struct WordCounter {
    distinct: WordSet,
    words: u32,
    in_word: bool,
    /// The beginning of a UTF-8 sequence whose end is in the next chunk.
    cut: [u8; 4],
    cut_len: usize,
    /// Bytes that were well-formed, for the error.
    read: u64,
}

impl WordCounter {
    /// Takes the next chunk, wherever words and UTF-8 sequences are cut. After an error the count is void.
    pub(crate) fn feed(&mut self, mut chunk: &[u8]) -> Result<(), NotText> {
        while self.cut_len > 0 && !chunk.is_empty() {
            self.cut[self.cut_len] = chunk[0];
            self.cut_len += 1;
            chunk = &chunk[1..];
            let sequence = self.cut;
            match str::from_utf8(&sequence[..self.cut_len]) {
                Ok(text) => {
                    self.cut_len = 0;
                    self.scan(text);
                }
                // Four bytes are never incomplete, so the array is long enough.
                Err(error) if error.error_len().is_none() => {}
                Err(_) => return Err(self.not_text(0)),
            }
        }
        match str::from_utf8(chunk) {
            Ok(text) => self.scan(text),
            Err(error) if error.error_len().is_some() => {
                return Err(self.not_text(error.valid_up_to()));
            }
            Err(error) => {
                let (whole, cut) = chunk.split_at(error.valid_up_to());
                self.scan(str::from_utf8(whole).map_err(|_| self.not_text(0))?);
                self.cut[..cut.len()].copy_from_slice(cut);
                self.cut_len = cut.len();
            }
        }
        Ok(())
    }

    /// Bytes of memory held for the words so far.
    pub(crate) fn allocated(&self) -> usize {
        self.distinct.allocated()
    }

    /// Ends the text, which must not stop inside a UTF-8 sequence.
    pub(crate) fn finish(mut self) -> Result<Counts, NotText> {
        if self.cut_len > 0 {
            return Err(self.not_text(0));
        }
        if self.in_word {
            self.words += 1;
            self.distinct.close();
        }
        Ok(Counts {
            words: self.words,
            unique: self.distinct.len(),
        })
    }

    fn not_text(&self, further: usize) -> NotText {
        NotText {
            offset: self.read + further as u64,
        }
    }

    fn scan(&mut self, text: &str) {
        let bytes = text.as_bytes();
        let mut word_start = 0;
        let mut at = 0;
        while at < bytes.len() {
            let (is_word, width) = match text[at..].chars().next() {
                Some(character) => (is_word(character), character.len_utf8()),
                None => break,
            };
            if is_word && !self.in_word {
                word_start = at;
            } else if !is_word && self.in_word {
                self.words += 1;
                self.distinct.end_with(&bytes[word_start..at]);
            }
            self.in_word = is_word;
            at += width;
        }
        if self.in_word {
            self.distinct.extend(&bytes[word_start..]);
        }
        self.read += bytes.len() as u64;
    }
}
