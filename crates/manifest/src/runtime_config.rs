//! `runtime-config.toml`: what one machine gives to the applications that run on it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::application::Application;
use crate::document::{self, Item};
use crate::error::{Error, Place, Problem, Warning};
use crate::provider::{DEFAULT_ENVIRONMENT_PREFIX, VariablesProvider};
use crate::secret::Secret;
use crate::section::Section;

/// The store that is there without configuration.
pub const DEFAULT_STORE: &str = "default";
/// Its file in the state directory; Spin's name, so that both see the same data.
pub const DEFAULT_STORE_FILE: &str = "sqlite_key_value.db";

/// The runtime configuration; without a file, the default.
#[derive(Clone, Debug, Default)]
pub struct RuntimeConfig {
    /// Key-value stores by label, without the default one unless it is configured.
    pub stores: BTreeMap<String, StoreConfig>,
    /// Providers of variables, in the order in which they are asked.
    pub variables_providers: Vec<VariablesProvider>,
    /// Where state is kept, relative to the working directory.
    pub state_dir: StateDir,
    /// The most memory one instance may have, in bytes.
    pub max_instance_memory: Option<usize>,
    /// Requests that components send.
    pub outbound_http: OutboundHttp,
    /// What works, but probably not as its author thinks.
    pub warnings: Vec<Warning>,
}

/// What keeps a key-value store's data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StoreConfig {
    /// `type = "spin"`: SQLite.
    Sqlite {
        /// The database file; without one, the data is in memory and lost at the end.
        path: Option<PathBuf>,
    },
    /// `type = "redis"`: Redis or Valkey.
    Redis {
        /// The server's URL, which may contain a password.
        url: Secret,
    },
}

/// What `state_dir` says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum StateDir {
    /// Nothing: `.spin` beside the manifest.
    #[default]
    Default,
    /// The empty string: state is kept in memory.
    Unset,
    /// A folder.
    Path(PathBuf),
}

/// `[outbound_http]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutboundHttp {
    /// Whether connections are kept for later requests.
    pub connection_pooling: bool,
    /// The most connections at a time; `None` for no limit, 0 for none at all.
    pub max_connections: Option<usize>,
}

impl Default for OutboundHttp {
    fn default() -> Self {
        Self {
            connection_pooling: true,
            max_connections: None,
        }
    }
}

/// Tables that Spin knows and this crate refuses unless they are empty: key, reason, remedy.
const UNSUPPORTED: [(&str, &str, &str); 7] = [
    (
        "sqlite_database",
        "SQLite databases are not supported",
        "keep the data in a key_value_store",
    ),
    ("llm_compute", "AI models are not supported", "remove it"),
    (
        "client_tls",
        "client certificates are not supported",
        "send the requests through a proxy that has them",
    ),
    (
        "outbound_redis",
        "outbound Redis is not supported",
        "use a key_value_store of type \"redis\"",
    ),
    (
        "outbound_pg",
        "outbound PostgreSQL is not supported",
        "remove it",
    ),
    (
        "outbound_mysql",
        "outbound MySQL is not supported",
        "remove it",
    ),
    (
        "outbound_mqtt",
        "outbound MQTT is not supported",
        "remove it",
    ),
];

impl RuntimeConfig {
    /// Reads and checks a file. Paths of stores and providers are relative to its folder.
    ///
    /// # Errors
    /// [`Error::Read`], and those of [`RuntimeConfig::parse`].
    pub fn load(file: &Path) -> Result<Self, Error> {
        let text = std::fs::read_to_string(file).map_err(|cause| Error::Read {
            file: file.to_owned(),
            cause,
            remedy: "name a readable file with --runtime-config-file".to_owned(),
        })?;
        Self::parse(&text, file.parent().unwrap_or(Path::new("")), file)
    }

    /// Checks the text of a runtime configuration without reading any file. Paths in it are joined to `dir`; `file_name` is for
    /// messages.
    ///
    /// # Errors
    /// [`Error::Syntax`], [`Error::Unsupported`] for what Spin knows and spinfo doesn't do, [`Error::Invalid`].
    pub fn parse(text: &str, dir: &Path, file_name: &Path) -> Result<Self, Error> {
        let mut root = document::parse(text, file_name)?;
        let mut config = Self::default();
        for item in root.entries("key_value_store")? {
            config
                .stores
                .insert(item.name.clone(), read_store(item, dir)?);
        }
        let old = root.take_unadvised("config_provider");
        let providers = match (root.take("variables_provider"), old) {
            (Some(_), Some(old)) => {
                return Err(old.invalid(
                    "is the old name of variables_provider, which is there too",
                    "merge them",
                ));
            }
            (new, old) => new.or(old),
        };
        for item in providers.map_or(Ok(vec![]), Item::array)? {
            config.variables_providers.push(read_provider(item, dir)?);
        }
        config.state_dir = match root.string("state_dir")? {
            None => StateDir::Default,
            Some(dir) if dir.is_empty() => StateDir::Unset,
            Some(dir) => StateDir::Path(dir.into()),
        };
        config.max_instance_memory = root.count("max_instance_memory")?;
        config.read_outbound(&mut root)?;
        for (key, reason, remedy) in UNSUPPORTED {
            if let Some(item) = root.take_unadvised(key).filter(|item| !item.is_empty()) {
                return Err(item.unsupported(reason, remedy));
            }
        }
        if let Some(log_dir) = root
            .take_unadvised("log_dir")
            .filter(|item| item.as_str() != Some(""))
        {
            let remedy = "remove it, the components' output goes to the host's own log";
            return Err(log_dir.unsupported("log files are not supported", remedy));
        }
        root.finish()?;
        Ok(config)
    }

    fn read_outbound(&mut self, root: &mut Section<'_>) -> Result<(), Error> {
        if let Some(item) = root.take("outbound_http") {
            let place = item.clone();
            let mut section = item.section()?;
            // Spin's default is true without this table and false in it.
            self.outbound_http.connection_pooling =
                section.boolean("connection_pooling")?.unwrap_or_default();
            let old = section.take_unadvised("max_concurrent_requests");
            self.outbound_http.max_connections = match (section.count("max_connections")?, old) {
                (Some(_), Some(old)) => {
                    return Err(old.invalid(
                        "is the old name of max_connections, which is there too",
                        "remove it",
                    ));
                }
                (most, None) => most,
                (None, Some(old)) => {
                    let problem = old.problem(
                        "is deprecated and allows one more than it says",
                        "use max_connections",
                    );
                    self.warnings.push(Warning(*problem));
                    Some(old.count()?.saturating_add(1))
                }
            };
            section.finish()?;
            if !self.outbound_http.connection_pooling && place.is_empty() {
                let problem = place.problem(
                    "an empty table turns connection pooling off, as in Spin",
                    "remove it",
                );
                self.warnings.push(Warning(*problem));
            }
        }
        if let Some(item) = root.take("outbound_networking") {
            let mut section = item.section()?;
            for key in ["block_networks", "max_socket_connections"] {
                if let Some(item) = section.take_unadvised(key).filter(|item| !item.is_empty()) {
                    let remedy =
                        "remove it, and name only hosts to be reached in allowed_outbound_hosts";
                    return Err(item
                        .unsupported("limits on sockets and networks are not supported", remedy));
                }
            }
            // All connections are HTTP, so the lower of the two limits holds.
            let limits = [
                section.count("max_total_connections")?,
                self.outbound_http.max_connections,
            ];
            self.outbound_http.max_connections = limits.into_iter().flatten().min();
            section.finish()?;
        }
        Ok(())
    }

    /// The configuration of store `label`; the default store is there without configuration, in `state_dir` or, without
    /// one, in memory.
    pub fn store(&self, label: &str, state_dir: Option<&Path>) -> Option<StoreConfig> {
        self.stores.get(label).cloned().or_else(|| {
            let path = state_dir.map(|dir| dir.join(DEFAULT_STORE_FILE));
            (label == DEFAULT_STORE).then_some(StoreConfig::Sqlite { path })
        })
    }

    /// The stores that components of `application` may open.
    ///
    /// # Errors
    /// [`Error::Invalid`] for the first label that isn't configured.
    pub fn stores_for(
        &self,
        application: &Application,
        state_dir: Option<&Path>,
    ) -> Result<BTreeMap<String, StoreConfig>, Error> {
        let mut stores = BTreeMap::new();
        for component in application.components.values() {
            for label in &component.key_value_stores {
                let store = self.store(label, state_dir).ok_or_else(|| {
                    Error::Invalid(Box::new(Problem {
                        place: Place::file(&application.file),
                        key: format!("component.{}.key_value_stores", component.id),
                        reason: format!("store {label:?} is not configured"),
                        remedy: format!(
                            "add [key_value_store.{label}] with a type to the runtime configuration, or use {DEFAULT_STORE:?}"
                        ),
                    }))
                })?;
                stores.insert(label.clone(), store);
            }
        }
        Ok(stores)
    }
}

impl StateDir {
    /// The folder for the state of an application, `None` to keep it in memory.
    pub fn resolve(&self, application: &Application) -> Option<PathBuf> {
        match self {
            Self::Default => Some(application.base_dir.join(".spin")),
            Self::Unset => None,
            Self::Path(path) => Some(path.clone()),
        }
    }
}

fn read_store(item: Item<'_>, dir: &Path) -> Result<StoreConfig, Error> {
    let mut section = item.section()?;
    let kind = section.require("type", "write type = \"spin\" or type = \"redis\"")?;
    let store = match kind.as_str() {
        Some("spin") => StoreConfig::Sqlite {
            path: section.string("path")?.map(|path| dir.join(path)),
        },
        Some("redis") => {
            let url = section.require("url", "give the server: url = \"redis://…\"")?;
            StoreConfig::Redis {
                url: Secret::new(url.string()?),
            }
        }
        Some(name @ ("azure_cosmos" | "aws_dynamo")) => {
            let reason = format!("stores of type {name:?} are not supported");
            return Err(kind.unsupported(reason, "use type = \"redis\", or \"spin\" for SQLite"));
        }
        _ => {
            return Err(kind.invalid(
                "unknown type of store",
                "write \"spin\" for SQLite, or \"redis\"",
            ));
        }
    };
    section.finish()?;
    Ok(store)
}

fn read_provider(item: Item<'_>, dir: &Path) -> Result<VariablesProvider, Error> {
    let mut section = item.section()?;
    let kind = section.require("type", "write type = \"env\", \"static\" or \"files\"")?;
    let provider = match kind.as_str() {
        Some("env") => VariablesProvider::Environment {
            prefix: section
                .string("prefix")?
                .unwrap_or_else(|| DEFAULT_ENVIRONMENT_PREFIX.to_owned()),
            dotenv: section.string("dotenv_path")?.map(PathBuf::from),
        },
        Some("static") => {
            let values = section
                .require("values", "give the values: values = { name = \"…\" }")?
                .entries()?;
            let values = values
                .into_iter()
                .map(|item| Ok((item.name.clone(), Secret::new(item.string()?))));
            VariablesProvider::Static(values.collect::<Result<_, Error>>()?)
        }
        Some("files") => {
            let path = section
                .require("path", "give the folder: path = \"/run/secrets\"")?
                .string()?;
            VariablesProvider::Files(dir.join(path))
        }
        Some(name @ ("vault" | "azure_key_vault")) => {
            let reason = format!("variables providers of type {name:?} are not supported");
            return Err(kind.unsupported(
                reason,
                "have the values mounted as files and use type = \"files\"",
            ));
        }
        _ => {
            return Err(kind.invalid(
                "unknown type of provider",
                "write \"env\", \"static\" or \"files\"",
            ));
        }
    };
    section.finish()?;
    Ok(provider)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_store_is_there_without_configuration() {
        let config = RuntimeConfig::default();
        let file = Some(PathBuf::from("/state/sqlite_key_value.db"));
        assert_eq!(
            config.store("default", Some(Path::new("/state"))),
            Some(StoreConfig::Sqlite { path: file })
        );
        assert_eq!(
            config.store("default", None),
            Some(StoreConfig::Sqlite { path: None })
        );
        assert_eq!(config.store("other", None), None);
    }

    #[test]
    fn a_configured_store_goes_before_the_default() {
        let text = "[key_value_store.default]\ntype = 'redis'\nurl = 'redis://h'";
        let config =
            RuntimeConfig::parse(text, Path::new(""), Path::new("runtime-config.toml")).unwrap();
        assert_eq!(
            config.store("default", None),
            Some(StoreConfig::Redis {
                url: Secret::new("redis://h")
            })
        );
    }

    #[test]
    fn a_missing_file_is_named() {
        let error = RuntimeConfig::load(Path::new("/nowhere/r.toml"))
            .unwrap_err()
            .to_string();
        assert!(
            error.starts_with("/nowhere/r.toml: can't be read: "),
            "{error}"
        );
        assert!(
            error.ends_with("; name a readable file with --runtime-config-file"),
            "{error}"
        );
    }
}
