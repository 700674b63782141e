//! A table of a TOML file whose keys are taken out one by one; what is left over is an error.

use std::ops::Range;

use crate::document::{Item, Source, join};
use crate::error::{Error, Problem};

/// A table whose keys are taken one by one.
pub(crate) struct Section<'t> {
    pub(crate) source: Source<'t>,
    /// Full path; empty for the whole file.
    pub(crate) key: String,
    pub(crate) span: Range<usize>,
    pub(crate) items: Vec<Item<'t>>,
    pub(crate) known: Vec<&'static str>,
}

impl<'t> Section<'t> {
    /// Takes `key` out, if it is there.
    pub(crate) fn take(&mut self, key: &'static str) -> Option<Item<'t>> {
        self.known.push(key);
        self.take_unadvised(key)
    }

    /// Takes a `key` out that nobody should be advised to use.
    pub(crate) fn take_unadvised(&mut self, key: &str) -> Option<Item<'t>> {
        let at = self.items.iter().position(|item| item.name == key)?;
        Some(self.items.remove(at))
    }

    /// Takes `key` out; without it the table doesn't work.
    pub(crate) fn require(&mut self, key: &'static str, remedy: &str) -> Result<Item<'t>, Error> {
        self.take(key).ok_or_else(|| self.missing(key, remedy))
    }

    pub(crate) fn missing(&self, key: &str, remedy: &str) -> Error {
        let what = ("is missing".to_owned(), remedy.to_owned());
        Error::Invalid(self.source.problem(&self.span, &join(&self.key, key), what))
    }

    /// A problem with the table as a whole.
    pub(crate) fn problem(
        &self,
        reason: impl Into<String>,
        remedy: impl Into<String>,
    ) -> Box<Problem> {
        let key = if self.key.is_empty() {
            "the whole file"
        } else {
            &self.key
        };
        self.source
            .problem(&self.span, key, (reason.into(), remedy.into()))
    }

    pub(crate) fn string(&mut self, key: &'static str) -> Result<Option<String>, Error> {
        self.take(key).map(Item::string).transpose()
    }

    pub(crate) fn boolean(&mut self, key: &'static str) -> Result<Option<bool>, Error> {
        self.take(key).map(Item::boolean).transpose()
    }

    pub(crate) fn count(&mut self, key: &'static str) -> Result<Option<usize>, Error> {
        self.take(key).map(Item::count).transpose()
    }

    pub(crate) fn array(&mut self, key: &'static str) -> Result<Vec<Item<'t>>, Error> {
        self.take(key).map_or(Ok(vec![]), Item::array)
    }

    pub(crate) fn strings(&mut self, key: &'static str) -> Result<Vec<String>, Error> {
        self.array(key)?.into_iter().map(Item::string).collect()
    }

    pub(crate) fn entries(&mut self, key: &'static str) -> Result<Vec<Item<'t>>, Error> {
        self.take(key).map_or(Ok(vec![]), Item::entries)
    }

    /// A table of strings under names the author chose.
    pub(crate) fn string_map(&mut self, key: &'static str) -> Result<Vec<(String, String)>, Error> {
        self.entries(key)?
            .into_iter()
            .map(|item| Ok((item.name.clone(), item.string()?)))
            .collect()
    }

    /// Makes messages speak of the table as `key`.
    pub(crate) fn rename_table(&mut self, key: &str) {
        let old = std::mem::replace(&mut self.key, key.to_owned());
        self.items
            .iter_mut()
            .for_each(|item| item.replace_prefix(&old, key));
    }

    /// Gives the key `from`, if it is there, the name `to`; messages keep the old one.
    pub(crate) fn rename(&mut self, from: &str, to: &str) {
        if let Some(item) = self.items.iter_mut().find(|item| item.name == from) {
            item.name = to.to_owned();
        }
    }

    /// What hasn't been taken yet.
    pub(crate) fn rest(&self) -> &[Item<'t>] {
        &self.items
    }

    /// Nothing may be left over.
    pub(crate) fn finish(self) -> Result<(), Error> {
        let Some(item) = self.items.first() else {
            return Ok(());
        };
        let near = self
            .known
            .iter()
            .find(|known| looks_like(known, &item.name));
        let remedy = match near {
            Some(near) => format!("did you mean {near:?}?"),
            None => format!("remove it, or use one of: {}", self.known.join(", ")),
        };
        Err(item.invalid("unknown key", remedy))
    }
}

/// Whether the two differ by at most two edits, which a slip of the finger makes.
fn looks_like(known: &str, given: &str) -> bool {
    const MOST_EDITS: usize = 2;
    // The distance takes time for each pair of letters, and a file may hold any key.
    given.len() <= 2 * known.len()
        && known.len() > MOST_EDITS
        && strsim::levenshtein(known, given) <= MOST_EDITS
}
