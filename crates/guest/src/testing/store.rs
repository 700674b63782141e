//! A store in memory, for native tests; it can be made to fail.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;

use futures::future::{LocalBoxFuture, ready};

use crate::store::{Backend, StoreError};

/// Keeps values as long as it lives.
#[derive(Debug, Default)]
pub struct MemoryStore {
    values: RefCell<BTreeMap<String, Vec<u8>>>,
    broken: Cell<bool>,
}

impl MemoryStore {
    /// From now on every operation fails as with a store that can't be reached (`true`) or works again (`false`).
    pub fn set_broken(&self, broken: bool) {
        self.broken.set(broken);
    }

    /// Puts a value there.
    pub fn insert(&self, key: &str, value: impl Into<Vec<u8>>) {
        self.values
            .borrow_mut()
            .insert(key.to_owned(), value.into());
    }

    /// The value that is there.
    pub fn value(&self, key: &str) -> Option<Vec<u8>> {
        self.values.borrow().get(key).cloned()
    }

    fn answer<'a, T: 'a>(
        &self,
        operation: &'static str,
        work: impl FnOnce(&mut BTreeMap<String, Vec<u8>>) -> T,
    ) -> LocalBoxFuture<'a, Result<T, StoreError>> {
        Box::pin(ready(if self.broken.get() {
            Err(StoreError::Unavailable {
                operation,
                reason: "connection refused".to_owned(),
            })
        } else {
            Ok(work(&mut self.values.borrow_mut()))
        }))
    }
}

impl Backend for MemoryStore {
    fn get<'a>(&'a self, key: &'a str) -> LocalBoxFuture<'a, Result<Option<Vec<u8>>, StoreError>> {
        self.answer("get", |values| values.get(key).cloned())
    }

    fn set<'a>(
        &'a self,
        key: &'a str,
        value: &'a [u8],
    ) -> LocalBoxFuture<'a, Result<(), StoreError>> {
        self.answer("set", |values| {
            drop(values.insert(key.to_owned(), value.to_vec()))
        })
    }

    fn delete<'a>(&'a self, key: &'a str) -> LocalBoxFuture<'a, Result<(), StoreError>> {
        self.answer("delete", |values| drop(values.remove(key)))
    }

    fn exists<'a>(&'a self, key: &'a str) -> LocalBoxFuture<'a, Result<bool, StoreError>> {
        self.answer("exists", |values| values.contains_key(key))
    }

    fn keys(&self) -> LocalBoxFuture<'_, Result<Vec<String>, StoreError>> {
        self.answer("keys", |values| values.keys().cloned().collect())
    }
}
