//! `url.query` without the secrets that signed URLs carry.

use std::borrow::Cow;

use percent_encoding::percent_decode_str;

/// What stands in the place of a sensitive value.
pub const REDACTED: &str = "REDACTED";

/// Keys whose values grant access: those the semantic conventions list for `url.query`, earlier versions' included. Case-sensitive.
const SENSITIVE_KEYS: [&str; 7] = [
    "AWSAccessKeyId",
    "Signature",
    "X-Amz-Credential",
    "X-Amz-Security-Token",
    "X-Amz-Signature",
    "X-Goog-Signature",
    "sig",
];

/// Replaces the values of sensitive keys by [`REDACTED`] and keeps everything else, keys included, as it is.
///
/// `query` is the part of a URL after `?`, still percent-encoded. A key is compared in its decoded form, so that `s%69g` hides
/// nothing.
pub fn redact_query(query: &str) -> Cow<'_, str> {
    if !query.split('&').any(|pair| sensitive(pair).is_some()) {
        return Cow::Borrowed(query);
    }
    let mut redacted = String::with_capacity(query.len());
    for (index, pair) in query.split('&').enumerate() {
        if index > 0 {
            redacted.push('&');
        }
        match sensitive(pair) {
            Some(key) => redacted.extend([key, "=", REDACTED]),
            None => redacted.push_str(pair),
        }
    }
    Cow::Owned(redacted)
}

/// The key of a pair whose value must not be shown.
fn sensitive(pair: &str) -> Option<&str> {
    let (key, _) = pair.split_once('=')?;
    let decoded = percent_decode_str(key);
    SENSITIVE_KEYS
        .iter()
        .any(|known| decoded.clone().eq(known.bytes()))
        .then_some(key)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_of_signed_urls_are_hidden_and_nothing_else() {
        for (query, expected) in [
            ("", ""),
            ("q=OpenTelemetry", "q=OpenTelemetry"),
            ("q=OpenTelemetry&sig=abc", "q=OpenTelemetry&sig=REDACTED"),
            ("sig=a&sig=b&x=1", "sig=REDACTED&sig=REDACTED&x=1"),
            (
                "AWSAccessKeyId=AK&Signature=s%3D&Expires=1",
                "AWSAccessKeyId=REDACTED&Signature=REDACTED&Expires=1",
            ),
            (
                "X-Goog-Signature=1&X-Amz-Signature=2",
                "X-Goog-Signature=REDACTED&X-Amz-Signature=REDACTED",
            ),
            ("s%69g=secret", "s%69g=REDACTED"),
            ("SIG=a&signature=b&sig", "SIG=a&signature=b&sig"),
            ("a=b=c&&%zz=1", "a=b=c&&%zz=1"),
        ] {
            assert_eq!(redact_query(query), expected);
        }
    }
}
