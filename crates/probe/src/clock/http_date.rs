//! The time in the header `Date`.

use std::time::UNIX_EPOCH;

use super::stamp::{SECOND, Stamp, nanos};

/// Reads `HTTP-date` (RFC 9110, section 5.6.7), in any of its three forms.
pub(crate) fn parse(text: &str) -> Option<Stamp> {
    // A leap second is none of httpdate's. It and the second before it are one stamp of two seconds.
    let plain = text.replacen("23:59:60", "23:59:59", 1);
    let seconds = if plain == text { 1 } else { 2 };
    let time = httpdate::parse_http_date(&plain).ok()?;
    Some(Stamp {
        at: nanos(time.duration_since(UNIX_EPOCH).ok()?),
        resolution: seconds * SECOND,
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_three_forms_are_the_same_time() {
        for text in [
            "Sun, 06 Nov 1994 08:49:37 GMT",
            "Sunday, 06-Nov-94 08:49:37 GMT",
            "Sun Nov  6 08:49:37 1994",
        ] {
            let stamp = parse(text).unwrap();
            assert_eq!(
                (stamp.at, stamp.resolution),
                (784_111_777 * SECOND, SECOND),
                "{text}"
            );
        }
    }

    #[test]
    fn a_leap_second_is_two_seconds_wide() {
        let stamp = parse("Sat, 31 Dec 2016 23:59:60 GMT").unwrap();
        assert_eq!(
            (stamp.at, stamp.resolution),
            (1_483_228_799 * SECOND, 2 * SECOND)
        );
    }

    #[test]
    fn what_is_no_date_is_refused() {
        for text in [
            "",
            "0",
            "-1",
            "now",
            "Sun, 06 Nov 1994 08:49:37",
            "Sun, 06 Nov 1994 08:49:37 +0000",
            "Sun, 06 Now 1994 08:49:37 GMT",
            "Sun, 06 Nov 1994 24:00:00 GMT",
            "Sun, 06 Nov 1994 08:49:60 GMT",
            "1994-11-06T08:49:37Z",
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn what_jiff_writes_is_read(second in 0_i64..253_402_207_200) {
            let written = jiff::Timestamp::from_second(second).unwrap();
            let text = written.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string();
            prop_assert_eq!(parse(&text).map(|stamp| stamp.at), Some(written.as_nanosecond()));
        }
    }
}
