//! The names Spin allows for components, variables and stores.

/// Component ids are words joined by `-`, each all lower or all upper case: `word-count`, `HTTP-echo`.
pub(crate) fn check_component_id(id: &str) -> Result<(), String> {
    check_words(id, '-')
}

/// Variable names are lower-case words joined by `_`: `admin_token`.
pub(crate) fn check_variable_name(name: &str) -> Result<(), String> {
    check_words(name, '_')?;
    match name.bytes().any(|byte| byte.is_ascii_uppercase()) {
        true => Err("must be lower case".to_owned()),
        false => Ok(()),
    }
}

/// Store labels are words joined by `-` or by `_`, not by both.
pub(crate) fn check_store_label(label: &str) -> Result<(), String> {
    check_words(label, '-').or_else(|_| check_words(label, '_'))
}

/// Whether a component may ask for a variable of this name: lower-case ASCII letters, digits and single underscores, a
/// letter first, no underscore last. That is a little wider than what manifests can declare, as in Spin.
pub fn is_variable_name(name: &str) -> bool {
    let known = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
    name.starts_with(|first: char| first.is_ascii_lowercase())
        && name.bytes().all(known)
        && !name.ends_with('_')
        && !name.contains("__")
}

/// The rule common to all: non-empty words of ASCII letters and digits that start with a letter and don't mix cases.
fn check_words(name: &str, separator: char) -> Result<(), String> {
    if name.is_empty() {
        return Err("must not be empty".to_owned());
    }
    for word in name.split(separator) {
        let Some(first) = word.bytes().next() else {
            return Err(format!(
                "must not start or end with {separator:?} or double it"
            ));
        };
        if let Some(strange) = word.chars().find(|c| !c.is_ascii_alphanumeric()) {
            return Err(format!(
                "must consist of letters, digits and {separator:?}, without {strange:?}"
            ));
        }
        if !first.is_ascii_alphabetic() {
            return Err(format!(
                "must have a letter at the start of each part, unlike {word:?}"
            ));
        }
        let upper = first.is_ascii_uppercase();
        if word
            .bytes()
            .any(|b| b.is_ascii_alphabetic() && b.is_ascii_uppercase() != upper)
        {
            return Err(format!("must not mix upper and lower case within {word:?}"));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn component_ids_are_words_joined_by_dashes() {
        for good in ["a", "word-count", "HTTP", "HTTP-echo", "a1-b2"] {
            assert_eq!(check_component_id(good), Ok(()), "{good}");
        }
        for bad in [
            "", "a-", "-a", "a--b", "1a", "a-1", "a_b", "aB", "Ab", "é", "a b", "a.",
        ] {
            assert!(check_component_id(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn variable_names_are_lower_case_words_joined_by_underscores() {
        for good in ["v", "admin_token", "a1_b2"] {
            assert_eq!(check_variable_name(good), Ok(()), "{good}");
        }
        for bad in ["", "v-v", "V", "v_V", "_v", "v_", "v__v", "v_1", "1v", "ü"] {
            assert!(check_variable_name(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn components_may_ask_for_a_little_more_than_can_be_declared() {
        for good in ["v", "admin_token", "a1_b2", "v_1"] {
            assert!(is_variable_name(good), "{good}");
        }
        for bad in ["", "v-v", "V", "_v", "v_", "v__v", "1v", "ü"] {
            assert!(!is_variable_name(bad), "{bad}");
        }
    }

    #[test]
    fn store_labels_may_use_either_separator_but_not_both() {
        for good in ["default", "my-store", "my_store", "UPPER"] {
            assert_eq!(check_store_label(good), Ok(()), "{good}");
        }
        for bad in ["", "a-b_c", "b@d", "camelCase"] {
            assert!(check_store_label(bad).is_err(), "{bad}");
        }
    }
}
