//! `spin:key-value@3.0.0`: the interface for guests, over stores that never block the calling thread.

mod open;
mod redis;
mod sqlite;
pub(crate) mod store;

use std::sync::Arc;

use wasmtime::component::{Accessor, FutureReader, HasData, Resource, StreamReader};

pub(crate) use self::open::Stores;
use self::store::{OpenStore, Store, StoreError};
use crate::bindings::spin::key_value::key_value::{Error, Host, HostStore, HostStoreWithStore};
use crate::runtime::Guest;

/// Stores that one instance may hold open at a time.
const MAX_OPEN_STORES: usize = 256;

pub(crate) struct KeyValue;

impl HasData for KeyValue {
    type Data<'a> = &'a mut Guest;
}

impl Host for &mut Guest {}
impl HostStore for &mut Guest {}

impl From<StoreError> for Error {
    fn from(error: StoreError) -> Self {
        Self::Other(error.0)
    }
}

fn opened<T: Send>(
    accessor: &Accessor<T, KeyValue>,
    store: &Resource<OpenStore>,
) -> wasmtime::Result<Arc<dyn Store>> {
    accessor.with(|mut access| Ok(access.get().table.get(store)?.0.clone()))
}

impl<T: Send> HostStoreWithStore<T> for KeyValue {
    async fn open(
        accessor: &Accessor<T, Self>,
        label: String,
    ) -> wasmtime::Result<Result<Resource<OpenStore>, Error>> {
        accessor.with(|mut access| {
            let guest = access.get();
            let Some(store) = guest.component.grants.stores.get(&label).cloned() else {
                return Ok(Err(Error::AccessDenied));
            };
            if guest.open_stores >= MAX_OPEN_STORES {
                return Ok(Err(Error::StoreTableFull));
            }
            guest.open_stores += 1;
            Ok(Ok(guest.table.push(OpenStore(store))?))
        })
    }

    async fn get(
        accessor: &Accessor<T, Self>,
        store: Resource<OpenStore>,
        key: String,
    ) -> wasmtime::Result<Result<Option<Vec<u8>>, Error>> {
        Ok(opened(accessor, &store)?
            .get(key)
            .await
            .map_err(Error::from))
    }

    async fn set(
        accessor: &Accessor<T, Self>,
        store: Resource<OpenStore>,
        key: String,
        value: Vec<u8>,
    ) -> wasmtime::Result<Result<(), Error>> {
        Ok(opened(accessor, &store)?
            .set(key, value)
            .await
            .map_err(Error::from))
    }

    async fn delete(
        accessor: &Accessor<T, Self>,
        store: Resource<OpenStore>,
        key: String,
    ) -> wasmtime::Result<Result<(), Error>> {
        Ok(opened(accessor, &store)?
            .delete(key)
            .await
            .map_err(Error::from))
    }

    async fn exists(
        accessor: &Accessor<T, Self>,
        store: Resource<OpenStore>,
        key: String,
    ) -> wasmtime::Result<Result<bool, Error>> {
        Ok(opened(accessor, &store)?
            .exists(key)
            .await
            .map_err(Error::from))
    }

    async fn get_keys(
        accessor: &Accessor<T, Self>,
        store: Resource<OpenStore>,
    ) -> wasmtime::Result<(StreamReader<String>, FutureReader<Result<(), Error>>)> {
        let (keys, outcome) = match opened(accessor, &store)?.keys().await {
            Ok(keys) => (keys, Ok(())),
            Err(error) => (Vec::new(), Err(Error::from(error))),
        };
        accessor.with(|mut access| {
            let stream = StreamReader::new(&mut access, keys)?;
            let result =
                FutureReader::new(&mut access, async move { wasmtime::error::Ok(outcome) })?;
            Ok((stream, result))
        })
    }

    async fn drop(
        accessor: &Accessor<T, Self>,
        store: Resource<OpenStore>,
    ) -> wasmtime::Result<()> {
        accessor.with(|mut access| {
            let guest = access.get();
            guest.table.delete(store)?;
            guest.open_stores -= 1;
            Ok(())
        })
    }
}
