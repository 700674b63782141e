//! Parsers of flags' values, for clap's `value_parser`. Their errors say what to write.

use std::str::FromStr;
use std::time::Duration;

/// A length of time such as `500ms`, `1m 30s` or `14days`.
///
/// # Errors
/// A number without a unit, or no number.
pub fn duration(text: &str) -> Result<Duration, String> {
    humantime::parse_duration(text).map_err(|_| "write a time such as 500ms, 30s or 2m".into())
}

/// A length of time of at least a millisecond, the timer's resolution.
///
/// # Errors
/// Also less than that.
pub fn positive_duration(text: &str) -> Result<Duration, String> {
    match duration(text)? {
        time if time < Duration::from_millis(1) => Err("write a time of at least 1ms".into()),
        time => Ok(time),
    }
}

/// A whole number above 0, of the type that the flag has.
///
/// # Errors
/// Anything else.
pub fn positive<N: FromStr + PartialOrd + Default>(text: &str) -> Result<N, String> {
    match text.parse() {
        Ok(number) if number > N::default() => Ok(number),
        _ => Err("write a whole number above 0".into()),
    }
}

/// Bytes: a number, alone or with B, kB, MB, GB (powers of 1000), KiB, MiB, GiB (powers of 1024). Case doesn't matter.
///
/// # Errors
/// An unknown unit, a fraction, or more than a `u64` holds.
pub fn size(text: &str) -> Result<u64, String> {
    let digits = text.find(|c: char| !c.is_ascii_digit());
    let (number, unit) = text.split_at(digits.unwrap_or(text.len()));
    let scale = match unit.trim_start().to_ascii_lowercase().as_str() {
        "" | "b" => Some(1),
        "kb" => Some(1000),
        "mb" => Some(1000_u64.pow(2)),
        "gb" => Some(1000_u64.pow(3)),
        "kib" => Some(1 << 10),
        "mib" => Some(1 << 20),
        "gib" => Some(1 << 30),
        _ => None,
    };
    let number = number.parse::<u64>().ok();
    number
        .zip(scale)
        .and_then(|(number, scale)| number.checked_mul(scale))
        .ok_or_else(|| "write a size such as 64MiB, 10MB or 4096".into())
}

/// A name and a value with `=` between them.
///
/// # Errors
/// No `=`, or no name.
pub fn name_value(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.is_empty() => Ok((name.to_owned(), value.to_owned())),
        _ => Err("write NAME=VALUE".into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_have_units() {
        assert_eq!(duration("0"), Ok(Duration::ZERO));
        assert_eq!(positive_duration("1m 30s"), Ok(Duration::from_secs(90)));
        for wrong in ["0s", "10us", "30", "soon", ""] {
            assert!(positive_duration(wrong).is_err(), "{wrong}");
        }
        assert!(duration("30").unwrap_err().contains("30s"));
    }

    #[test]
    fn sizes_have_units_of_both_kinds() {
        for (text, bytes) in [
            ("0", 0),
            ("4096", 4096),
            ("17B", 17),
            ("10MB", 10_000_000),
            ("128MiB", 128 << 20),
            ("2 gib", 2 << 30),
        ] {
            assert_eq!(size(text), Ok(bytes), "{text}");
        }
        for wrong in [
            "",
            "MiB",
            "1.5MiB",
            "-1",
            "1 TiB",
            "1m",
            "18446744073709551615kB",
        ] {
            assert!(size(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn numbers_are_positive_and_names_there() {
        assert_eq!(positive::<usize>("3"), Ok(3));
        assert!(positive::<u32>("0").is_err() && positive::<u32>("-1").is_err());
        assert_eq!(name_value("a=b=c"), Ok(("a".into(), "b=c".into())));
        assert!(name_value("=x").is_err() && name_value("x").is_err());
    }
}
