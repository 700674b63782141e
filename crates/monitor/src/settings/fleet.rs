//! The fleet file: TOML whose keys are the names of the flags.
//!
//! It is turned into command lines, one for the defaults and one for each target, so that a key and its flag take the same values and
//! mean the same. Each key is tried on its own first: that way an error has a file, a line and a key.

use std::ffi::OsString;
use std::ops::Range;
use std::path::{Path, PathBuf};

use clap::{ArgAction, Args as _, Command};
use spinfo_client::{NetworkFlags, Target};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::cli::{RequestFlags, RunFlags};

/// Why a fleet file is not used.
#[derive(Debug, thiserror::Error)]
pub enum FleetError {
    /// It is not there, or not readable.
    #[error("cannot read {}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// Something in it is wrong.
    #[error("{}:{line}: {reason}", path.display())]
    Wrong {
        /// The file.
        path: PathBuf,
        /// Counted from 1.
        line: usize,
        /// What is wrong, with the name of the key.
        reason: String,
    },
}

/// What a fleet file says.
#[derive(Debug, Default)]
pub(super) struct Fleet {
    /// As flags.
    pub(super) defaults: Vec<OsString>,
    pub(super) targets: Vec<FleetTarget>,
}

/// One `[[target]]`.
#[derive(Debug)]
pub(super) struct FleetTarget {
    pub(super) url: Target,
    pub(super) name: Option<String>,
    /// What is different for it, as flags.
    pub(super) arguments: Vec<OsString>,
}

/// A mistake and where it is.
struct Mistake {
    at: Range<usize>,
    reason: String,
}

impl Mistake {
    fn new(at: Range<usize>, reason: impl Into<String>) -> Self {
        Self {
            at,
            reason: reason.into(),
        }
    }
}

impl Fleet {
    pub(super) fn read(path: &Path) -> Result<Self, FleetError> {
        let text = std::fs::read_to_string(path).map_err(|source| FleetError::Read {
            path: path.to_owned(),
            source,
        })?;
        let folder = path.parent().unwrap_or(Path::new(""));
        Self::parse(&text, folder).map_err(|mistake| FleetError::Wrong {
            path: path.to_owned(),
            line: text
                .get(..mistake.at.start)
                .unwrap_or(&text)
                .matches('\n')
                .count()
                + 1,
            reason: mistake.reason,
        })
    }

    fn parse(text: &str, folder: &Path) -> Result<Self, Mistake> {
        let document = DeTable::parse(text)
            .map_err(|error| Mistake::new(error.span().unwrap_or(0..0), error.message()))?;
        let defaults = Keys::of_defaults(folder);
        let mut fleet = Self::default();
        for (key, value) in in_order(document.get_ref()) {
            match key.get_ref().as_ref() {
                "target" => fleet.targets = targets(key, value, folder)?,
                _ => fleet.defaults.extend(defaults.arguments(key, value)?),
            }
        }
        Ok(fleet)
    }
}

fn targets(
    key: &Spanned<impl AsRef<str>>,
    value: &Spanned<DeValue<'_>>,
    folder: &Path,
) -> Result<Vec<FleetTarget>, Mistake> {
    let tables = value
        .get_ref()
        .as_array()
        .ok_or_else(|| Mistake::new(key.span(), "target: write [[target]], once for each"))?;
    let keys = Keys::of_targets(folder);
    let mut targets = Vec::new();
    for table in tables.iter() {
        let wrong = || Mistake::new(table.span(), "target: write [[target]] and its keys below");
        targets.push(target(
            table.get_ref().as_table().ok_or_else(wrong)?,
            table.span(),
            &keys,
        )?);
    }
    Ok(targets)
}

fn target(table: &DeTable<'_>, at: Range<usize>, keys: &Keys<'_>) -> Result<FleetTarget, Mistake> {
    let (mut url, mut name, mut arguments) = (None, None, Vec::new());
    for (key, value) in in_order(table) {
        let text = || {
            let text = value
                .get_ref()
                .as_str()
                .filter(|text| !text.trim().is_empty());
            text.ok_or_else(|| {
                Mistake::new(value.span(), format!("{}: write a text", key.get_ref()))
            })
        };
        match key.get_ref().as_ref() {
            "url" => {
                let parsed = text()?.parse::<Target>();
                url = Some(
                    parsed.map_err(|error| Mistake::new(value.span(), format!("url: {error}")))?,
                );
            }
            "name" => name = Some(text()?.to_owned()),
            _ => arguments.extend(keys.arguments(key, value)?),
        }
    }
    let url = url.ok_or_else(|| Mistake::new(at, "target: url is missing"))?;
    Ok(FleetTarget {
        url,
        name,
        arguments,
    })
}

/// Entries as they stand in the file: tables are sorted by name otherwise, and the first mistake is the one to be told.
fn in_order<'a, 'i>(
    table: &'a DeTable<'i>,
) -> Vec<(
    &'a Spanned<toml::de::DeString<'i>>,
    &'a Spanned<DeValue<'i>>,
)> {
    let mut entries: Vec<_> = table.iter().collect();
    entries.sort_by_key(|(key, _)| key.span().start);
    entries
}

/// The keys of one level of the file.
struct Keys<'a> {
    flags: Command,
    /// Those that are no flags.
    others: &'static [&'static str],
    /// What relative paths in the file are relative to.
    folder: &'a Path,
}

impl<'a> Keys<'a> {
    fn of_targets(folder: &'a Path) -> Self {
        let flags = NetworkFlags::augment_args(RequestFlags::augment_args(Command::new("")));
        Self {
            flags: flags.disable_help_flag(true),
            others: &["url", "name"],
            folder,
        }
    }

    fn of_defaults(folder: &'a Path) -> Self {
        Self {
            flags: RunFlags::augment_args(Self::of_targets(folder).flags),
            others: &["target"],
            folder,
        }
    }

    /// The flags that a key and its value stand for.
    fn arguments(
        &self,
        key: &Spanned<impl AsRef<str>>,
        value: &Spanned<DeValue<'_>>,
    ) -> Result<Vec<OsString>, Mistake> {
        let name = key.get_ref().as_ref();
        let flag = self
            .flags
            .get_arguments()
            .find(|flag| key_of(flag).as_deref() == Some(name));
        let Some(flag) = flag else {
            return Err(Mistake::new(key.span(), self.unknown(name)));
        };
        let wrong = |reason: &str| Mistake::new(value.span(), format!("{name}: {reason}"));
        let long = format!("--{}", flag.get_long().unwrap_or_default());
        let texts = if name == HEADERS {
            self.headers(value.get_ref()).ok_or_else(|| {
                wrong("write a table of texts, such as { Authorization = \"@token.txt\" }")
            })?
        } else if matches!(flag.get_action(), ArgAction::SetTrue) {
            return match value.get_ref().as_bool() {
                Some(true) => Ok(vec![long.into()]),
                Some(false) => Ok(Vec::new()),
                None => Err(wrong("write true or false")),
            };
        } else if matches!(flag.get_action(), ArgAction::Append) {
            list(value.get_ref()).ok_or_else(|| wrong("write a text, or a list of texts"))?
        } else {
            vec![scalar(value.get_ref()).ok_or_else(|| wrong("write a text or a number"))?]
        };
        let texts = texts.into_iter().map(|text| {
            if FILES.contains(&name) {
                self.beside(&text)
            } else {
                text
            }
        });
        let arguments: Vec<OsString> = texts
            .map(|text| OsString::from(format!("{long}={text}")))
            .collect();
        self.check(&arguments).map_err(|reason| wrong(&reason))?;
        Ok(arguments)
    }

    /// Parses the flags of one key, and has them read as far as they can be without connecting.
    fn check(&self, arguments: &[OsString]) -> Result<(), String> {
        use clap::FromArgMatches as _;
        let words = std::iter::once(OsString::new()).chain(arguments.iter().cloned());
        let matches = self
            .flags
            .clone()
            .try_get_matches_from(words)
            .map_err(|error| reason(&error))?;
        let network = NetworkFlags::from_arg_matches(&matches).map_err(|error| reason(&error))?;
        network.options([]).map_err(|error| error.to_string())?;
        network.headers().map_err(|error| error.to_string())?;
        Ok(())
    }

    fn headers(&self, value: &DeValue<'_>) -> Option<Vec<String>> {
        let mut lines = Vec::new();
        for (name, value) in in_order(value.as_table()?) {
            for text in list(value.get_ref())? {
                let text = match text.strip_prefix('@') {
                    Some(path) => format!("@{}", self.beside(path)),
                    None => text,
                };
                lines.push(format!("{}: {text}", name.get_ref()));
            }
        }
        Some(lines)
    }

    fn beside(&self, path: &str) -> String {
        self.folder.join(path).to_string_lossy().into_owned()
    }

    fn unknown(&self, name: &str) -> String {
        let mut known: Vec<_> = self.flags.get_arguments().filter_map(key_of).collect();
        known.extend(self.others.iter().map(ToString::to_string));
        known.sort();
        format!(
            "the key {name} is not known; known are {}",
            known.join(", ")
        )
    }
}

/// The key of `--header`, whose values are a table.
const HEADERS: &str = "headers";
/// Keys whose values are paths.
const FILES: [&str; 2] = ["cacert", "admin_token_file"];

/// The key of a flag: its long name, with `_` for what a bare key cannot have.
fn key_of(flag: &clap::Arg) -> Option<String> {
    match flag.get_long()? {
        "header" => Some(HEADERS.to_owned()),
        long => Some(long.replace(['-', '.'], "_")),
    }
}

fn list(value: &DeValue<'_>) -> Option<Vec<String>> {
    match value.as_array() {
        Some(values) => values.iter().map(|value| scalar(value.get_ref())).collect(),
        None => Some(vec![scalar(value)?]),
    }
}

fn scalar(value: &DeValue<'_>) -> Option<String> {
    match value {
        DeValue::String(text) => Some(text.to_string()),
        DeValue::Integer(number) => Some(number.to_string()),
        DeValue::Float(number) => Some(number.to_string()),
        _ => None,
    }
}

/// What the parser of a flag's value has to say, or else the first line of the whole error.
fn reason(error: &clap::Error) -> String {
    use std::error::Error as _;
    match error.source() {
        Some(source) => source.to_string(),
        None => super::brief(error),
    }
}
