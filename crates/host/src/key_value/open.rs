//! The stores of an application, opened once however often the application is loaded.

use std::collections::{BTreeMap, HashMap};
use std::path::PathBuf;
use std::sync::Arc;

use anyhow::Context as _;
use spinfo_manifest::StoreConfig;
use tokio::runtime::Handle;

use super::redis::RedisStore;
use super::sqlite::SqliteDatabase;
use super::store::Store;

/// Open stores by label.
#[derive(Default)]
pub(crate) struct Stores {
    open: BTreeMap<String, (StoreConfig, Arc<dyn Store>)>,
    files: HashMap<PathBuf, SqliteDatabase>,
}

impl Stores {
    /// Opens what `configured` names. What `before` has open by the same label and configuration is taken over: two versions
    /// then share its connections, and data in memory outlives a reload.
    ///
    /// # Errors
    /// Names the store that can't be opened. Must be called within a runtime, which Redis connections will belong to.
    pub(crate) fn open(
        configured: BTreeMap<String, StoreConfig>,
        before: Option<&Self>,
    ) -> anyhow::Result<Self> {
        let mut stores = Self::default();
        for (label, config) in configured {
            let known = before
                .and_then(|before| before.open.get(&label))
                .filter(|(known, _)| *known == config);
            let store = match (&config, known) {
                (_, Some((_, store))) => store.clone(),
                (StoreConfig::Redis { url }, None) => {
                    Arc::new(RedisStore::new(&label, url.expose(), Handle::current())?)
                }
                (StoreConfig::Sqlite { path: None }, None) => {
                    Arc::new(SqliteDatabase::temporary()?.store(&label))
                }
                (StoreConfig::Sqlite { path: Some(path) }, None) => {
                    Arc::new(stores.file(path, &label, before)?.store(&label))
                }
            };
            if let StoreConfig::Sqlite { path: Some(path) } = &config {
                // Also when the store was taken over: another label may share the file.
                stores.file(path, &label, before)?;
            }
            stores.open.insert(label, (config, store));
        }
        Ok(stores)
    }

    fn file(
        &mut self,
        path: &PathBuf,
        label: &str,
        before: Option<&Self>,
    ) -> anyhow::Result<SqliteDatabase> {
        if let Some(open) = self.files.get(path) {
            return Ok(open.clone());
        }
        let database = match before.and_then(|before| before.files.get(path)) {
            Some(open) => open.clone(),
            None => {
                SqliteDatabase::open(path).with_context(|| format!("key-value store {label:?}"))?
            }
        };
        self.files.insert(path.clone(), database.clone());
        Ok(database)
    }

    pub(crate) fn get(&self, label: &str) -> Option<&Arc<dyn Store>> {
        self.open.get(label).map(|(_, store)| store)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (&String, &Arc<dyn Store>)> {
        self.open.iter().map(|(label, (_, store))| (label, store))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn open(configured: &[(&str, Option<PathBuf>)], before: Option<&Stores>) -> Stores {
        let configured = configured
            .iter()
            .map(|(label, path)| ((*label).into(), StoreConfig::Sqlite { path: path.clone() }));
        Stores::open(configured.collect(), before).unwrap()
    }

    async fn read(stores: &Stores, label: &str) -> Option<Vec<u8>> {
        stores.get(label).unwrap().get("key".into()).await.unwrap()
    }

    #[tokio::test]
    async fn what_is_in_memory_outlives_the_version_that_opened_it() {
        let first = open(&[("a", None), ("b", None)], None);
        let store = first.get("a").unwrap();
        store.set("key".into(), b"value".to_vec()).await.unwrap();
        let second = open(&[("a", None), ("c", None)], Some(&first));
        drop(first);
        assert_eq!(read(&second, "a").await, Some(b"value".to_vec()));
        assert!(second.get("b").is_none());
        assert_eq!(read(&second, "c").await, None);
    }

    #[tokio::test]
    async fn another_configuration_is_another_store_and_one_file_is_opened_once() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("store.db");
        let first = open(&[("a", None)], None);
        let store = first.get("a").unwrap();
        store.set("key".into(), b"value".to_vec()).await.unwrap();
        let second = open(&[("a", Some(file.clone()))], Some(&first));
        assert_eq!(read(&second, "a").await, None);
        let third = open(
            &[("a", Some(file.clone())), ("b", Some(file))],
            Some(&second),
        );
        assert!(Arc::ptr_eq(
            second.get("a").unwrap(),
            third.get("a").unwrap()
        ));
        assert_eq!(third.files.len(), 1);
    }
}
