//! What can be wrong with a manifest, a runtime configuration or the values given to it.

use std::fmt;
use std::path::{Path, PathBuf};

/// Why an application can't be loaded. Every message names the file, the key and what to do about it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A file or folder that can't be read.
    #[error("{}: can't be read: {cause}; {remedy}", file.display())]
    Read {
        /// The file or folder.
        file: PathBuf,
        /// What the operating system says. It is part of the text, before the remedy, and so no source.
        cause: std::io::Error,
        /// What to do about it.
        remedy: String,
    },
    /// A file that isn't TOML, JSON or UTF-8 text.
    #[error("{place}: {reason}")]
    Syntax {
        /// Where in the file.
        place: Place,
        /// What the parser says.
        reason: String,
    },
    /// A key that is missing, unknown, of the wrong type or has a value that doesn't work.
    #[error("{0}")]
    Invalid(Box<Problem>),
    /// Something that Spin knows and spinfo doesn't do.
    #[error("{0}")]
    Unsupported(Box<Problem>),
    /// A variable without a value, a template or a value that can't be used.
    #[error("variable {name}: {reason}; {remedy}")]
    Variable {
        /// Name of the application variable, or of the setting that gives values.
        name: String,
        /// What is wrong; never quotes a value.
        reason: String,
        /// What to do about it.
        remedy: String,
    },
    /// A route that can't be parsed.
    #[error("route {route:?}: {reason}; {remedy}")]
    Route {
        /// The route as written.
        route: String,
        /// What is wrong.
        reason: &'static str,
        /// What to do about it.
        remedy: String,
    },
    /// A template (`{{ name }}`) that can't be parsed or rendered.
    #[error("template {template:?}: {reason}; {remedy}")]
    Template {
        /// The template as written; never its rendered text.
        template: String,
        /// What is wrong.
        reason: String,
        /// What to do about it.
        remedy: String,
    },
    /// A pattern of `allowed_outbound_hosts` that can't be parsed.
    #[error("allowed_outbound_hosts {pattern:?}: {reason}; {remedy}")]
    Host {
        /// The pattern as written.
        pattern: String,
        /// What is wrong.
        reason: String,
        /// What to do about it.
        remedy: String,
    },
}

/// A file and, where known, the line in it, starting with 1.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The file.
    pub file: PathBuf,
    /// The line, from 1.
    pub line: Option<usize>,
}

impl Place {
    pub(crate) fn file(file: &Path) -> Self {
        Self {
            file: file.to_owned(),
            line: None,
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.file.display())?;
        self.line.map_or(Ok(()), |line| write!(f, ":{line}"))
    }
}

/// One thing wrong with one key: `spin.toml:7: component.a.foo: unknown key; remove it`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// File and line.
    pub place: Place,
    /// The key's full path, `component.hello.files`.
    pub key: String,
    /// What is wrong.
    pub reason: String,
    /// What to do about it.
    pub remedy: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            place,
            key,
            reason,
            remedy,
        } = self;
        write!(f, "{place}: {key}: {reason}; {remedy}")
    }
}

/// Something that works as it does in Spin, but probably not as its author thinks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Warning(pub Problem);

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
