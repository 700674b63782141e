//! `.env` files: `NAME=value` lines, with `#` comments, an optional `export`, and values in quotation marks.
//!
//! Other variables in a value (`$NAME`) are not replaced: the crate doesn't read the environment, and a password may well
//! contain a `$`.

use std::path::Path;

use crate::error::{Error, Place};
use crate::provider::read_optional;

/// The last value of `name` in `file`; `None` if it or the file isn't there.
pub(crate) fn get(file: &Path, name: &str) -> Result<Option<String>, Error> {
    let Some(text) = read_optional(file)? else {
        return Ok(None);
    };
    let mut found = None;
    for (at, line) in text.lines().enumerate() {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let syntax = |reason: &str| Error::Syntax {
            place: Place {
                file: file.to_owned(),
                line: Some(at + 1),
            },
            reason: reason.to_owned(),
        };
        let line = line.strip_prefix("export ").unwrap_or(line);
        let (key, value) = line
            .split_once('=')
            .ok_or_else(|| syntax("must be NAME=value"))?;
        if key.trim() == name {
            let value = parse_value(value.trim());
            found =
                Some(value.ok_or_else(|| {
                    syntax("the quotation mark is not closed, or text follows it")
                })?);
        }
    }
    Ok(found)
}

fn parse_value(text: &str) -> Option<String> {
    if let Some(quoted) = text.strip_prefix('\'') {
        let (value, rest) = quoted.split_once('\'')?;
        return is_comment(rest).then(|| value.to_owned());
    }
    let Some(quoted) = text.strip_prefix('"') else {
        let end = text.find(" #").unwrap_or(text.len());
        return Some(text[..end].trim_end().to_owned());
    };
    let mut value = String::new();
    let mut chars = quoted.chars();
    loop {
        match chars.next()? {
            '"' => return is_comment(chars.as_str()).then_some(value),
            '\\' => value.push(match chars.next()? {
                'n' => '\n',
                other => other,
            }),
            other => value.push(other),
        }
    }
}

fn is_comment(rest: &str) -> bool {
    let rest = rest.trim_start();
    rest.is_empty() || rest.starts_with('#')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_lose_their_quotation_marks_and_comments() {
        for (text, expected) in [
            ("", Some("")),
            ("x y", Some("x y")),
            ("x # comment", Some("x")),
            ("x#y", Some("x#y")),
            ("'x # $y \\n'", Some("x # $y \\n")),
            (r#""a\"b\n" # c"#, Some("a\"b\n")),
            ("\"open", None),
            ("'open", None),
            ("'x' y", None),
            ("\"\\", None),
        ] {
            assert_eq!(parse_value(text).as_deref(), expected, "{text}");
        }
    }

    #[test]
    fn the_last_line_with_the_name_counts() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join(".env");
        assert_eq!(get(&file, "A").unwrap(), None);
        std::fs::write(&file, "# c\n\nA=1\nexport A = two\nB='x'\n").unwrap();
        assert_eq!(get(&file, "A").unwrap().as_deref(), Some("two"));
        assert_eq!(get(&file, "B").unwrap().as_deref(), Some("x"));
        assert_eq!(get(&file, "C").unwrap(), None);
        std::fs::write(&file, "A=1\nnonsense\n").unwrap();
        let error = get(&file, "A").unwrap_err().to_string();
        assert_eq!(error, format!("{}:2: must be NAME=value", file.display()));
    }
}
