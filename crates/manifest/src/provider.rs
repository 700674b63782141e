//! Providers of variables: the environment, a `.env` file, fixed values, a folder of files.

use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use crate::dotenv;
use crate::error::Error;
use crate::secret::Secret;

/// What the names of environment variables start with unless the runtime configuration says otherwise.
pub const DEFAULT_ENVIRONMENT_PREFIX: &str = "SPIN_VARIABLE";
/// The file with more environment variables, in the working directory.
pub const DEFAULT_DOTENV_FILE: &str = ".env";

/// Something that gives variables their values.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum VariablesProvider {
    /// `PREFIX_NAME` of the environment, else of a `.env` file.
    Environment {
        /// What comes before `_NAME`.
        prefix: String,
        /// A file of `NAME=value` lines; if there is none, it is as if it were empty.
        dotenv: Option<PathBuf>,
    },
    /// Values written in the runtime configuration.
    Static(BTreeMap<String, Secret>),
    /// A folder with one file for each variable, named like it, as Kubernetes mounts secrets. One newline at the end of a
    /// file doesn't belong to the value. Not in Spin.
    Files(PathBuf),
}

impl Default for VariablesProvider {
    fn default() -> Self {
        Self::Environment {
            prefix: DEFAULT_ENVIRONMENT_PREFIX.to_owned(),
            dotenv: Some(DEFAULT_DOTENV_FILE.into()),
        }
    }
}

impl VariablesProvider {
    /// The value of variable `name`, if this provider has one. `environment` looks up environment variables.
    pub(crate) fn get(
        &self,
        name: &str,
        environment: &dyn Fn(&str) -> Option<String>,
    ) -> Result<Option<String>, Error> {
        match self {
            Self::Environment { prefix, dotenv } => {
                let name = format!("{prefix}_{}", name.to_ascii_uppercase());
                match (environment(&name), dotenv) {
                    (None, Some(file)) => dotenv::get(file, &name),
                    (value, _) => Ok(value),
                }
            }
            Self::Static(values) => Ok(values.get(name).map(|value| value.expose().to_owned())),
            Self::Files(folder) => read_optional(&folder.join(name)).map(|text| {
                text.map(|text| text.strip_suffix('\n').map(str::to_owned).unwrap_or(text))
            }),
        }
    }
}

/// Reads a file that needn't be there.
pub(crate) fn read_optional(file: &Path) -> Result<Option<String>, Error> {
    match std::fs::read_to_string(file) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(cause) => Err(Error::Read {
            file: file.to_owned(),
            cause,
            remedy: "give variables as readable files of UTF-8 text".to_owned(),
        }),
    }
}
