//! Key-value stores as a platform offers them.

use futures::future::LocalBoxFuture;

/// Why a key-value operation failed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// The store can't be reached or failed; another try may succeed.
    #[error("key-value {operation}: {reason}")]
    Unavailable {
        /// `open`, `get`, `set`, `delete`, `exists` or `keys`.
        operation: &'static str,
        /// The host's words.
        reason: String,
    },
    /// The component has no right to the store.
    #[error(
        "key-value store {label:?} is not granted: add it to key_value_stores of this component in spin.toml"
    )]
    Denied {
        /// The label that was asked for.
        label: String,
    },
    /// A stored value isn't what this version writes.
    #[error(
        "key-value key {key:?} holds an unreadable value ({reason}): delete it or restore the version that wrote it"
    )]
    Corrupt {
        /// The key.
        key: String,
        /// The parser's words.
        reason: String,
    },
}

/// The operations of `spin:key-value@3.0.0` that the components use.
pub(crate) trait Backend {
    /// The value of `key`.
    fn get<'a>(&'a self, key: &'a str) -> LocalBoxFuture<'a, Result<Option<Vec<u8>>, StoreError>>;
    /// Writes `value`, over an earlier one if there is one.
    fn set<'a>(
        &'a self,
        key: &'a str,
        value: &'a [u8],
    ) -> LocalBoxFuture<'a, Result<(), StoreError>>;
    /// Removes `key`; no error when there is none.
    fn delete<'a>(&'a self, key: &'a str) -> LocalBoxFuture<'a, Result<(), StoreError>>;
    /// Whether there is a value for `key`.
    fn exists<'a>(&'a self, key: &'a str) -> LocalBoxFuture<'a, Result<bool, StoreError>>;
    /// All keys, in no order.
    fn keys(&self) -> LocalBoxFuture<'_, Result<Vec<String>, StoreError>>;
}
