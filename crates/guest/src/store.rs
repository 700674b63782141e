//! Key-value stores: the interface, and the handle that handlers use, which traces each operation.

use std::rc::Rc;

use futures::future::LocalBoxFuture;
use opentelemetry::KeyValue;
use opentelemetry::trace::SpanKind;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::cx::Cx;

#[cfg(not(target_family = "wasm"))]
mod memory;
#[cfg(target_family = "wasm")]
pub(crate) mod spin;

#[cfg(not(target_family = "wasm"))]
pub use memory::MemoryStore;

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

/// An open store within one request: each operation is a span of that request's trace.
///
/// All methods fail with [`StoreError`], which `?` turns into a 503 problem in a handler.
pub struct Store {
    cx: Cx,
    label: &'static str,
    backend: Rc<dyn Backend>,
}

impl Store {
    pub(crate) fn new(cx: Cx, label: &'static str, backend: Rc<dyn Backend>) -> Self {
        Self { cx, label, backend }
    }

    /// The value of `key`.
    pub async fn get(&self, key: &str) -> Result<Option<Vec<u8>>, StoreError> {
        self.traced("get", self.backend.get(key)).await
    }

    /// Writes `value`, over an earlier one if there is one.
    pub async fn set(&self, key: &str, value: &[u8]) -> Result<(), StoreError> {
        self.traced("set", self.backend.set(key, value)).await
    }

    /// Removes `key`; no error when there is none.
    pub async fn delete(&self, key: &str) -> Result<(), StoreError> {
        self.traced("delete", self.backend.delete(key)).await
    }

    /// Whether there is a value for `key`.
    pub async fn exists(&self, key: &str) -> Result<bool, StoreError> {
        self.traced("exists", self.backend.exists(key)).await
    }

    /// All keys, in no order.
    pub async fn keys(&self) -> Result<Vec<String>, StoreError> {
        self.traced("keys", self.backend.keys()).await
    }

    /// The value of `key`, read as JSON; [`StoreError::Corrupt`] when it isn't a `T`.
    pub async fn get_json<T: DeserializeOwned>(&self, key: &str) -> Result<Option<T>, StoreError> {
        let Some(bytes) = self.get(key).await? else {
            return Ok(None);
        };
        serde_json::from_slice(&bytes)
            .map(Some)
            .map_err(|error| corrupt(key, &error))
    }

    /// Writes `value` as JSON; [`StoreError::Corrupt`] when JSON can't express it.
    pub async fn set_json(&self, key: &str, value: &impl Serialize) -> Result<(), StoreError> {
        let bytes = serde_json::to_vec(value).map_err(|error| corrupt(key, &error))?;
        self.set(key, &bytes).await
    }

    async fn traced<T>(
        &self,
        operation: &'static str,
        work: LocalBoxFuture<'_, Result<T, StoreError>>,
    ) -> Result<T, StoreError> {
        let mut span = open_span(&self.cx, operation, self.label);
        let result = work.await;
        if let Err(error) = &result {
            span.fail("key_value_error", &error.to_string());
        }
        result
    }
}

fn corrupt(key: &str, error: &serde_json::Error) -> StoreError {
    StoreError::Corrupt {
        key: key.to_owned(),
        reason: error.to_string(),
    }
}

/// Named and attributed by the database conventions of OpenTelemetry: `{operation} {namespace}`, kind CLIENT.
pub(crate) fn open_span(cx: &Cx, operation: &'static str, label: &'static str) -> crate::cx::Span {
    cx.span_of_kind(
        SpanKind::Client,
        format!("{operation} {label}"),
        vec![
            KeyValue::new("db.system.name", "spin.key_value"),
            KeyValue::new("db.operation.name", operation),
            KeyValue::new("db.namespace", label),
        ],
    )
}
