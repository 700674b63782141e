//! Text inside HTML.

/// `text` so that it stands for itself in HTML content and in quoted attributes.
pub fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len() + 16);
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            other => escaped.push(other),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::escape;

    #[test]
    fn markup_becomes_text() {
        assert_eq!(
            escape(r#"<img alt="a&b" src='x'>"#),
            "&lt;img alt=&quot;a&amp;b&quot; src=&#39;x&#39;&gt;"
        );
    }

    #[test]
    fn other_text_stays() {
        assert_eq!(escape("Grüße, 世界"), "Grüße, 世界");
    }
}
