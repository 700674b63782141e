//! The texts that were uploaded, in the key-value store. Layout 1:
//!
//! | key | value |
//! |---|---|
//! | `wordcount:1:text:ID:NNNN` | piece NNNN of the text, [`PIECE`] bytes, written while the text comes in |
//! | `wordcount:1:file:EXACT-NAME` | what is left of the text after its last whole piece; written last, it makes the upload visible |
//!
//! So a small upload is one write, and all that a listing shows stands in the keys. A key is written once and by
//! one request, so replicas that share the store need no lock. Pieces without a record are left by what was cut
//! off; listings remove them.

use std::collections::HashSet;
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use futures::stream::{self, StreamExt};
use futures::{Stream, future};
use spinfo_guest::{Store, StoreError};

mod draft;
mod name;
#[cfg(test)]
mod tests;

pub(crate) use draft::{CommitError, Draft};
pub(crate) use name::Upload;
use name::{Id, is_short_name};

/// Bytes in a piece: few enough for the stores with the smallest values, many enough for 40 writes in the largest
/// upload.
const PIECE: usize = 256 << 10;

/// How long an upload may take, so that those that still go on can be told from those that were cut off.
const UPLOAD_LIMIT: Duration = Duration::from_secs(30 * 60);

/// The age at which pieces without a record are removed; the distance to [`UPLOAD_LIMIT`] is for clocks that
/// disagree.
const ORPHAN_AGE: Duration = Duration::from_secs(2 * 3600);

/// Pieces that one listing removes at most, so that no client waits for another's leavings.
const ORPHANS_AT_ONCE: usize = 64;

/// Bytes of a name that tell its second.
const SECOND: usize = "20261121.051500".len();

const RECORD_PREFIX: &str = "wordcount:1:file:";
const PIECE_PREFIX: &str = "wordcount:1:text:";

fn record_key(exact_name: &str) -> String {
    format!("{RECORD_PREFIX}{exact_name}")
}

fn piece_key(id: Id, piece: u64) -> String {
    format!("{PIECE_PREFIX}{id}:{piece:04}")
}

/// An upload under the name it has among all.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Listed {
    /// The short name for the oldest of those that share it, the exact name for the others.
    pub(crate) name: String,
    pub(crate) upload: Upload,
}

/// Which uploads to list.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Page {
    /// Uploads on the page at most.
    pub(crate) limit: usize,
    /// Only uploads older than this one.
    pub(crate) before: Option<Upload>,
}

/// Uploads, newest first.
#[derive(Debug)]
pub(crate) struct Listing {
    pub(crate) files: Vec<Listed>,
    /// Uploads on all pages.
    pub(crate) total: usize,
    /// Whether older ones follow.
    pub(crate) more: bool,
}

/// An upload with the end of its text.
pub(crate) struct Found {
    pub(crate) upload: Upload,
    rest: Vec<u8>,
}

/// The uploads in one store.
pub(crate) struct Uploads {
    store: Store,
}

impl Uploads {
    pub(crate) fn new(store: Store) -> Self {
        Self { store }
    }

    /// Begins an upload; `random` tells it from those that other requests begin in the same second.
    pub(crate) fn draft(&self, now: SystemTime, random: u64) -> Draft<'_> {
        Draft::new(&self.store, now, random)
    }

    /// One page of the uploads.
    ///
    /// Of a long list only the seconds on the page are looked at: names begin with the time, so they sort as text.
    pub(crate) async fn list(&self, page: Page, now: SystemTime) -> Result<Listing, StoreError> {
        let keys = self.store.keys().await?;
        self.remove_orphans(&keys, now).await;
        let mut names: Vec<&str> = records(&keys).collect();
        names.sort_unstable_by(|one, other| other.cmp(one));
        let newest = page.before.map(|upload| upload.exact_name());
        let mut files = Vec::with_capacity(page.limit.min(names.len()));
        for names in names.chunk_by(|one, other| second(one) == second(other)) {
            if files.len() > page.limit {
                break;
            }
            if newest
                .as_ref()
                .is_some_and(|newest| second(names[0]) > second(newest))
            {
                continue;
            }
            let listed = named(names).into_iter().rev();
            files.extend(
                listed.filter(|listed| page.before.is_none_or(|before| listed.upload < before)),
            );
        }
        let more = files.len() > page.limit;
        files.truncate(page.limit);
        Ok(Listing {
            files,
            total: names.len(),
            more,
        })
    }

    /// The name of an upload among all; see [`Listed::name`].
    pub(crate) async fn name(&self, upload: &Upload) -> Result<String, StoreError> {
        let short = upload.short_name();
        Ok(match self.oldest(&short).await? {
            Some(oldest) if oldest < *upload => upload.exact_name(),
            _ => short,
        })
    }

    /// The upload of an exact or a short name.
    pub(crate) async fn find(&self, name: &str) -> Result<Option<Found>, StoreError> {
        let upload = match Upload::parse(name) {
            Some(upload) => Some(upload),
            None if is_short_name(name) => self.oldest(name).await?,
            None => None,
        };
        let Some(upload) = upload else {
            return Ok(None);
        };
        let key = record_key(&upload.exact_name());
        match self.store.get(&key).await? {
            Some(rest) if rest.len() as u64 == upload.bytes % PIECE as u64 => {
                Ok(Some(Found { upload, rest }))
            }
            Some(rest) => Err(StoreError::Corrupt {
                key,
                reason: format!("it has {} bytes", rest.len()),
            }),
            None => Ok(None),
        }
    }

    /// The text of an upload, piece by piece. It ends early when the store fails, which the announced length gives
    /// away.
    pub(crate) fn into_text(self, found: Found) -> impl Stream<Item = Bytes> + 'static {
        let Found { upload, rest } = found;
        let whole = stream::unfold((self.store, 0), move |(store, number)| async move {
            if number == upload.bytes / PIECE as u64 {
                return None;
            }
            let piece = store.get(&piece_key(upload.id, number)).await;
            let piece = piece.ok().flatten().filter(|piece| piece.len() == PIECE);
            Some((piece, (store, number + 1)))
        });
        whole
            .chain(stream::once(future::ready(Some(rest))))
            .scan((), |(), piece| future::ready(piece.map(Bytes::from)))
            .filter(|piece| future::ready(!piece.is_empty()))
    }

    async fn oldest(&self, short_name: &str) -> Result<Option<Upload>, StoreError> {
        let keys = self.store.keys().await?;
        let stem = short_name.strip_suffix(".txt").unwrap_or(short_name);
        let same = |name: &&str| {
            name.strip_prefix(stem)
                .is_some_and(|rest| rest.starts_with('~'))
        };
        Ok(records(&keys).filter(same).filter_map(Upload::parse).min())
    }

    async fn remove_orphans(&self, keys: &[String], now: SystemTime) {
        let now = now
            .duration_since(SystemTime::UNIX_EPOCH)
            .unwrap_or_default();
        let is_old =
            |id: &Id| now.saturating_sub(Duration::from_secs(id.started.into())) > ORPHAN_AGE;
        let piece_of = |key: &str| {
            Id::parse(key.strip_prefix(PIECE_PREFIX)?.split(':').next()?).filter(is_old)
        };
        if !keys.iter().any(|key| piece_of(key).is_some()) {
            return;
        }
        let remembered: HashSet<Id> = records(keys)
            .filter_map(Upload::parse)
            .map(|upload| upload.id)
            .collect();
        let orphans = keys
            .iter()
            .filter(|key| piece_of(key).is_some_and(|id| !remembered.contains(&id)));
        for key in orphans.take(ORPHANS_AT_ONCE) {
            if self.store.delete(key).await.is_err() {
                break;
            }
        }
    }
}

/// The exact names among the keys.
fn records(keys: &[String]) -> impl Iterator<Item = &str> {
    keys.iter()
        .filter_map(|key| key.strip_prefix(RECORD_PREFIX))
}

/// The second of a name; names of one second stand together when they are sorted.
fn second(name: &str) -> &str {
    name.get(..SECOND).unwrap_or(name)
}

/// The uploads of one second, oldest first.
fn named(exact_names: &[&str]) -> Vec<Listed> {
    let mut uploads: Vec<Upload> = exact_names
        .iter()
        .filter_map(|name| Upload::parse(name))
        .collect();
    uploads.sort_unstable();
    let mut taken = HashSet::new();
    let name = |upload: Upload| {
        let short = upload.short_name();
        let name = match taken.insert(upload.counts) {
            true => short,
            false => upload.exact_name(),
        };
        Listed { name, upload }
    };
    uploads.into_iter().map(name).collect()
}
