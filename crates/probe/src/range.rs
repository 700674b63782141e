//! Threshold ranges of the Monitoring Plugins Development Guidelines, section "Threshold and Ranges": `[@]start:end`.

use std::fmt;
use std::str::FromStr;

/// Which values raise an alert: those outside `start..=end`, or with `@` those inside it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Range {
    start: f64,
    end: f64,
    alerts_inside: bool,
    text: String,
}

/// Why a range cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum RangeError {
    /// One of its ends is no plain decimal number.
    #[error(
        "{0:?} is not a number; write a range such as 2 (alerts outside 0 to 2), 1:2, 1:, ~:2 or @1:2"
    )]
    Number(String),
    /// It holds no value.
    #[error("a range begins at its smaller end: write {end}:{start}")]
    Order {
        /// The first number.
        start: String,
        /// The second number.
        end: String,
    },
}

impl Range {
    /// Whether `value` raises an alert. Both ends belong to the range. What is not a number alerts in no range.
    pub(crate) fn alerts(&self, value: f64) -> bool {
        if value.is_nan() {
            return false;
        }
        (self.start..=self.end).contains(&value) == self.alerts_inside
    }

    /// On which side of it a value alerts, for a sentence.
    pub(crate) fn side(&self) -> &'static str {
        if self.alerts_inside {
            "inside"
        } else {
            "outside"
        }
    }
}

impl FromStr for Range {
    type Err = RangeError;

    fn from_str(text: &str) -> Result<Self, RangeError> {
        let (alerts_inside, ends) = match text.strip_prefix('@') {
            Some(rest) => (true, rest),
            None => (false, text),
        };
        // A single number is the end of a range that begins at 0.
        let (start, end) = match ends.split_once(':') {
            // Without both ends nothing is said.
            Some(("", "")) => return Err(RangeError::Number(text.to_owned())),
            Some(pair) => pair,
            None => ("", number_text(ends)?),
        };
        let range = Self {
            start: match start {
                "" => 0.0,
                "~" => f64::NEG_INFINITY,
                text => number(text)?,
            },
            end: match end {
                "" => f64::INFINITY,
                text => number(text)?,
            },
            alerts_inside,
            text: text.to_owned(),
        };
        if range.start > range.end {
            return Err(RangeError::Order {
                start: if start.is_empty() { "0" } else { start }.to_owned(),
                end: end.to_owned(),
            });
        }
        Ok(range)
    }
}

fn number_text(text: &str) -> Result<&str, RangeError> {
    number(text).map(|_| text)
}

/// Performance data repeats ranges, and knows neither exponents nor infinities.
fn number(text: &str) -> Result<f64, RangeError> {
    let plain = text
        .bytes()
        .all(|byte| byte.is_ascii_digit() || byte == b'.' || byte == b'-');
    match text.parse() {
        Ok(number) if plain => Ok(number),
        _ => Err(RangeError::Number(text.to_owned())),
    }
}

/// As it was written.
impl fmt::Display for Range {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn range(text: &str) -> Range {
        text.parse().unwrap()
    }

    /// The guidelines' table of examples: a range, values that alert, values that don't.
    #[test]
    fn the_examples_of_the_guidelines() {
        let table: [(&str, &[f64], &[f64]); 5] = [
            ("10", &[-0.1, 10.1], &[0.0, 5.0, 10.0]),
            ("10:", &[9.9, -1.0], &[10.0, 1e9]),
            ("~:10", &[10.1], &[-1e9, 0.0, 10.0]),
            ("10:20", &[9.9, 20.1], &[10.0, 15.0, 20.0]),
            ("@10:20", &[10.0, 15.0, 20.0], &[9.9, 20.1]),
        ];
        for (text, alerting, quiet) in table {
            for &value in alerting {
                assert!(range(text).alerts(value), "{text} and {value}");
            }
            for &value in quiet {
                assert!(!range(text).alerts(value), "{text} and {value}");
            }
        }
    }

    /// The guidelines' table of command lines.
    #[test]
    fn pairs_of_warning_and_critical() {
        // warning, critical, value, alerts of both
        let table = [
            ("10", "20", 15.0, (true, false)),
            ("10", "20", 21.0, (true, true)),
            ("10", "20", -1.0, (true, true)),
            ("~:10", "~:20", -1.0, (false, false)),
            ("~:10", "~:20", 11.0, (true, false)),
            ("10:", "20:", 15.0, (false, true)),
            ("10:", "20:", 9.0, (true, true)),
            ("~:0", "10", 5.0, (true, false)),
            ("~:0", "10", -1.0, (false, true)),
            ("1", "5:6", 5.5, (true, false)),
            ("1", "@10:20", 12.0, (true, true)),
        ];
        for (warning, critical, value, expected) in table {
            let alerts = (range(warning).alerts(value), range(critical).alerts(value));
            assert_eq!(alerts, expected, "-w {warning} -c {critical} and {value}");
        }
    }

    #[test]
    fn fractions_signs_and_open_ends() {
        assert!(range("-1.5:-0.5").alerts(0.0));
        assert!(!range("-1.5:-0.5").alerts(-1.0));
        assert!(range(":2").alerts(2.5));
        assert!(!range("~:").alerts(f64::MIN));
        assert!(range("@~:").alerts(0.0));
        assert!(range("@5").alerts(0.0));
        assert!(!range("1").alerts(f64::NAN));
        assert_eq!(range("@10:20").to_string(), "@10:20");
        assert_eq!(
            (range("@1").side(), range("1").side()),
            ("inside", "outside")
        );
    }

    #[test]
    fn what_is_no_range_is_refused_with_a_reason() {
        for text in [
            "", ":", "@", "~", "a", "1:b", "1:2:3", "1e3", "inf", "nan", "1,5", "2s", "~:~", "5:~",
        ] {
            let error = text.parse::<Range>().unwrap_err();
            assert!(error.to_string().contains("is not a number"), "{text}");
        }
        for text in ["20:10", ":-1", "-1"] {
            let error = text.parse::<Range>().unwrap_err();
            assert!(matches!(error, RangeError::Order { .. }), "{text}");
        }
    }
}
