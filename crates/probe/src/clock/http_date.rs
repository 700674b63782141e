//! The time in the header `Date`.

use super::rfc3339::{digits, literal};
use super::stamp::{Nanos, SECOND, Stamp, Written};

const DAYS: [&str; 7] = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];
const LONG_DAYS: [&str; 7] = [
    "Monday",
    "Tuesday",
    "Wednesday",
    "Thursday",
    "Friday",
    "Saturday",
    "Sunday",
];
const MONTHS: [&str; 12] = [
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
];

/// Reads `HTTP-date` (RFC 9110, section 5.6.7): IMF-fixdate, or one of the two obsolete forms. Whether the day of the week is the
/// date's is not asked. `now` decides the century of a year of two digits: one more than 50 years ahead is in the past.
pub fn parse(text: &str, now: Nanos) -> Option<Stamp> {
    let rest = &mut text.as_bytes();
    let written = if let Some(()) = day(rest, &LONG_DAYS, ", ") {
        rfc850(rest, now)
    } else if let Some(()) = day(rest, &DAYS, ", ") {
        imf_fixdate(rest)
    } else {
        day(rest, &DAYS, " ")?;
        asctime(rest)
    }?;
    if rest.is_empty() {
        written.stamp()
    } else {
        None
    }
}

/// `06 Nov 1994 08:49:37 GMT`
fn imf_fixdate(rest: &mut &[u8]) -> Option<Written> {
    let day = digits(rest, 2)?;
    word(rest, " ")?;
    let month = month(rest)?;
    word(rest, " ")?;
    let year = digits(rest, 4)?;
    word(rest, " ")?;
    let time = time_of_day(rest)?;
    word(rest, " GMT")?;
    written(year, month, day, time)
}

/// `06-Nov-94 08:49:37 GMT`
fn rfc850(rest: &mut &[u8], now: Nanos) -> Option<Written> {
    let day = digits(rest, 2)?;
    word(rest, "-")?;
    let month = month(rest)?;
    word(rest, "-")?;
    let of_century = digits(rest, 2)?;
    word(rest, " ")?;
    let time = time_of_day(rest)?;
    word(rest, " GMT")?;
    let seconds = i64::try_from(now.div_euclid(SECOND)).ok()?;
    let this_year = jiff::Timestamp::from_second(seconds)
        .ok()?
        .to_zoned(jiff::tz::TimeZone::UTC)
        .year();
    // The year with these last digits of the hundred that end 50 years from now.
    let last = this_year + 50;
    written(last - (last - of_century).rem_euclid(100), month, day, time)
}

/// `Nov  6 08:49:37 1994`
fn asctime(rest: &mut &[u8]) -> Option<Written> {
    let month = month(rest)?;
    word(rest, " ")?;
    let day = match literal(rest, b" ") {
        Some(_) => digits(rest, 1),
        None => digits(rest, 2),
    }?;
    word(rest, " ")?;
    let time = time_of_day(rest)?;
    word(rest, " ")?;
    let year = digits(rest, 4)?;
    written(year, month, day, time)
}

fn written(year: i16, month: i8, day: i16, [hour, minute, second]: [i8; 3]) -> Option<Written> {
    Some(Written {
        year,
        month,
        day: day.try_into().ok()?,
        hour,
        minute,
        second,
        nanosecond: 0,
        offset: 0,
    })
}

fn time_of_day(rest: &mut &[u8]) -> Option<[i8; 3]> {
    let hour = digits(rest, 2)?;
    word(rest, ":")?;
    let minute = digits(rest, 2)?;
    word(rest, ":")?;
    let second = digits(rest, 2)?;
    Some([
        hour.try_into().ok()?,
        minute.try_into().ok()?,
        second.try_into().ok()?,
    ])
}

fn day(rest: &mut &[u8], names: &[&str], end: &str) -> Option<()> {
    let mut after = *rest;
    names.iter().find_map(|name| word(&mut after, name))?;
    word(&mut after, end)?;
    *rest = after;
    Some(())
}

fn month(rest: &mut &[u8]) -> Option<i8> {
    (1..)
        .zip(MONTHS)
        .find_map(|(number, name)| word(rest, name).map(|()| number))
}

fn word(rest: &mut &[u8], word: &str) -> Option<()> {
    *rest = rest.strip_prefix(word.as_bytes())?;
    Some(())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const IN_2026: Nanos = 1_767_323_045 * SECOND;

    #[test]
    fn the_three_forms_are_the_same_time() {
        let expected = Some(Stamp {
            at: 784_111_777 * SECOND,
            resolution: SECOND,
        });
        for text in [
            "Sun, 06 Nov 1994 08:49:37 GMT",
            "Sunday, 06-Nov-94 08:49:37 GMT",
            "Sun Nov  6 08:49:37 1994",
        ] {
            assert_eq!(parse(text, IN_2026), expected, "{text}");
        }
        assert_eq!(
            parse("Wed Nov 16 08:49:37 1994", IN_2026).map(|stamp| stamp.at),
            Some(784_975_777 * SECOND)
        );
    }

    #[test]
    fn two_digits_of_a_year_are_at_most_50_years_ahead() {
        for (year, expected) in [(26, 2026), (76, 2076), (77, 1977), (99, 1999), (0, 2000)] {
            let short = parse(&format!("Sunday, 06-Nov-{year:02} 08:49:37 GMT"), IN_2026);
            let long = parse(&format!("Sun, 06 Nov {expected} 08:49:37 GMT"), IN_2026);
            assert!(short.is_some());
            assert_eq!(short, long, "{year}");
        }
    }

    #[test]
    fn a_leap_second_is_two_seconds_wide() {
        assert_eq!(
            parse("Sat, 31 Dec 2016 23:59:60 GMT", IN_2026),
            Some(Stamp {
                at: 1_483_228_799 * SECOND,
                resolution: 2 * SECOND
            })
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
            "Sun, 06 Nov 1994 08:49:37 UTC",
            "Sun, 06 Nov 1994 08:49:37 GMT ",
            "Sun, 06 Nov 1994 08:49:37 +0000",
            "Sun, 6 Nov 1994 08:49:37 GMT",
            "sun, 06 nov 1994 08:49:37 GMT",
            "Son, 06 Nov 1994 08:49:37 GMT",
            "Sun, 06 Now 1994 08:49:37 GMT",
            "Sun, 31 Feb 1994 08:49:37 GMT",
            "Sun, 06 Nov 1994 24:00:00 GMT",
            "Sun, 06 Nov 1994 08:49:60 GMT",
            "Sunday, 06-Nov-1994 08:49:37 GMT",
            "Sun Nov 6 08:49:37 1994",
            "1994-11-06T08:49:37Z",
        ] {
            assert_eq!(parse(text, IN_2026), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(text in r"(\PC{0,40}|(Sun|Sunday),? [0-9]{2}[ -]Nov[ -][0-9]{2,4} [0-9]{2}:[0-9]{2}:[0-9]{2}( GMT)?)", now in any::<i128>()) {
            let _ = parse(&text, now);
        }

        #[test]
        fn what_jiff_writes_is_read(second in 0_i64..253_402_207_200) {
            let written = jiff::Timestamp::from_second(second).unwrap();
            let text = written.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string();
            prop_assert_eq!(parse(&text, IN_2026).map(|stamp| stamp.at), Some(written.as_nanosecond()));
        }
    }
}
