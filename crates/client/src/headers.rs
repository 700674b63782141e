//! Headers as people write them: `Name: value`, or `Name: @FILE`.

use std::path::PathBuf;

use http::header::{AUTHORIZATION, COOKIE, PROXY_AUTHORIZATION};
use http::{HeaderMap, HeaderName, HeaderValue};

/// Why a line is no header. No value is repeated: it may be a secret.
#[derive(Debug, thiserror::Error)]
pub enum HeaderError {
    /// A header without a colon.
    #[error("a --header has no colon: write it as 'Name: value'")]
    NoColon,
    /// A name that can't be one.
    #[error("--header: {0:?} is not a header's name")]
    Name(String),
    /// A value with forbidden characters.
    #[error("--header: the value of {0} holds characters that a header can't")]
    Value(HeaderName),
    /// A file with a value that can't be read.
    #[error("--header: cannot read the value of {name} from {}: {source}", path.display())]
    File {
        /// The header.
        name: HeaderName,
        /// The file.
        path: PathBuf,
        /// What went wrong.
        source: std::io::Error,
    },
}

/// The headers that these lines of `--header` stand for. `@FILE` is replaced by what the file holds. Secret values are marked as sensitive.
///
/// # Errors
/// Names the header that can't be used, never its value.
pub fn headers(lines: &[String]) -> Result<HeaderMap, HeaderError> {
    lines.iter().map(|line| header(line)).collect()
}

fn header(line: &str) -> Result<(HeaderName, HeaderValue), HeaderError> {
    let (name, value) = line.split_once(':').ok_or(HeaderError::NoColon)?;
    let name = HeaderName::from_bytes(name.trim().as_bytes())
        .map_err(|_| HeaderError::Name(name.trim().to_owned()))?;
    let value = value.trim();
    let path = value.strip_prefix('@').map(PathBuf::from);
    let from_file = path.is_some();
    let text = match path {
        Some(path) => std::fs::read_to_string(&path).map_err(|source| HeaderError::File {
            name: name.clone(),
            path,
            source,
        })?,
        None => value.to_owned(),
    };
    let mut value =
        HeaderValue::from_str(text.trim()).map_err(|_| HeaderError::Value(name.clone()))?;
    value.set_sensitive(from_file || is_secret(&name));
    Ok((name, value))
}

/// Whether a header's value is a secret, as far as its name tells.
fn is_secret(name: &HeaderName) -> bool {
    let words = ["token", "key", "secret", "password", "auth"];
    [AUTHORIZATION, PROXY_AUTHORIZATION, COOKIE].contains(name)
        || words.iter().any(|word| name.as_str().contains(word))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(lines: &[&str]) -> Result<HeaderMap, HeaderError> {
        headers(&lines.iter().map(ToString::to_string).collect::<Vec<_>>())
    }

    #[test]
    fn values_stand_in_the_line_or_in_a_file() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("token");
        std::fs::write(&file, "Bearer hunter2\n").unwrap();
        let secret = format!("Authorization: @{}", file.display());
        let headers = of(&[
            "Accept: text/plain",
            "X-Empty:",
            &secret,
            "X-Two: 1",
            "X-Two: 2",
        ])
        .unwrap();
        assert_eq!(headers["accept"], "text/plain");
        assert_eq!(headers["x-empty"], "");
        assert_eq!(headers.get_all("x-two").iter().count(), 2);
        assert_eq!(headers["authorization"], "Bearer hunter2");
        assert!(headers["authorization"].is_sensitive() && !headers["accept"].is_sensitive());
    }

    #[test]
    fn errors_name_the_header_and_hold_no_secret() {
        for (line, expected) in [
            (
                "hunter2",
                "a --header has no colon: write it as 'Name: value'",
            ),
            (
                "Authorization: hunter2\u{7f}",
                "--header: the value of authorization holds characters that a header can't",
            ),
            (
                "Cookie: @/nowhere/at/all",
                "--header: cannot read the value of cookie from /nowhere/at/all: ",
            ),
        ] {
            let error = of(&[line]).unwrap_err().to_string();
            assert!(error.starts_with(expected), "{error}");
        }
        assert!(!format!("{:?}", of(&["X-Key: hunter2"]).unwrap()).contains("hunter2"));
    }
}
