//! `http.request.method`: a client may send any token, a metric must not get a series for each.

use http::Method;
use spinfo_names::values::HttpMethod;

/// The methods that appear under their own name; all others are [`HttpMethod::Other`].
///
/// `OTEL_INSTRUMENTATION_HTTP_KNOWN_METHODS` replaces the list; names are case-sensitive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KnownMethods(Vec<&'static str>);

impl Default for KnownMethods {
    fn default() -> Self {
        let known = HttpMethod::ALL
            .iter()
            .filter(|method| **method != HttpMethod::Other);
        Self(known.map(|method| method.as_str()).collect())
    }
}

impl KnownMethods {
    /// Reads a comma-separated list. The names live as long as the process, since attributes are `'static`; there is one list per process.
    pub(crate) fn parse(list: &str) -> Self {
        let names = list
            .split(',')
            .map(str::trim)
            .filter(|name| !name.is_empty());
        Self(
            names
                .map(|name| match HttpMethod::of(name) {
                    HttpMethod::Other => Box::leak(name.to_owned().into_boxed_str()),
                    known => known.as_str(),
                })
                .collect(),
        )
    }

    /// The value of `http.request.method`: the method's own name when it is known, else [`HttpMethod::Other`], in which case a span also
    /// gets `http.request.method_original`.
    pub fn normalise(&self, method: &Method) -> &'static str {
        let method = method.as_str();
        self.0
            .iter()
            .copied()
            .find(|known| *known == method)
            .unwrap_or(HttpMethod::Other.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unknown_methods_share_one_name() {
        let known = KnownMethods::default();
        assert_eq!(known.normalise(&Method::GET), "GET");
        assert_eq!(known.normalise(&Method::PATCH), "PATCH");
        for odd in ["get", "BREW", "_OTHER", "PROPFIND"] {
            assert_eq!(
                known.normalise(&Method::from_bytes(odd.as_bytes()).unwrap()),
                "_OTHER",
                "{odd}"
            );
        }
    }

    #[test]
    fn the_list_can_be_replaced() {
        let known = KnownMethods::parse("GET, PROPFIND,,");
        assert_eq!(
            known.normalise(&Method::from_bytes(b"PROPFIND").unwrap()),
            "PROPFIND"
        );
        assert_eq!(known.normalise(&Method::POST), "_OTHER");
    }
}
