//! What a key-value store can do, whatever is behind it.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

pub(crate) type StoreFuture<'a, T> =
    Pin<Box<dyn Future<Output = Result<T, StoreError>> + Send + 'a>>;

/// What a store says when it can't do what it was asked for. The text reaches the guest, so it holds no address and
/// no password.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{0}")]
pub(crate) struct StoreError(pub(crate) String);

/// A named map from text to bytes. Every operation has happened, durably, when its future is done.
pub(crate) trait Store: Send + Sync {
    fn get(&self, key: String) -> StoreFuture<'_, Option<Vec<u8>>>;
    fn set(&self, key: String, value: Vec<u8>) -> StoreFuture<'_, ()>;
    fn delete(&self, key: String) -> StoreFuture<'_, ()>;
    fn exists(&self, key: String) -> StoreFuture<'_, bool>;
    fn keys(&self) -> StoreFuture<'_, Vec<String>>;
    /// Whether the store answers at all, for readiness.
    fn ping(&self) -> StoreFuture<'_, ()>;
}

/// A store that a guest has opened.
#[expect(unreachable_pub, reason = "the generated bindings re-export it")]
pub struct OpenStore(pub(super) Arc<dyn Store>);
