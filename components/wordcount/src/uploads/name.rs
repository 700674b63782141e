//! What an upload is called. The name says all there is to know of it but its text, so a list of keys is a list of
//! uploads.
//!
//! Two names are in use:
//! - the short one of the original service, `20261121.051500-1234-567.txt`: UTC time, words, different words;
//! - the exact one, `20261121.051500-1234-567~041000000-7012-6920a17f93c8d2ab41e05f6c.txt`: also the nanoseconds,
//!   the bytes and the id. No two uploads share it, whichever replicas take them at whatever moment, so storing
//!   one never overwrites another.

use std::fmt;

use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use crate::words::Counts;

const TIME_FORMAT: &str = "%Y%m%d.%H%M%S";

/// A remembered upload; the order is that of storing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Upload {
    /// When it was stored, by the clock of the instance that did.
    pub(crate) uploaded_at: Timestamp,
    pub(crate) id: Id,
    pub(crate) counts: Counts,
    pub(crate) bytes: u64,
}

impl Upload {
    /// The name as the original service gives it; uploads of one second with equal counts share it.
    pub(crate) fn short_name(&self) -> String {
        format!("{}.txt", self.stem())
    }

    /// The name that no other upload has.
    pub(crate) fn exact_name(&self) -> String {
        let nanoseconds = self.uploaded_at.subsec_nanosecond();
        format!(
            "{}~{nanoseconds:09}-{}-{}.txt",
            self.stem(),
            self.bytes,
            self.id
        )
    }

    /// Where its text is, for good.
    pub(crate) fn path(&self) -> String {
        format!("/files/{}", self.exact_name())
    }

    /// Reads an exact name, in the one spelling that [`Upload::exact_name`] gives it.
    pub(crate) fn parse(exact_name: &str) -> Option<Self> {
        let (stem, rest) = exact_name.strip_suffix(".txt")?.split_once('~')?;
        let (time, counts) = stem.split_once('-')?;
        let (words, unique) = counts.split_once('-')?;
        let mut rest = rest.splitn(3, '-');
        let nanoseconds: u32 = rest.next()?.parse().ok()?;
        let second = DateTime::strptime(TIME_FORMAT, time).ok()?;
        let second = second.to_zoned(TimeZone::UTC).ok()?.timestamp();
        let upload = Self {
            uploaded_at: second
                .checked_add(SignedDuration::from_nanos(nanoseconds.into()))
                .ok()?,
            counts: Counts {
                words: words.parse().ok()?,
                unique: unique.parse().ok()?,
            },
            bytes: rest.next()?.parse().ok()?,
            id: Id::parse(rest.next()?)?,
        };
        (upload.exact_name() == exact_name).then_some(upload)
    }

    fn stem(&self) -> String {
        let Counts { words, unique } = self.counts;
        format!(
            "{}-{words}-{unique}",
            self.uploaded_at.strftime(TIME_FORMAT)
        )
    }
}

/// Whether `name` has the shape of a short name; others need not be looked for.
pub(crate) fn is_short_name(name: &str) -> bool {
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let fields = || {
        let (time, counts) = name.strip_suffix(".txt")?.split_once('-')?;
        let (day, second) = time.split_once('.')?;
        let (words, unique) = counts.split_once('-')?;
        let time_fits = (day.len(), second.len()) == (8, 6);
        Some(time_fits && [day, second, words, unique].into_iter().all(digits))
    };
    name.len() < 64 && fields().unwrap_or(false)
}

/// Tells uploads apart from their first byte on: the second in which it came, and chance.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Id {
    /// Unix time in seconds.
    pub(crate) started: u32,
    pub(crate) random: u64,
}

impl Id {
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let id = Self {
            started: u32::from_str_radix(text.get(..8)?, 16).ok()?,
            random: u64::from_str_radix(text.get(8..)?, 16).ok()?,
        };
        (id.to_string() == text).then_some(id)
    }
}

impl fmt::Display for Id {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{:08x}{:016x}", self.started, self.random)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn upload() -> Upload {
        Upload {
            uploaded_at: "2026-11-21T05:15:00.041Z".parse().unwrap(),
            counts: Counts {
                words: 1234,
                unique: 567,
            },
            bytes: 7012,
            id: Id {
                started: 0x6920_a17f,
                random: 0x93c8_d2ab_41e0_5f6c,
            },
        }
    }

    #[test]
    fn names_are_spelled_as_documented() {
        assert_eq!(upload().short_name(), "20261121.051500-1234-567.txt");
        let exact = "20261121.051500-1234-567~041000000-7012-6920a17f93c8d2ab41e05f6c.txt";
        assert_eq!(upload().exact_name(), exact);
        assert_eq!(Upload::parse(exact), Some(upload()));
    }

    #[test]
    fn other_spellings_are_no_names() {
        let exact = upload().exact_name();
        for (from, to) in [
            ("-1234-", "-01234-"),
            ("-1234-", "-+1234-"),
            ("~041000000", "~41000000"),
            ("~041000000", "~1000000000"),
            ("6920a17f", "6920A17F"),
            ("20261121", "20261321"),
            (".051500", ".051560"),
            (".txt", ""),
            (".txt", ".txt.txt"),
            ("-7012-", "-7012-0-"),
            ("6c.txt", "6cé.txt"),
        ] {
            let other = exact.replace(from, to);
            assert_ne!(other, exact);
            assert_eq!(Upload::parse(&other), None, "{other}");
        }
        assert_eq!(Upload::parse(&upload().short_name()), None);
    }

    #[test]
    fn short_names_are_recognised() {
        assert!(is_short_name("20261121.051500-1234-567.txt"));
        assert!(is_short_name("20261121.051500-0-0.txt"));
        for name in [
            "",
            ".txt",
            "20261121.051500-1234.txt",
            "20261121.051500-1234-567",
            "2026112.051500-1234-567.txt",
            "20261121.051500-1234-x.txt",
            "20261121.051500--567.txt",
            "../../etc/passwd",
            "20261121.051500-1234-567~0-1-a.txt",
        ] {
            assert!(!is_short_name(name), "{name}");
        }
        assert!(!is_short_name(&format!(
            "20261121.051500-1-{}.txt",
            "1".repeat(1000)
        )));
    }

    #[test]
    fn the_order_is_that_of_storing() {
        let mut later = upload();
        later.uploaded_at = "2026-11-21T05:15:00.042Z".parse().unwrap();
        later.id.random = 0;
        assert!(later > upload());
    }

    proptest! {
        #[test]
        fn any_upload_is_read_back(second in 0_i64..4_000_000_000, nanos in 0_i32..1_000_000_000, words: u32, unique: u32, bytes: u64, started: u32, random: u64) {
            let upload = Upload {
                uploaded_at: Timestamp::new(second, nanos).unwrap(),
                counts: Counts { words, unique },
                bytes,
                id: Id { started, random },
            };
            prop_assert_eq!(Upload::parse(&upload.exact_name()), Some(upload));
            prop_assert!(is_short_name(&upload.short_name()));
        }

        #[test]
        fn any_text_is_a_name_or_none(name: String) {
            prop_assert!(Upload::parse(&name).is_none_or(|upload| upload.exact_name() == name));
            is_short_name(&name);
        }
    }
}
