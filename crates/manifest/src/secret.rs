//! Text that must not be shown.

use std::fmt;

/// What is shown in place of a secret.
const REDACTED: &str = "[redacted]";

/// Text that may be secret: it has no `Display`, and its `Debug` is `[redacted]`.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Hides `text`.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The text itself, for the one place that needs it.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(REDACTED)
    }
}

/// The value of a variable, and whether it may be shown.
#[derive(Clone, PartialEq, Eq)]
pub struct Value {
    text: Secret,
    secret: bool,
}

impl Value {
    pub(crate) fn new(text: impl Into<String>, secret: bool) -> Self {
        Self {
            text: Secret::new(text),
            secret,
        }
    }

    /// The text, secret or not.
    pub fn expose(&self) -> &str {
        self.text.expose()
    }

    /// Whether the text must not be shown.
    pub fn is_secret(&self) -> bool {
        self.secret
    }
}

impl fmt::Debug for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.secret {
            true => self.text.fmt(f),
            false => self.expose().fmt(f),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_never_shown() {
        assert_eq!(format!("{:?}", Secret::new("hunter2")), "[redacted]");
        assert_eq!(format!("{:?}", Value::new("hunter2", true)), "[redacted]");
        assert_eq!(format!("{:?}", Value::new("blue", false)), "\"blue\"");
        assert_eq!(Value::new("hunter2", true).expose(), "hunter2");
    }
}
