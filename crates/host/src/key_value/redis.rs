//! Key-value stores in Redis or Valkey. Keys are stored as they are, as Spin does.

use std::time::Duration;

use anyhow::Context as _;
use redis::aio::{ConnectionManager, ConnectionManagerConfig};
use redis::{AsyncCommands as _, AsyncIter, Client};
use tokio::runtime::Handle;

use super::store::{Store, StoreError, StoreFuture};

/// A server that takes longer than this counts as gone; the guest answers instead of waiting.
const RESPONSE_TIMEOUT: Duration = Duration::from_secs(2);
const CONNECTION_TIMEOUT: Duration = Duration::from_secs(1);

/// One Redis database. Commands of all requests share a connection, which reconnects by itself.
pub(crate) struct RedisStore {
    connection: ConnectionManager,
    runtime: Handle,
}

impl RedisStore {
    /// Prepares the connection; it is made with the first command, so a server that comes up later is no error.
    ///
    /// # Errors
    /// When the URL isn't one of Redis. The URL itself isn't named: it may hold a password.
    pub(crate) fn new(store: &str, url: &str, runtime: Handle) -> anyhow::Result<Self> {
        let client = Client::open(url).with_context(|| {
            format!("key-value store {store:?}, key `url`: not a Redis URL (redis://host:6379/0)")
        })?;
        let config = ConnectionManagerConfig::new()
            .set_connection_timeout(Some(CONNECTION_TIMEOUT))
            .set_response_timeout(Some(RESPONSE_TIMEOUT))
            .set_number_of_retries(1);
        let _in_runtime = runtime.enter();
        let connection =
            ConnectionManager::new_lazy_with_config(client, config).with_context(|| {
                format!("key-value store {store:?}: cannot prepare the connection to Redis")
            })?;
        drop(_in_runtime);
        Ok(Self {
            connection,
            runtime,
        })
    }

    /// Runs a command on the runtime that owns the connection.
    fn run<T, F>(&self, command: impl FnOnce(ConnectionManager) -> F) -> StoreFuture<'_, T>
    where
        T: Send + 'static,
        F: Future<Output = redis::RedisResult<T>> + Send + 'static,
    {
        let task = self.runtime.spawn(command(self.connection.clone()));
        Box::pin(async move {
            match task.await {
                Ok(Ok(value)) => Ok(value),
                Ok(Err(error)) => Err(unavailable(&error)),
                Err(_) => Err(StoreError("the key-value store has stopped".into())),
            }
        })
    }
}

fn unavailable(error: &redis::RedisError) -> StoreError {
    tracing::warn!(%error, "the Redis key-value store is not available");
    StoreError(format!(
        "the key-value store is not available: {}",
        error.category()
    ))
}

impl Store for RedisStore {
    fn get(&self, key: String) -> StoreFuture<'_, Option<Vec<u8>>> {
        self.run(|mut redis| async move { redis.get(key).await })
    }

    fn set(&self, key: String, value: Vec<u8>) -> StoreFuture<'_, ()> {
        self.run(|mut redis| async move { redis.set(key, value).await })
    }

    fn delete(&self, key: String) -> StoreFuture<'_, ()> {
        self.run(|mut redis| async move { redis.del(key).await })
    }

    fn exists(&self, key: String) -> StoreFuture<'_, bool> {
        self.run(|mut redis| async move { redis.exists(key).await })
    }

    fn keys(&self) -> StoreFuture<'_, Vec<String>> {
        self.run(|mut redis| async move {
            let mut found: AsyncIter<'_, String> = redis.scan().await?;
            let mut keys = Vec::new();
            while let Some(key) = found.next_item().await {
                keys.push(key?);
            }
            // SCAN may return an element more than once.
            keys.sort_unstable();
            keys.dedup();
            Ok(keys)
        })
    }

    fn ping(&self) -> StoreFuture<'_, ()> {
        self.run(|mut redis| async move { redis.ping().await })
    }
}
