//! RFC 3339 timestamps with any number of digits.

use super::stamp::{Stamp, Written};

/// Reads `date-time` (RFC 3339, section 5.6), also with the lower case and the space that its notes permit, and leap seconds
/// (section 5.7). Digits past the ninth are cut off.
pub(crate) fn parse(text: &str) -> Option<Stamp> {
    let mut rest = text.as_bytes();
    let year = digits(&mut rest, 4)?;
    literal(&mut rest, b"-")?;
    let month = digits(&mut rest, 2)?;
    literal(&mut rest, b"-")?;
    let day = digits(&mut rest, 2)?;
    literal(&mut rest, b"Tt ")?;
    let hour = digits(&mut rest, 2)?;
    literal(&mut rest, b":")?;
    let minute = digits(&mut rest, 2)?;
    literal(&mut rest, b":")?;
    let second = digits(&mut rest, 2)?;
    let nanosecond = fraction(&mut rest)?;
    let offset = offset(&mut rest)?;
    if !rest.is_empty() {
        return None;
    }
    Written {
        year,
        month: month.try_into().ok()?,
        day: day.try_into().ok()?,
        hour: hour.try_into().ok()?,
        minute: minute.try_into().ok()?,
        second: second.try_into().ok()?,
        nanosecond,
        offset,
    }
    .stamp()
}

/// `time-offset`, in seconds east of Greenwich.
fn offset(rest: &mut &[u8]) -> Option<i32> {
    let sign = match literal(rest, b"Zz+-")? {
        b'+' => 1,
        b'-' => -1,
        _ => return Some(0),
    };
    let hours = i32::from(digits(rest, 2)?);
    literal(rest, b":")?;
    let minutes = i32::from(digits(rest, 2)?);
    (hours < 24 && minutes < 60).then_some(sign * (hours * 3600 + minutes * 60))
}

/// `time-secfrac`, in nanoseconds; 0 when there is none.
fn fraction(rest: &mut &[u8]) -> Option<i32> {
    if literal(rest, b".").is_none() {
        return Some(0);
    }
    let length = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let (fraction, after) = rest.split_at(length);
    *rest = after;
    let kept = &fraction[..length.min(9)];
    let value = kept
        .iter()
        .fold(0, |value, digit| value * 10 + i32::from(digit - b'0'));
    let missing = 9 - u32::try_from(kept.len()).ok()?;
    (length > 0).then(|| value * 10_i32.pow(missing))
}

/// Exactly `count` digits, at most 4.
pub(super) fn digits(rest: &mut &[u8], count: usize) -> Option<i16> {
    let (number, after) = rest.split_at_checked(count)?;
    if !number.iter().all(u8::is_ascii_digit) {
        return None;
    }
    *rest = after;
    Some(
        number
            .iter()
            .fold(0, |value, digit| value * 10 + i16::from(digit - b'0')),
    )
}

/// One byte of a set.
pub(super) fn literal(rest: &mut &[u8], set: &[u8]) -> Option<u8> {
    let (first, after) = rest.split_first()?;
    if !set.contains(first) {
        return None;
    }
    *rest = after;
    Some(*first)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::clock::stamp::SECOND;

    const NEW_YEAR_2017: i128 = 1_483_228_800 * SECOND;

    #[test]
    fn times_of_the_rfc_and_of_servers_are_read() {
        for (text, at, resolution) in [
            (
                "1985-04-12T23:20:50.52Z",
                482_196_050_520_000_000,
                10_000_000,
            ),
            ("1996-12-19T16:39:57-08:00", 851_042_397 * SECOND, SECOND),
            (
                "1937-01-01T12:00:27.87+00:20",
                -1_041_337_172_130_000_000,
                10_000_000,
            ),
            (
                "2026-01-02T03:04:05.000000007Z",
                1_767_323_045_000_000_007,
                1,
            ),
            (
                "2026-01-02T03:04:05.123456789987654321Z",
                1_767_323_045_123_456_789,
                1,
            ),
            (
                "2026-01-02 03:04:05.1z",
                1_767_323_045_100_000_000,
                100_000_000,
            ),
            ("2026-01-02t03:04:05+23:59", 1_767_236_705 * SECOND, SECOND),
            ("2026-01-02T03:04:05-00:00", 1_767_323_045 * SECOND, SECOND),
            ("0000-01-01T00:00:00Z", -62_167_219_200 * SECOND, SECOND),
        ] {
            assert_eq!(parse(text), Some(Stamp { at, resolution }), "{text}");
        }
    }

    #[test]
    fn a_leap_second_is_somewhere_between_its_neighbours() {
        for (text, at, resolution) in [
            ("2016-12-31T23:59:60Z", NEW_YEAR_2017 - SECOND, 2 * SECOND),
            (
                "2016-12-31T15:59:60-08:00",
                NEW_YEAR_2017 - SECOND,
                2 * SECOND,
            ),
            (
                "2017-01-01T05:29:60.5+05:30",
                NEW_YEAR_2017 - SECOND / 2,
                SECOND + SECOND / 10,
            ),
        ] {
            assert_eq!(parse(text), Some(Stamp { at, resolution }), "{text}");
        }
    }

    #[test]
    fn what_is_no_time_is_refused() {
        for text in [
            "",
            "now",
            "2026",
            "2026-01-02",
            "2026-01-02T03:04:05",
            "2026-01-02T03:04Z",
            "2026-01-02T03:04:05.Z",
            "2026-01-02T03:04:05,5Z",
            "2026-01-02T03:04:05ZZ",
            "2026-01-02T03:04:05+0100",
            "2026-01-02T03:04:05+24:00",
            "2026-01-02T03:04:05+01:60",
            "2026-01-02T24:00:00Z",
            "2026-01-02T03:60:05Z",
            "2026-01-02T03:04:61Z",
            "2026-01-02T03:04:60Z",
            "2026-01-02T23:59:60Z",
            "2026-02-29T03:04:05Z",
            "2026-13-01T03:04:05Z",
            "26-01-02T03:04:05Z",
            "+2026-01-02T03:04:05Z",
            "2026-01-02T03:04:05.½Z",
            "２０２６-01-02T03:04:05Z",
            "9999-12-31T23:59:59-23:59",
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(text in r"(\PC{0,40}|[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,40})?(Z|[+-][0-9]{2}:[0-9]{2}))") {
            let _ = parse(&text);
        }

        #[test]
        fn what_jiff_writes_is_read(second in -62_167_219_200_i64..253_402_207_200, nanosecond in 0..1_000_000_000_i32) {
            let written = jiff::Timestamp::new(second, if second < 0 { -nanosecond } else { nanosecond }).unwrap();
            let stamp = parse(&written.to_string());
            // Years before 0000 have a sign, which RFC 3339 has not.
            prop_assert_eq!(stamp.map(|stamp| stamp.at), (!written.to_string().starts_with('-')).then(|| written.as_nanosecond()));
        }
    }
}
