//! Key-value stores in an SQLite file, with the same table as Spin's, so both read each other's data.
//!
//! Two threads own a connection each: one writes, one reads, and write-ahead logging keeps them out of each other's
//! way. The writer commits everything that is waiting in one transaction, so the price of a durable write
//! (`synchronous = FULL`, one flush to disk) is shared by all the requests that wait for it.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use rusqlite::{Connection, OptionalExtension as _, Transaction, TransactionBehavior};
use tempfile::TempDir;
use tokio::sync::{mpsc, oneshot};

use super::store::{Store, StoreError, StoreFuture};

/// How long to wait for another process that has the file locked.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);
/// Operations that may wait for a thread; more wait in their callers.
const QUEUE: usize = 1024;
/// Writes that share one transaction at most, which bounds how long the first of them waits.
const MAX_BATCH: usize = 256;

const TABLE: &str = "CREATE TABLE IF NOT EXISTS spin_key_value (
    store TEXT NOT NULL,
    key   TEXT NOT NULL,
    value BLOB NOT NULL,
    PRIMARY KEY (store, key)
)";

type Read = Box<dyn FnOnce(&Connection) + Send>;

struct Write {
    store: Arc<str>,
    key: String,
    /// `None` deletes.
    value: Option<Vec<u8>>,
    done: oneshot::Sender<Result<(), StoreError>>,
}

/// An open database file and its two threads, which end when the last handle is dropped.
#[derive(Clone)]
pub(crate) struct SqliteDatabase {
    reads: mpsc::Sender<Read>,
    writes: mpsc::Sender<Write>,
    /// Removed with the last handle.
    folder: Option<Arc<TempDir>>,
}

impl SqliteDatabase {
    /// Opens the file, making it and its folder when they are missing.
    ///
    /// # Errors
    /// Names the file when it can't be opened or is no SQLite database.
    pub(crate) fn open(path: &Path) -> anyhow::Result<Self> {
        let context = || format!("cannot open the key-value store {}", path.display());
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder).with_context(context)?;
        }
        let writer = connect(path).with_context(context)?;
        writer.execute(TABLE, ()).with_context(context)?;
        let reader = connect(path).with_context(context)?;
        reader
            .pragma_update(None, "query_only", true)
            .with_context(context)?;

        let (reads, read_queue) = mpsc::channel(QUEUE);
        let (writes, write_queue) = mpsc::channel(QUEUE);
        spawn("kv-read", move || serve_reads(&reader, read_queue)).with_context(context)?;
        let file = path.to_owned();
        spawn("kv-write", move || serve_writes(writer, &file, write_queue))
            .with_context(context)?;
        Ok(Self {
            reads,
            writes,
            folder: None,
        })
    }

    /// A database that is gone when the last handle to it is: in a temporary file, so that it has the same two connections.
    ///
    /// # Errors
    /// When there is no room for temporary files.
    pub(crate) fn temporary() -> anyhow::Result<Self> {
        let folder = tempfile::Builder::new()
            .prefix("spinfo-store-")
            .tempdir()
            .context("cannot make a temporary key-value store")?;
        let mut database = Self::open(&folder.path().join("store.db"))?;
        database.folder = Some(Arc::new(folder));
        Ok(database)
    }

    pub(crate) fn store(&self, name: &str) -> SqliteStore {
        SqliteStore {
            database: self.clone(),
            name: name.into(),
        }
    }

    async fn read<T: Send + 'static>(
        &self,
        query: impl FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, StoreError> {
        let (done, result) = oneshot::channel();
        let job: Read = Box::new(move |connection| {
            // Nobody waits for the answer when its request has been given up.
            let _ = done.send(query(connection).map_err(refused));
        });
        self.reads.send(job).await.map_err(|_| stopped())?;
        result.await.map_err(|_| stopped())?
    }

    async fn write(
        &self,
        store: Arc<str>,
        key: String,
        value: Option<Vec<u8>>,
    ) -> Result<(), StoreError> {
        let (done, result) = oneshot::channel();
        self.writes
            .send(Write {
                store,
                key,
                value,
                done,
            })
            .await
            .map_err(|_| stopped())?;
        result.await.map_err(|_| stopped())?
    }
}

fn spawn(name: &str, run: impl FnOnce() + Send + 'static) -> std::io::Result<()> {
    std::thread::Builder::new()
        .name(name.into())
        .spawn(run)
        .map(drop)
}

fn connect(path: &Path) -> rusqlite::Result<Connection> {
    let connection = Connection::open(path)?;
    connection.busy_timeout(BUSY_TIMEOUT)?;
    connection.pragma_update(None, "journal_mode", "wal")?;
    connection.pragma_update(None, "synchronous", "full")?;
    Ok(connection)
}

fn serve_reads(connection: &Connection, mut queue: mpsc::Receiver<Read>) {
    while let Some(job) = queue.blocking_recv() {
        job(connection);
    }
}

fn serve_writes(mut connection: Connection, file: &Path, mut queue: mpsc::Receiver<Write>) {
    let mut batch = Vec::with_capacity(MAX_BATCH);
    while queue.blocking_recv_many(&mut batch, MAX_BATCH) > 0 {
        let outcome = commit(&mut connection, &batch).map_err(|error| {
            tracing::error!(file = %file.display(), %error, "the key-value store did not take a write");
            refused(error)
        });
        for write in batch.drain(..) {
            let _ = write.done.send(outcome.clone());
        }
    }
}

fn commit(connection: &mut Connection, batch: &[Write]) -> rusqlite::Result<()> {
    let transaction = Transaction::new(connection, TransactionBehavior::Immediate)?;
    for write in batch {
        match &write.value {
            Some(value) => transaction
                .prepare_cached(
                    "INSERT INTO spin_key_value (store, key, value) VALUES (?1, ?2, ?3)
                     ON CONFLICT (store, key) DO UPDATE SET value = excluded.value",
                )?
                .execute((&*write.store, &write.key, value))?,
            None => transaction
                .prepare_cached("DELETE FROM spin_key_value WHERE store = ?1 AND key = ?2")?
                .execute((&*write.store, &write.key))?,
        };
    }
    transaction.commit()
}

fn refused(error: rusqlite::Error) -> StoreError {
    StoreError(format!("the key-value store is not available: {error}"))
}

fn stopped() -> StoreError {
    StoreError("the key-value store has stopped".into())
}

/// One store in a database file.
pub(crate) struct SqliteStore {
    database: SqliteDatabase,
    name: Arc<str>,
}

impl Store for SqliteStore {
    fn get(&self, key: String) -> StoreFuture<'_, Option<Vec<u8>>> {
        let name = self.name.clone();
        Box::pin(self.database.read(move |connection| {
            connection
                .prepare_cached("SELECT value FROM spin_key_value WHERE store = ?1 AND key = ?2")?
                .query_row((&*name, &key), |row| row.get(0))
                .optional()
        }))
    }

    fn set(&self, key: String, value: Vec<u8>) -> StoreFuture<'_, ()> {
        Box::pin(self.database.write(self.name.clone(), key, Some(value)))
    }

    fn delete(&self, key: String) -> StoreFuture<'_, ()> {
        Box::pin(self.database.write(self.name.clone(), key, None))
    }

    fn exists(&self, key: String) -> StoreFuture<'_, bool> {
        let name = self.name.clone();
        Box::pin(self.database.read(move |connection| {
            connection
                .prepare_cached("SELECT 1 FROM spin_key_value WHERE store = ?1 AND key = ?2")?
                .exists((&*name, &key))
        }))
    }

    fn keys(&self) -> StoreFuture<'_, Vec<String>> {
        let name = self.name.clone();
        Box::pin(self.database.read(move |connection| {
            connection
                .prepare_cached("SELECT key FROM spin_key_value WHERE store = ?1")?
                .query_map([&*name], |row| row.get(0))?
                .collect()
        }))
    }

    fn ping(&self) -> StoreFuture<'_, ()> {
        Box::pin(
            self.database
                .read(|connection| connection.query_row("SELECT 1", (), |_| Ok(()))),
        )
    }
}

#[cfg(test)]
mod tests {
    use futures::future::join_all;

    use super::*;

    #[tokio::test]
    async fn what_was_acknowledged_is_there_for_the_next_process() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("below/store.db");
        let store = SqliteDatabase::open(&file).unwrap().store("default");
        let writes = (0..500).map(|n| store.set(format!("key {n}"), vec![n as u8]));
        assert!(join_all(writes).await.into_iter().all(|done| done.is_ok()));
        store.delete("key 7".into()).await.unwrap();

        // As after a kill: the first connections are still open and have not been told.
        let next = SqliteDatabase::open(&file).unwrap().store("default");
        assert_eq!(next.keys().await.unwrap().len(), 499);
        assert_eq!(
            next.get("key 300".into()).await.unwrap(),
            Some(vec![300u16 as u8])
        );
        assert_eq!(next.get("key 7".into()).await.unwrap(), None);
        assert!(!next.exists("key 7".into()).await.unwrap());
    }

    #[tokio::test]
    async fn stores_of_one_file_do_not_see_each_other() {
        let database = SqliteDatabase::temporary().unwrap();
        let (one, other) = (database.store("one"), database.store("other"));
        one.set("key".into(), b"value".to_vec()).await.unwrap();
        assert_eq!(other.get("key".into()).await.unwrap(), None);
        assert_eq!(one.keys().await.unwrap(), ["key"]);
    }

    #[test]
    fn a_file_that_is_no_database_is_named() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(
            file.path(),
            "this is text, and long enough to be looked at as a header",
        )
        .unwrap();
        let error = format!("{:#}", SqliteDatabase::open(file.path()).err().unwrap());
        assert!(
            error.contains(&file.path().display().to_string()),
            "{error}"
        );
    }
}
