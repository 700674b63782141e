//! Environment variables that are no flags.

/// A variable's value; an empty variable is unset. What isn't Unicode is replaced, so that its reader refuses it instead of missing it.
#[must_use]
pub fn variable(name: &str) -> Option<String> {
    let value = std::env::var_os(name).filter(|value| !value.is_empty())?;
    Some(value.to_string_lossy().into_owned())
}
