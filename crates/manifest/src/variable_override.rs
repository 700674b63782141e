//! `--variable`: values from the command line, which go before all others.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use crate::error::{Error, Place};
use crate::secret::Secret;

/// One `--variable` argument, in Spin's syntax.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum VariableOverride {
    /// `name=value`.
    Value {
        /// The variable.
        name: String,
        /// Its value.
        value: Secret,
    },
    /// `name=@file`: the value is the whole text of the file.
    File {
        /// The variable.
        name: String,
        /// The file.
        file: PathBuf,
    },
    /// `@file.json`: an object of strings.
    Json(PathBuf),
    /// `@file.toml`: a table of strings.
    Toml(PathBuf),
}

impl FromStr for VariableOverride {
    type Err = Error;

    fn from_str(argument: &str) -> Result<Self, Error> {
        let error = |reason: &str, remedy: &str| Error::Variable {
            name: "(--variable)".to_owned(),
            reason: reason.to_owned(),
            remedy: remedy.to_owned(),
        };
        if let Some(file) = argument.strip_prefix('@') {
            let file = PathBuf::from(file);
            return match file.extension().and_then(|extension| extension.to_str()) {
                Some("json") => Ok(Self::Json(file)),
                Some("toml") => Ok(Self::Toml(file)),
                _ => Err(error(
                    "a file of variables must end in .json or .toml",
                    "name it so, or write name=@file",
                )),
            };
        }
        let Some((name, value)) = argument.split_once('=') else {
            return Err(error(
                "has no \"=\"",
                "write name=value, name=@file, @file.json or @file.toml",
            ));
        };
        Ok(match value.strip_prefix('@') {
            Some(file) => Self::File {
                name: name.to_owned(),
                file: file.into(),
            },
            None => Self::Value {
                name: name.to_owned(),
                value: Secret::new(value),
            },
        })
    }
}

impl VariableOverride {
    /// The values, from the files if it names any.
    pub(crate) fn values(&self) -> Result<BTreeMap<String, Secret>, Error> {
        match self {
            Self::Value { name, value } => Ok(BTreeMap::from([(name.clone(), value.clone())])),
            Self::File { name, file } => {
                Ok(BTreeMap::from([(name.clone(), Secret::new(read(file)?))]))
            }
            Self::Json(file) => {
                let values: Result<BTreeMap<String, String>, _> =
                    serde_json::from_str(&read(file)?);
                // The parser's message could quote a value.
                hide(
                    values.map_err(|error| {
                        (Some(error.line()), "is not a JSON object of strings", file)
                    }),
                )
            }
            Self::Toml(file) => {
                let text = read(file)?;
                let values: Result<BTreeMap<String, String>, _> = toml::from_str(&text);
                let line = |error: &toml::de::Error| {
                    Some(text.get(..error.span()?.start)?.matches('\n').count() + 1)
                };
                hide(values.map_err(|error| (line(&error), "is not a TOML table of strings", file)))
            }
        }
    }
}

type Parsed<'a> = Result<BTreeMap<String, String>, (Option<usize>, &'a str, &'a PathBuf)>;

fn hide(values: Parsed<'_>) -> Result<BTreeMap<String, Secret>, Error> {
    match values {
        Ok(values) => Ok(values
            .into_iter()
            .map(|(name, value)| (name, Secret::new(value)))
            .collect()),
        Err((line, reason, file)) => Err(Error::Syntax {
            place: Place {
                file: file.clone(),
                line,
            },
            reason: format!("{reason}; write one string for each variable"),
        }),
    }
}

fn read(file: &Path) -> Result<String, Error> {
    std::fs::read_to_string(file).map_err(|cause| Error::Read {
        file: file.to_owned(),
        cause,
        remedy: "name a readable file of UTF-8 text with --variable".to_owned(),
    })
}
