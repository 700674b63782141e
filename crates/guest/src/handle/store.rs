//! A key-value store as a handler has it: each operation is a span.

use std::rc::Rc;

use futures::future::LocalBoxFuture;
use opentelemetry::KeyValue;
use opentelemetry::trace::SpanKind;
use spinfo_names::attribute::{DB_NAMESPACE, DB_OPERATION_NAME, DB_SYSTEM_NAME};
use spinfo_names::values::ComponentError;

use crate::cx::{Cx, Span};
use crate::store::{Backend, StoreError};

impl Cx {
    /// The key-value store with this label, opened once per instance.
    ///
    /// # Errors
    /// [`StoreError`], which `?` turns into 503.
    pub async fn store(&self, label: &'static str) -> Result<Store, StoreError> {
        match self.instance().store(label).await {
            Ok(backend) => Ok(Store {
                cx: self.clone(),
                label,
                backend,
            }),
            Err(error) => {
                open_span(self, "open", label)
                    .fail(ComponentError::KeyValueError, &error.to_string());
                Err(error)
            }
        }
    }
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

    async fn traced<T>(
        &self,
        operation: &'static str,
        work: LocalBoxFuture<'_, Result<T, StoreError>>,
    ) -> Result<T, StoreError> {
        let mut span = open_span(&self.cx, operation, self.label);
        let result = work.await;
        if let Err(error) = &result {
            span.fail(ComponentError::KeyValueError, &error.to_string());
        }
        result
    }
}

/// Named and attributed by the database conventions of OpenTelemetry: `{operation} {namespace}`, kind CLIENT.
fn open_span(cx: &Cx, operation: &'static str, label: &'static str) -> Span {
    cx.span_of_kind(
        SpanKind::Client,
        format!("{operation} {label}"),
        vec![
            KeyValue::new(DB_SYSTEM_NAME.key, "spin.key_value"),
            KeyValue::new(DB_OPERATION_NAME.key, operation),
            KeyValue::new(DB_NAMESPACE.key, label),
        ],
    )
}
