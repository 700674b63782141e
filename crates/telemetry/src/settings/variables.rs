//! Reading single variables by the specification's rules on types and bad values.

use std::cell::RefCell;
use std::fmt::Display;
use std::str::FromStr;
use std::time::Duration;

/// The environment, with the warnings that reading it has given so far.
pub(super) struct Variables<'a> {
    source: &'a dyn Fn(&str) -> Option<String>,
    warnings: RefCell<Vec<String>>,
}

impl<'a> Variables<'a> {
    pub(super) fn new(source: &'a dyn Fn(&str) -> Option<String>) -> Self {
        Self {
            source,
            warnings: RefCell::default(),
        }
    }

    pub(super) fn into_warnings(self) -> Vec<String> {
        self.warnings.into_inner()
    }

    pub(super) fn warn(&self, warning: String) {
        let mut warnings = self.warnings.borrow_mut();
        // A general variable is read once per signal; one sentence about it is enough.
        if !warnings.contains(&warning) {
            warnings.push(warning);
        }
    }

    /// The value, trimmed; empty is unset.
    pub(super) fn get(&self, name: &str) -> Option<String> {
        let value = (self.source)(name)?;
        let value = value.trim();
        (!value.is_empty()).then(|| value.to_owned())
    }

    /// Only `true`, in any case, is true; anything but `false` beside it deserves a warning.
    pub(super) fn boolean(&self, name: &str, default: bool) -> bool {
        match self.get(name) {
            None => default,
            Some(value) if value.eq_ignore_ascii_case("true") => true,
            Some(value) => {
                if !value.eq_ignore_ascii_case("false") {
                    self.warn(format!(
                        "{name}: {value:?} is neither true nor false, taking false"
                    ));
                }
                false
            }
        }
    }

    pub(super) fn number<T: FromStr + Display>(&self, name: &str, default: T) -> T {
        self.parsed(name, default, |value| value.parse().ok())
    }

    pub(super) fn positive(&self, name: &str, default: usize) -> usize {
        self.parsed(name, default, |value| {
            value.parse().ok().filter(|number| *number > 0)
        })
    }

    /// A whole number of milliseconds, from one to a day: no interval of telemetry makes sense beyond.
    pub(super) fn milliseconds(&self, name: &str, default: Duration) -> Duration {
        let millis = u64::try_from(default.as_millis()).unwrap_or(u64::MAX);
        Duration::from_millis(
            self.parsed(name, millis, |value| value.parse().ok())
                .clamp(1, 86_400_000),
        )
    }

    /// A whole number of milliseconds; zero means no limit.
    pub(super) fn timeout(&self, name: &str, default: Duration) -> Duration {
        let millis = u64::try_from(default.as_millis()).unwrap_or(u64::MAX);
        match self.parsed(name, millis, |value| value.parse().ok()) {
            0 => Duration::MAX,
            millis => Duration::from_millis(millis),
        }
    }

    /// One of a list of names, compared without regard to case.
    pub(super) fn choice<T: Copy>(&self, name: &str, choices: &[(&str, T)], default: T) -> T {
        let Some(value) = self.get(name) else {
            return default;
        };
        if let Some((_, choice)) = choices
            .iter()
            .find(|(known, _)| value.eq_ignore_ascii_case(known))
        {
            return *choice;
        }
        let known = choices
            .iter()
            .map(|(known, _)| *known)
            .collect::<Vec<_>>()
            .join(", ");
        self.warn(format!(
            "{name}: {value:?} is not known and ignored; known are {known}"
        ));
        default
    }

    fn parsed<T: Display>(&self, name: &str, default: T, parse: impl Fn(&str) -> Option<T>) -> T {
        let Some(value) = self.get(name) else {
            return default;
        };
        parse(&value).unwrap_or_else(|| {
            self.warn(format!(
                "{name}: {value:?} is not a number in range, taking {default}"
            ));
            default
        })
    }
}
