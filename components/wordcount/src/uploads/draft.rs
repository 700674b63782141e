//! An upload while it comes in: pieces are stored as they fill up, and nobody sees them before [`Draft::commit`].

use std::hash::{BuildHasher, RandomState};
use std::time::SystemTime;

use jiff::Timestamp;
use spinfo_guest::{Store, StoreError};

use super::name::{Id, Upload};
use super::{PIECE, UPLOAD_LIMIT, piece_key, record_key};
use crate::words::Counts;

/// Why an upload could not be remembered.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CommitError {
    #[error("the upload took longer than {} minutes", UPLOAD_LIMIT.as_secs() / 60)]
    TooSlow,
    #[error("the clock is at {0}, which no upload's name can express; set it")]
    Clock(String),
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Give it up with [`Draft::discard`]. Where that is not possible any more (a crash, a client that went away), the
/// pieces stay until a listing finds them old and without a record.
pub(crate) struct Draft<'s> {
    store: &'s Store,
    id: Id,
    pieces: u64,
    rest: Vec<u8>,
}

impl<'s> Draft<'s> {
    pub(super) fn new(store: &'s Store, now: SystemTime, random: u64) -> Self {
        let since = now
            .duration_since(SystemTime::UNIX_EPOCH)
            .unwrap_or_default();
        Self {
            store,
            id: Id {
                started: u32::try_from(since.as_secs()).unwrap_or(u32::MAX),
                // Two uploads of one request differ as well: no two hashers have the same keys.
                random: RandomState::new().hash_one(random),
            },
            pieces: 0,
            rest: Vec::new(),
        }
    }

    /// Takes the next bytes of the text.
    pub(crate) async fn write(&mut self, mut bytes: &[u8]) -> Result<(), StoreError> {
        while self.rest.len() + bytes.len() >= PIECE {
            let (fitting, further) = bytes.split_at(PIECE - self.rest.len());
            self.rest.extend_from_slice(fitting);
            bytes = further;
            // Counted first: a write that fails may still have happened.
            self.pieces += 1;
            self.store
                .set(&piece_key(self.id, self.pieces - 1), &self.rest)
                .await?;
            self.rest.clear();
        }
        self.rest.extend_from_slice(bytes);
        Ok(())
    }

    /// Makes the upload one that is listed, by one write. Once this has returned, it is remembered.
    ///
    /// When that write fails the pieces stay, because it may have happened all the same.
    pub(crate) async fn commit(
        self,
        counts: Counts,
        now: SystemTime,
    ) -> Result<Upload, CommitError> {
        let uploaded_at =
            Timestamp::try_from(now).map_err(|error| CommitError::Clock(error.to_string()))?;
        let started = i64::from(self.id.started);
        if uploaded_at.as_second().abs_diff(started) > UPLOAD_LIMIT.as_secs() {
            self.discard().await;
            return Err(CommitError::TooSlow);
        }
        let upload = Upload {
            uploaded_at,
            id: self.id,
            counts,
            bytes: self.pieces * PIECE as u64 + self.rest.len() as u64,
        };
        self.store
            .set(&record_key(&upload.exact_name()), &self.rest)
            .await?;
        Ok(upload)
    }

    /// Removes what was stored, as far as the store lets it.
    pub(crate) async fn discard(self) {
        for piece in 0..self.pieces {
            if self.store.delete(&piece_key(self.id, piece)).await.is_err() {
                break;
            }
        }
    }
}
