//! What an answer has to be: its status and its body.

use std::fmt;
use std::str::FromStr;

use http::StatusCode;
use regex::bytes::Regex;

/// A list of statuses: `200`, `2xx`, `200-299`, or several of these with commas between.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct StatusSet {
    ranges: Vec<(u16, u16)>,
    text: String,
}

impl StatusSet {
    pub(crate) fn contains(&self, status: StatusCode) -> bool {
        let status = status.as_u16();
        self.ranges
            .iter()
            .any(|(first, last)| (first..=last).contains(&&status))
    }
}

impl FromStr for StatusSet {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let ranges = text
            .split(',')
            .map(|part| range(part.trim()))
            .collect::<Option<Vec<_>>>();
        Ok(Self {
            ranges: ranges.ok_or("write statuses such as 200, 2xx, 200-299 or 200,301,404")?,
            text: text.to_owned(),
        })
    }
}

fn range(text: &str) -> Option<(u16, u16)> {
    if let Some(class) = text
        .strip_suffix("xx")
        .or_else(|| text.strip_suffix("XX"))
        .filter(|class| class.len() == 1)
    {
        let class: u16 = class.parse().ok()?;
        return (1..=9)
            .contains(&class)
            .then_some((class * 100, class * 100 + 99));
    }
    let (first, last) = text.split_once('-').unwrap_or((text, text));
    let (first, last) = (status(first)?, status(last)?);
    (first <= last).then_some((first, last))
}

/// What HTTP allows as a status (RFC 9110, section 15).
fn status(text: &str) -> Option<u16> {
    let digits = text.len() == 3 && text.bytes().all(|byte| byte.is_ascii_digit());
    let status = text.parse().ok()?;
    (digits && status >= 100).then_some(status)
}

impl fmt::Display for StatusSet {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.text)
    }
}

/// What must be found in a body.
#[derive(Clone, Debug)]
pub(crate) enum BodyPattern {
    /// This text, as it is.
    Text(String),
    /// A match of this regular expression, anywhere.
    Regex(Regex),
}

impl BodyPattern {
    pub(crate) fn is_in(&self, body: &[u8]) -> bool {
        match self {
            Self::Text(text) => {
                text.is_empty()
                    || body
                        .windows(text.len())
                        .any(|window| window == text.as_bytes())
            }
            Self::Regex(regex) => regex.is_match(body),
        }
    }
}

/// As a message names it.
impl fmt::Display for BodyPattern {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => write!(formatter, "does not contain {text:?}"),
            Self::Regex(regex) => write!(formatter, "does not match /{}/", regex.as_str()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn contains(set: &str, status: u16) -> bool {
        let set: StatusSet = set.parse().unwrap();
        set.contains(StatusCode::from_u16(status).unwrap())
    }

    #[test]
    fn statuses_are_single_classes_or_ranges() {
        assert!(contains("2xx", 299) && !contains("2xx", 300));
        assert!(contains("200", 200) && !contains("200", 204));
        assert!(contains("200-204, 5XX", 503) && !contains("200-204,5xx", 205));
        for text in [
            "", "20", "2x", "xxx", "200-", "299-200", "0xx", "99", "1000", "a", "200,", "+20",
            "22xx",
        ] {
            assert!(text.parse::<StatusSet>().is_err(), "{text}");
        }
    }

    #[test]
    fn bodies_need_not_be_text() {
        let body = b"\xff\xfe spinfo \x00";
        assert!(BodyPattern::Text("spinfo".into()).is_in(body));
        assert!(BodyPattern::Text(String::new()).is_in(b""));
        assert!(!BodyPattern::Text("spinfo!".into()).is_in(body));
        assert!(!BodyPattern::Text("longer than the body".into()).is_in(b"short"));
        assert!(BodyPattern::Regex(Regex::new("(?i)SPIN[a-f]").unwrap()).is_in(body));
        let missing = BodyPattern::Text("a\"b".into());
        assert_eq!(missing.to_string(), r#"does not contain "a\"b""#);
    }
}
