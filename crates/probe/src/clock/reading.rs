//! The server's stamps in the body of an answer.

use serde::Deserialize;

use super::rfc3339;
use super::source::Source;
use super::stamp::Stamp;

/// What a server said about its clock in one answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Reading {
    pub(super) received: Stamp,
    pub(super) transmitted: Stamp,
    pub(super) source: Source,
}

/// The JSON of `/now`. Times in nanoseconds since 1970-01-01T00:00:00Z; other servers may have only one of them.
#[derive(Deserialize)]
struct Now {
    now: Option<String>,
    unix_ns: Option<u64>,
    received_ns: Option<u64>,
    transmitted_ns: Option<u64>,
}

impl Reading {
    /// One stamp for both ends of the work.
    pub(super) fn once(stamp: Stamp, source: Source) -> Self {
        Self {
            received: stamp,
            transmitted: stamp,
            source,
        }
    }
}

/// Reads the stamps, as JSON or as text; with [`Source::Auto`] as the one that it is. `None` when there is no time in it.
pub(super) fn read(body: &[u8], source: Source) -> Option<Reading> {
    match source {
        Source::Json => json(body),
        Source::Text => text(body),
        Source::Auto => json(body).or_else(|| text(body)),
        Source::Date => None,
    }
}

fn json(body: &[u8]) -> Option<Reading> {
    let now: Now = serde_json::from_slice(body).ok()?;
    let stamp = |nanos: u64| Stamp::from_nanos(nanos.into());
    if let (Some(received), Some(transmitted)) = (now.received_ns, now.transmitted_ns) {
        return Some(Reading {
            received: stamp(received),
            transmitted: stamp(transmitted),
            source: Source::Json,
        });
    }
    let stamp = match now.unix_ns {
        Some(nanos) => stamp(nanos),
        None => rfc3339::parse(&now.now?)?,
    };
    Some(Reading::once(stamp, Source::Json))
}

fn text(body: &[u8]) -> Option<Reading> {
    let stamp = rfc3339::parse(std::str::from_utf8(body).ok()?.trim())?;
    Some(Reading::once(stamp, Source::Text))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::clock::stamp::SECOND;

    const FULL: &str = r#"{"now":"2026-01-02T03:04:05.000000120Z","unix_ns":1767323045000000120,"received_ns":1767323045000000119,"transmitted_ns":1767323045000000121}"#;

    #[test]
    fn two_stamps_come_before_one() {
        let reading = read(FULL.as_bytes(), Source::Auto).unwrap();
        assert_eq!(reading.received.at, 1_767_323_045_000_000_119);
        assert_eq!(reading.transmitted.at, 1_767_323_045_000_000_121);
        assert_eq!(reading.source, Source::Json);
    }

    #[test]
    fn one_stamp_is_enough() {
        for body in [
            r#"{"unix_ns":1767323045000000120}"#,
            r#"{"now":"2026-01-02T03:04:05.00000012Z","zone":"UTC"}"#,
            r#"{"now":"2026-01-02T03:04:05.00000012Z","received_ns":5}"#,
        ] {
            let reading = read(body.as_bytes(), Source::Json).unwrap();
            assert_eq!(reading.received.at, 1_767_323_045_000_000_120, "{body}");
            assert_eq!(reading.received, reading.transmitted);
        }
    }

    #[test]
    fn text_is_a_line() {
        let reading = read(b"2016-12-31T23:59:60Z\r\n", Source::Auto).unwrap();
        assert_eq!(reading.source, Source::Text);
        assert_eq!(reading.received.resolution, 2 * SECOND);
    }

    #[test]
    fn a_source_that_was_asked_for_is_the_only_one() {
        assert_eq!(read(FULL.as_bytes(), Source::Text), None);
        assert_eq!(read(b"2026-01-02T03:04:05Z", Source::Json), None);
    }

    #[test]
    fn what_holds_no_time_is_none() {
        for body in [
            &b""[..],
            b"<!doctype html><title>Not here</title>",
            b"{}",
            b"[]",
            b"null",
            b"1767323045",
            br#""2026-01-02T03:04:05Z""#,
            br#"{"received_ns":1767323045000000120}"#,
            br#"{"received_ns":-1,"transmitted_ns":1}"#,
            br#"{"received_ns":1.5,"transmitted_ns":2.5}"#,
            br#"{"received_ns":"1","transmitted_ns":"2"}"#,
            br#"{"received_ns":1,"transmitted_ns":99999999999999999999}"#,
            br#"{"now":"soon"}"#,
            br#"{"now":"2026-01-02T03:04:05Z""#,
            b"\xff\xfe2026-01-02T03:04:05Z",
            b"2026-01-02T03:04:05Z 2026-01-02T03:04:05Z",
        ] {
            let text = String::from_utf8_lossy(body);
            for source in [Source::Auto, Source::Json, Source::Text] {
                assert_eq!(read(body, source), None, "{text}");
            }
        }
    }

    proptest! {
        #[test]
        fn any_body_is_read_or_refused(body in prop::collection::vec(any::<u8>(), 0..100)) {
            let _ = read(&body, Source::Auto);
        }
    }
}
