//! The distinct words of a text, exactly, in little memory.
//!
//! The words stand one after another in blocks, each ended by a byte that UTF-8 never has; the table holds only where
//! each begins. Every word of a text but the last is followed by another byte there as well, so the words take no more
//! than the text. Blocks, because one buffer that doubles would for a moment need three times its size. The hash is
//! keyed at random (SipHash), so that no text can be made to collide.

use std::hash::{BuildHasher, RandomState};

use hashbrown::HashTable;

/// Ends a word; no byte of UTF-8 has this value (RFC 3629, section 1).
const END: u8 = 0xFF;

/// Bytes of words in a block.
const BLOCK: usize = 1 << BLOCK_BITS;
const BLOCK_BITS: u32 = 18;

/// A longer word has a block of its own, so that little of a block stays empty.
const LONG: usize = BLOCK / 16;

#[derive(Default)]
pub(super) struct WordSet {
    blocks: Vec<Vec<u8>>,
    /// The block that takes the next word.
    filling: usize,
    /// What is known of a word that goes on in the next chunk.
    open: Vec<u8>,
    places: HashTable<Place>,
    hasher: RandomState,
}

/// Where a word begins: the number of its block, and the byte within.
#[derive(Clone, Copy)]
struct Place(u32);

impl WordSet {
    /// Different words so far.
    pub(super) fn len(&self) -> u32 {
        u32::try_from(self.places.len()).unwrap_or(u32::MAX)
    }

    /// Adds a part to the open word.
    pub(super) fn extend(&mut self, part: &[u8]) {
        self.open.extend_from_slice(part);
    }

    /// Ends the word whose last (often only) part is `part`.
    pub(super) fn end_with(&mut self, part: &[u8]) {
        if self.open.is_empty() {
            self.insert(part);
        } else {
            self.extend(part);
            self.close();
        }
    }

    /// Ends the open word.
    pub(super) fn close(&mut self) {
        let mut open = std::mem::take(&mut self.open);
        self.insert(&open);
        open.clear();
        open.shrink_to(LONG);
        self.open = open;
    }

    /// Bytes of memory held.
    pub(super) fn allocated(&self) -> usize {
        let blocks: usize = self.blocks.iter().map(Vec::capacity).sum();
        blocks + self.open.capacity() + self.places.allocation_size()
    }

    fn insert(&mut self, word: &[u8]) {
        let hash = self.hasher.hash_one(word);
        let blocks = &self.blocks;
        let same = |place: &Place| {
            let rest = place.of(blocks).strip_prefix(word);
            rest.is_some_and(|rest| rest.first() == Some(&END))
        };
        if self.places.find(hash, same).is_some() {
            return;
        }
        // Past 4 GiB of distinct words, which no upload can have, further ones would not be counted.
        let Some(place) = self.store(word) else {
            return;
        };
        let (blocks, hasher) = (&self.blocks, &self.hasher);
        let hash_at = |place: &Place| hasher.hash_one(place.word(blocks));
        self.places.insert_unique(hash, place, hash_at);
    }

    fn store(&mut self, word: &[u8]) -> Option<Place> {
        let size = word.len() + 1;
        let number = if size > LONG {
            self.blocks.push(Vec::with_capacity(size));
            self.blocks.len() - 1
        } else {
            match self.blocks.get(self.filling) {
                Some(block) if block.len() + size <= BLOCK => {}
                // The first one grows as it needs: most texts have few distinct words.
                None => self.blocks.push(Vec::new()),
                Some(_) => {
                    self.blocks.push(Vec::with_capacity(BLOCK));
                    self.filling = self.blocks.len() - 1;
                }
            }
            self.filling
        };
        let block = &mut self.blocks[number];
        let place = Place::new(number, block.len())?;
        block.extend_from_slice(word);
        block.push(END);
        Some(place)
    }
}

impl Place {
    fn new(block: usize, at: usize) -> Option<Self> {
        let number = u32::try_from(block)
            .ok()
            .filter(|number| number >> (32 - BLOCK_BITS) == 0)?;
        Some(Self(number << BLOCK_BITS | u32::try_from(at).ok()?))
    }

    /// The word, its end and what stands behind.
    fn of(self, blocks: &[Vec<u8>]) -> &[u8] {
        &blocks[(self.0 >> BLOCK_BITS) as usize][self.0 as usize % BLOCK..]
    }

    fn word(self, blocks: &[Vec<u8>]) -> &[u8] {
        let rest = self.of(blocks);
        let end = rest.iter().position(|&byte| byte == END);
        &rest[..end.unwrap_or(rest.len())]
    }
}
