//! A TOML file as a tree that knows where everything stands.
//!
//! serde's derive reports an unknown or mistyped key without its table and without advice; operators need both, and the
//! component's id above all. So the file is read by hand, through [`Section`]s.

use std::ops::Range;
use std::path::Path;

use toml::de::{DeTable, DeValue};

use crate::error::{Error, Place, Problem};
use crate::inline_table;
use crate::section::Section;

/// The file being read, to turn positions into lines.
#[derive(Clone, Copy)]
pub(crate) struct Source<'t> {
    file: &'t Path,
    text: &'t str,
}

/// What an [`Item`] holds.
#[derive(Clone)]
enum Kind<'t> {
    String(String),
    Integer(Option<i64>),
    Boolean(bool),
    Array(Vec<Item<'t>>),
    Table(Vec<Item<'t>>),
    Other(&'static str),
}

/// A value with its full key and position.
#[derive(Clone)]
pub(crate) struct Item<'t> {
    source: Source<'t>,
    /// Full path: `component.hello.files[1]`.
    pub(crate) key: String,
    /// Last part of the path, for the entries of a table.
    pub(crate) name: String,
    /// Of the key if there is one, else of the value.
    span: Range<usize>,
    kind: Kind<'t>,
}

/// Parses `text` into its root table.
pub(crate) fn parse<'t>(text: &'t str, file: &'t Path) -> Result<Section<'t>, Error> {
    let source = Source { file, text };
    let table = DeTable::parse(text).map_err(|error| {
        // The parser's messages may go over several lines; a report is one.
        let reason = error
            .message()
            .split_whitespace()
            .collect::<Vec<_>>()
            .join(" ");
        Error::Syntax {
            place: Place {
                file: file.to_owned(),
                line: error.span().map(|span| source.line(span.start)),
            },
            reason: format!("not valid TOML: {reason}; correct the line"),
        }
    })?;
    if let Some(at) = inline_table::find_newer(text, table.get_ref()) {
        return Err(Error::Syntax {
            place: source.place(&(at..at)),
            reason:
                "an inline table must be on one line and not end in a comma, Spin reads TOML 1.0; \
                     use a [table], or correct it"
                    .to_owned(),
        });
    }
    let span = table.span();
    Ok(Section {
        source,
        key: String::new(),
        span,
        items: source.table("", table.get_ref()),
        known: vec![],
    })
}

impl<'t> Source<'t> {
    fn line(&self, at: usize) -> usize {
        self.text
            .bytes()
            .take(at)
            .filter(|byte| *byte == b'\n')
            .count()
            + 1
    }

    fn place(&self, span: &Range<usize>) -> Place {
        Place {
            file: self.file.to_owned(),
            line: Some(self.line(span.start)),
        }
    }

    pub(crate) fn problem(
        &self,
        span: &Range<usize>,
        key: &str,
        what: (String, String),
    ) -> Box<Problem> {
        let (reason, remedy) = what;
        Box::new(Problem {
            place: self.place(span),
            key: key.to_owned(),
            reason,
            remedy,
        })
    }

    fn table(self, parent: &str, table: &DeTable<'_>) -> Vec<Item<'t>> {
        let mut items: Vec<_> = table
            .iter()
            .map(|(name, value)| {
                let key = join(parent, name.get_ref());
                let mut item = self.item(key, name.span(), value.get_ref());
                item.name = name.get_ref().to_string();
                item
            })
            .collect();
        // In the order of the file, so that the first mistake is the first one reported.
        items.sort_by_key(|item| item.span.start);
        items
    }

    fn item(self, key: String, span: Range<usize>, value: &DeValue<'_>) -> Item<'t> {
        let kind = match value {
            DeValue::String(text) => Kind::String(text.to_string()),
            DeValue::Integer(number) => {
                Kind::Integer(i64::from_str_radix(number.as_str(), number.radix()).ok())
            }
            DeValue::Boolean(value) => Kind::Boolean(*value),
            DeValue::Array(values) => Kind::Array(
                values
                    .iter()
                    .enumerate()
                    .map(|(at, value)| {
                        self.item(format!("{key}[{at}]"), value.span(), value.get_ref())
                    })
                    .collect(),
            ),
            DeValue::Table(table) => Kind::Table(self.table(&key, table)),
            DeValue::Float(_) => Kind::Other("a float"),
            DeValue::Datetime(_) => Kind::Other("a date-time"),
        };
        Item {
            source: self,
            key,
            name: String::new(),
            span,
            kind,
        }
    }
}

pub(crate) fn join(parent: &str, name: &str) -> String {
    let bare = !name.is_empty()
        && name
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_');
    let name = if bare {
        name.to_owned()
    } else {
        format!("{name:?}")
    };
    if parent.is_empty() {
        name
    } else {
        format!("{parent}.{name}")
    }
}

impl<'t> Item<'t> {
    /// A problem with this value.
    pub(crate) fn problem(
        &self,
        reason: impl Into<String>,
        remedy: impl Into<String>,
    ) -> Box<Problem> {
        self.source
            .problem(&self.span, &self.key, (reason.into(), remedy.into()))
    }

    pub(crate) fn invalid(&self, reason: impl Into<String>, remedy: impl Into<String>) -> Error {
        Error::Invalid(self.problem(reason, remedy))
    }

    pub(crate) fn unsupported(
        &self,
        reason: impl Into<String>,
        remedy: impl Into<String>,
    ) -> Error {
        Error::Unsupported(self.problem(reason, remedy))
    }

    fn wrong_type(&self, wanted: &str, remedy: impl Into<String>) -> Error {
        self.invalid(
            format!("must be {wanted}, not {}", self.type_name()),
            remedy,
        )
    }

    pub(crate) fn type_name(&self) -> &'static str {
        match self.kind {
            Kind::String(_) => "a string",
            Kind::Integer(_) => "an integer",
            Kind::Boolean(_) => "a boolean",
            Kind::Array(_) => "an array",
            Kind::Table(_) => "a table",
            Kind::Other(name) => name,
        }
    }

    pub(crate) fn as_str(&self) -> Option<&str> {
        match &self.kind {
            Kind::String(text) => Some(text),
            _ => None,
        }
    }

    pub(crate) fn as_integer(&self) -> Option<i64> {
        match &self.kind {
            Kind::Integer(number) => *number,
            _ => None,
        }
    }

    pub(crate) fn is_table(&self) -> bool {
        matches!(self.kind, Kind::Table(_))
    }

    pub(crate) fn is_array(&self) -> bool {
        matches!(self.kind, Kind::Array(_))
    }

    /// Whether this is an empty array or table, which asks for nothing.
    pub(crate) fn is_empty(&self) -> bool {
        matches!(&self.kind, Kind::Array(items) | Kind::Table(items) if items.is_empty())
    }

    pub(crate) fn string(self) -> Result<String, Error> {
        match self.kind {
            Kind::String(text) => Ok(text),
            Kind::Integer(_) | Kind::Boolean(_) => {
                Err(self.wrong_type("a string", "put it in quotation marks"))
            }
            _ => Err(self.wrong_type("a string", "write one string")),
        }
    }

    pub(crate) fn boolean(self) -> Result<bool, Error> {
        match self.kind {
            Kind::Boolean(value) => Ok(value),
            _ => Err(self.wrong_type("a boolean", "write true or false without quotation marks")),
        }
    }

    /// A count: an integer from 0.
    pub(crate) fn count(self) -> Result<usize, Error> {
        match self.kind {
            Kind::Integer(number) => number
                .and_then(|number| usize::try_from(number).ok())
                .ok_or_else(|| self.invalid("is out of range", "write an integer from 0")),
            _ => Err(self.wrong_type(
                "an integer",
                "write an integer from 0, without quotation marks",
            )),
        }
    }

    pub(crate) fn array(self) -> Result<Vec<Item<'t>>, Error> {
        match self.kind {
            Kind::Array(items) => Ok(items),
            _ => Err(self.wrong_type("an array", "put it in square brackets")),
        }
    }

    pub(crate) fn section(self) -> Result<Section<'t>, Error> {
        match self.kind {
            Kind::Table(items) => Ok(Section {
                source: self.source,
                key: self.key,
                span: self.span,
                items,
                known: vec![],
            }),
            _ => {
                let remedy = match self.key.contains('[') {
                    true => "write { key = value }".to_owned(),
                    false => format!("write a [{}] table", self.key),
                };
                Err(self.wrong_type("a table", remedy))
            }
        }
    }

    /// The entries of a table whose keys are names the author chose.
    pub(crate) fn entries(self) -> Result<Vec<Item<'t>>, Error> {
        Ok(self.section()?.items)
    }

    pub(crate) fn replace_prefix(&mut self, old: &str, new: &str) {
        if let Some(rest) = self.key.strip_prefix(old) {
            self.key = format!("{new}{rest}");
        }
        if let Kind::Array(items) | Kind::Table(items) = &mut self.kind {
            items
                .iter_mut()
                .for_each(|item| item.replace_prefix(old, new));
        }
    }
}
