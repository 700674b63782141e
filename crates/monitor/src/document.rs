//! What the body of an answer says about the server's state.

use serde::Deserialize;

/// The longest text that is taken over from a server.
const LONGEST: usize = 64;

/// The members of a status document that matter here; others may come and go.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub(crate) struct Document {
    /// `ok`, `degraded` or `failing`.
    pub(crate) state: String,
    /// The status code that goes with the state.
    pub(crate) code: u16,
    /// One more with each change.
    pub(crate) revision: u64,
    /// When the state changed, as the server writes it; tells apart two changes that got the same revision.
    pub(crate) changed_at: Option<String>,
}

impl Document {
    /// Reads a body. `None` when it is something else, which most servers' answers are.
    pub(crate) fn parse(body: &[u8]) -> Option<Self> {
        let mut document: Self = serde_json::from_slice(body).ok()?;
        for text in [Some(&mut document.state), document.changed_at.as_mut()]
            .into_iter()
            .flatten()
        {
            // It is shown on terminals, whatever it is.
            *text = text
                .chars()
                .filter(|c| !c.is_control())
                .take(LONGEST)
                .collect();
        }
        Some(document)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_status_document_is_read() {
        let body = br#"{"state":"failing","code":503,"message":"m","changed_at":"2026-01-02T03:04:05Z","expires_at":null,"revision":2}"#;
        let document = Document::parse(body).unwrap();
        assert_eq!(
            (document.state.as_str(), document.code, document.revision),
            ("failing", 503, 2)
        );
        assert_eq!(document.changed_at.as_deref(), Some("2026-01-02T03:04:05Z"));
    }

    #[test]
    fn anything_else_is_none() {
        for body in [
            "",
            "ok",
            "[]",
            r#"{"state":"ok"}"#,
            r#"{"state":1,"code":200,"revision":1}"#,
            "{\"state\":\"ok\"",
        ] {
            assert_eq!(Document::parse(body.as_bytes()), None, "{body}");
        }
        assert_eq!(Document::parse(&[0xff, 0xfe]), None);
    }

    #[test]
    fn hostile_text_is_cut_and_cleaned() {
        let long = format!(
            r#"{{"state":"\u001b[2J{}","code":200,"revision":1}}"#,
            "x".repeat(10_000)
        );
        let document = Document::parse(long.as_bytes()).unwrap();
        assert_eq!(document.state.len(), LONGEST);
        assert!(document.state.starts_with("[2Jx"));
    }
}
