//! Content negotiation by `Accept` with quality values (RFC 9110, section 12.5.1).

/// The media types the components offer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Media {
    /// `text/plain`
    Text,
    /// `text/html`
    Html,
    /// `application/json`
    Json,
}

impl Media {
    fn parts(self) -> (&'static str, &'static str) {
        match self {
            Self::Text => ("text", "plain"),
            Self::Html => ("text", "html"),
            Self::Json => ("application", "json"),
        }
    }
}

/// The offer the client likes best; between equals the one that is offered first.
///
/// A client that accepts none of the offers gets the first: section 12.5.1 allows to disregard the field, and an
/// answer serves a person with an odd client better than 406.
///
/// # Panics
/// When `offers` is empty, which is a mistake of the caller and independent of the request.
pub fn negotiate(accept: &str, offers: &[Media]) -> Media {
    let mut best = (offers[0], 0);
    for &offer in offers {
        let quality = quality_of(offer, accept);
        if quality > best.1 {
            best = (offer, quality);
        }
    }
    best.0
}

/// Thousandths; of the ranges that match, the most specific one decides.
fn quality_of(offer: Media, accept: &str) -> u16 {
    let (main, sub) = offer.parts();
    let mut found: Option<(u8, u16)> = None;
    for range in accept.split(',') {
        let mut pieces = range.split(';');
        let Some((range_main, range_sub)) =
            pieces.next().and_then(|range| range.trim().split_once('/'))
        else {
            continue;
        };
        let specificity = match (range_main, range_sub) {
            ("*", "*") => 0,
            (m, "*") if m.eq_ignore_ascii_case(main) => 1,
            (m, s) if m.eq_ignore_ascii_case(main) && s.eq_ignore_ascii_case(sub) => 2,
            _ => continue,
        };
        let quality = pieces
            .filter_map(|parameter| parameter.trim().split_once('='))
            .find(|(name, _)| name.trim().eq_ignore_ascii_case("q"))
            .map_or(1000, |(_, value)| thousandths(value.trim()));
        if found.is_none_or(|(known, _)| specificity >= known) {
            found = Some((specificity, quality));
        }
    }
    found.map_or(0, |(_, quality)| quality)
}

/// A malformed weight counts as 0: what the client meant is unknown, another range may say it better.
fn thousandths(value: &str) -> u16 {
    match value.parse::<f32>() {
        Ok(quality) if (0.0..=1.0).contains(&quality) => (quality * 1000.0).round() as u16,
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::Media::{Html, Json, Text};
    use super::*;

    #[test]
    fn tools_get_the_first_offer() {
        assert_eq!(negotiate("", &[Text, Html]), Text);
        assert_eq!(negotiate("*/*", &[Text, Html]), Text);
        assert_eq!(negotiate("text/*", &[Json, Text]), Text);
    }

    #[test]
    fn browsers_get_html() {
        let chrome = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8";
        assert_eq!(negotiate(chrome, &[Text, Html]), Html);
    }

    #[test]
    fn weights_decide_and_the_specific_range_wins() {
        assert_eq!(
            negotiate("application/json;q=0.4, text/plain;q=0.5", &[Json, Text]),
            Text
        );
        assert_eq!(
            negotiate(
                "text/*;q=0.9, text/plain;q=0.1, application/json;q=0.5",
                &[Text, Json]
            ),
            Json
        );
        assert_eq!(negotiate("text/html;q=0, */*", &[Html, Text]), Text);
        assert_eq!(negotiate("APPLICATION/JSON", &[Text, Json]), Json);
        assert_eq!(
            negotiate(
                "text/plain; charset=utf-8; Q=0.2, application/json; q=0.3",
                &[Text, Json]
            ),
            Json
        );
    }

    #[test]
    fn nonsense_falls_back_to_the_first_offer() {
        for accept in [
            "image/png",
            "text",
            "/",
            ";q=1",
            "text/html;q=nan",
            "text/html;q=7",
            ",,,",
            "\u{e9}/x",
        ] {
            assert_eq!(negotiate(accept, &[Text, Html]), Text, "{accept}");
        }
    }
}
