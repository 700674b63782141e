//! `{{ name }}` templates: text with the values of application variables in it.
//!
//! The syntax is Spin's: an expression runs from `{{` to the next `}}`, the name in it may have blanks around, there is no
//! escape, and a single brace is text. See <https://spinframework.dev/variables>.

use std::fmt;

use crate::document::Item;
use crate::error::Error;

/// A parsed template.
#[derive(Clone, PartialEq, Eq)]
pub struct Template {
    text: String,
    parts: Vec<Part>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    Literal(String),
    Variable(String),
}

impl Template {
    /// Reads a string with templates in it.
    pub(crate) fn read(item: &Item<'_>) -> Result<Self, Error> {
        let text = item.clone().string()?;
        Self::parse(&text).map_err(|error| match error {
            Error::Template { reason, remedy, .. } => item.invalid(reason, remedy),
            other => other,
        })
    }

    /// Parses `text`.
    ///
    /// # Errors
    /// [`Error::Template`] when a `{{` has no `}}`.
    pub fn parse(text: &str) -> Result<Self, Error> {
        let mut parts = vec![];
        let mut rest = text;
        while let Some((literal, expression)) = rest.split_once("{{") {
            let Some((name, tail)) = expression.split_once("}}") else {
                return Err(Error::Template {
                    template: text.to_owned(),
                    reason: "\"{{\" is not closed".to_owned(),
                    remedy: "end the variable's name with \"}}\"".to_owned(),
                });
            };
            if !literal.is_empty() {
                parts.push(Part::Literal(literal.to_owned()));
            }
            parts.push(Part::Variable(name.trim().to_owned()));
            rest = tail;
        }
        if !rest.is_empty() {
            parts.push(Part::Literal(rest.to_owned()));
        }
        Ok(Self {
            text: text.to_owned(),
            parts,
        })
    }

    /// The template as written.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether there is no variable in it.
    pub fn is_literal(&self) -> bool {
        self.variables().next().is_none()
    }

    /// Names of the variables in it, in order, with repetitions.
    pub fn variables(&self) -> impl Iterator<Item = &str> {
        self.parts.iter().filter_map(|part| match part {
            Part::Literal(_) => None,
            Part::Variable(name) => Some(name.as_str()),
        })
    }

    /// Puts the values that `lookup` knows into the text.
    ///
    /// # Errors
    /// [`Error::Template`] for the first variable that `lookup` doesn't know.
    pub fn render<'v>(&self, lookup: impl Fn(&str) -> Option<&'v str>) -> Result<String, Error> {
        let mut text = String::new();
        for part in &self.parts {
            match part {
                Part::Literal(literal) => text.push_str(literal),
                Part::Variable(name) => {
                    text.push_str(lookup(name).ok_or_else(|| self.unknown(name))?)
                }
            }
        }
        Ok(text)
    }

    pub(crate) fn unknown(&self, name: &str) -> Error {
        Error::Template {
            template: self.text.clone(),
            reason: format!("there is no variable {name:?}"),
            remedy: format!("declare it: [variables] {name} = {{ default = \"…\" }}"),
        }
    }
}

impl fmt::Debug for Template {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.text, f)
    }
}

impl fmt::Display for Template {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn render(text: &str) -> Result<String, Error> {
        Template::parse(text)?.render(|name| match name {
            "v" => Some("x"),
            "empty" => Some(""),
            "braces" => Some("{{ v }}"),
            _ => None,
        })
    }

    #[test]
    fn variables_are_replaced_once_and_text_stays() {
        for (template, expected) in [
            ("", ""),
            ("plain", "plain"),
            ("{{ v }}", "x"),
            ("a-{{v}}-b", "a-x-b"),
            ("{{ v }}{{empty}}{{\tv\t}}", "xx"),
            ("{ v } }}", "{ v } }}"),
            ("{{ braces }}", "{{ v }}"),
        ] {
            assert_eq!(render(template).unwrap(), expected, "{template}");
        }
    }

    #[test]
    fn unclosed_and_unknown_expressions_are_errors() {
        for (template, expected) in [
            (
                "a {{ v",
                r#"template "a {{ v": "{{" is not closed; end the variable's name with "}}""#,
            ),
            (
                "{{ nope }}",
                r#"template "{{ nope }}": there is no variable "nope"; declare it: [variables] nope = { default = "…" }"#,
            ),
        ] {
            assert_eq!(render(template).unwrap_err().to_string(), expected);
        }
    }
}
