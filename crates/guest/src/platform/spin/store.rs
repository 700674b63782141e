//! The stores of the Spin host: `spin:key-value@3.0.0`.

use futures::future::LocalBoxFuture;
use spin_sdk::key_value::{Error, Store};

use crate::store::{Backend, StoreError};

/// An open store of the host.
pub(super) struct SpinStore(Store);

impl SpinStore {
    pub(super) async fn open(label: &'static str) -> Result<Self, StoreError> {
        Store::open(label)
            .await
            .map(Self)
            .map_err(|error| match error {
                Error::NoSuchStore | Error::AccessDenied => StoreError::Denied {
                    label: label.to_owned(),
                },
                other => failed("open")(other),
            })
    }
}

fn failed(operation: &'static str) -> impl Fn(Error) -> StoreError {
    move |error| StoreError::Unavailable {
        operation,
        reason: error.to_string(),
    }
}

impl Backend for SpinStore {
    fn get<'a>(&'a self, key: &'a str) -> LocalBoxFuture<'a, Result<Option<Vec<u8>>, StoreError>> {
        Box::pin(async move { self.0.get(key).await.map_err(failed("get")) })
    }

    fn set<'a>(
        &'a self,
        key: &'a str,
        value: &'a [u8],
    ) -> LocalBoxFuture<'a, Result<(), StoreError>> {
        Box::pin(async move { self.0.set(key, value).await.map_err(failed("set")) })
    }

    fn delete<'a>(&'a self, key: &'a str) -> LocalBoxFuture<'a, Result<(), StoreError>> {
        Box::pin(async move { self.0.delete(key).await.map_err(failed("delete")) })
    }

    fn exists<'a>(&'a self, key: &'a str) -> LocalBoxFuture<'a, Result<bool, StoreError>> {
        Box::pin(async move { self.0.exists(key).await.map_err(failed("exists")) })
    }

    fn keys(&self) -> LocalBoxFuture<'_, Result<Vec<String>, StoreError>> {
        Box::pin(async move {
            self.0
                .get_keys()
                .await
                .collect()
                .await
                .map_err(failed("keys"))
        })
    }
}
