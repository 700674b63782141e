//! A route of an HTTP trigger, `/files/:name` or `/assets/...`, and how a path matches it.
//!
//! Spin leaves this to the crate `routefinder`, whose rules have corners that applications can meet, so they are kept
//! exactly: a dot separates segments like a slash does, a dot after literal text joins that text (`/a/.b` means `/a.b`),
//! and all slashes at either end of route and path are ignored.

use std::ops::Range;

use crate::error::Error;

/// The ending that makes a route match everything below it.
const WILDCARD: &str = "/...";
/// The same in the older spelling.
const STAR: &str = "/*";

/// A route as written and as understood.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RoutePattern {
    /// As written in the manifest.
    raw: String,
    /// Absolute, without the trailing slash; empty for the root.
    matched: String,
    wildcard: bool,
    segments: Vec<Segment>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Segment {
    Slash,
    Dot,
    Exact(String),
    Parameter(String),
    Wildcard,
}

/// What a path has where a route has parameters.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Captures<'p> {
    /// Values of the parameters, in the route's order.
    pub(crate) values: Vec<&'p str>,
    /// Where in the path is what the wildcard stands for, without the slashes around, if the route has one.
    pub(crate) wildcard: Option<Range<usize>>,
}

impl RoutePattern {
    /// Parses a route; one without a leading slash gets it.
    ///
    /// # Errors
    /// [`Error::Route`] for a parameter without a name and for text that starts with `*`.
    pub fn parse(raw: &str) -> Result<Self, Error> {
        let absolute = if raw.starts_with('/') {
            raw.to_owned()
        } else {
            format!("/{raw}")
        };
        let matched = absolute.strip_suffix('/').unwrap_or(&absolute).to_owned();
        let (spec, wildcard) = match matched.strip_suffix(WILDCARD) {
            Some(prefix) => (format!("{prefix}{STAR}"), true),
            None => (matched.clone(), matched.ends_with(STAR)),
        };
        let segments = parse_segments(&spec).map_err(|(reason, remedy)| Error::Route {
            route: raw.to_owned(),
            reason,
            remedy,
        })?;
        Ok(Self {
            raw: raw.to_owned(),
            matched,
            wildcard,
            segments,
        })
    }

    /// The route as written: Spin's `spin-raw-component-route`.
    pub fn as_str(&self) -> &str {
        &self.raw
    }

    /// The route with its leading and without its trailing slash: Spin's `spin-matched-route`, which is empty for `/`.
    pub fn matched(&self) -> &str {
        &self.matched
    }

    /// The route as written, without `/...`: Spin's `spin-component-route`.
    pub fn component_route(&self) -> &str {
        self.raw.strip_suffix(WILDCARD).unwrap_or(&self.raw)
    }

    /// The absolute path below which this route matches, or which it matches exactly; `/` for the root.
    pub fn path(&self) -> &str {
        let path = match self.wildcard {
            true => self
                .matched
                .strip_suffix(WILDCARD)
                .or_else(|| self.matched.strip_suffix(STAR)),
            false => None,
        };
        Some(path.unwrap_or(&self.matched))
            .filter(|path| !path.is_empty())
            .unwrap_or("/")
    }

    /// Whether everything below [`path`](Self::path) matches too.
    pub fn is_wildcard(&self) -> bool {
        self.wildcard
    }

    /// Names of the `:name` parameters, in order.
    pub fn parameters(&self) -> impl Iterator<Item = &str> {
        self.segments.iter().filter_map(|segment| match segment {
            Segment::Parameter(name) => Some(name.as_str()),
            _ => None,
        })
    }

    /// Whether there is nothing but text.
    pub(crate) fn is_literal(&self) -> bool {
        !self.wildcard && self.parameters().next().is_none()
    }

    /// Whether both match exactly the same paths.
    pub(crate) fn is_same(&self, other: &Self) -> bool {
        self.segments.len() == other.segments.len()
            && self
                .segments
                .iter()
                .zip(&other.segments)
                .all(|pair| match pair {
                    (Segment::Parameter(_), Segment::Parameter(_)) => true,
                    (a, b) => a == b,
                })
    }

    /// Whether no path can match, since a wildcard stands before the end.
    pub(crate) fn is_dead(&self) -> bool {
        self.segments
            .iter()
            .rev()
            .skip(1)
            .any(|segment| *segment == Segment::Wildcard)
    }

    /// Whether this route has to be tried before `other`: text before parameters before wildcards, then the shorter.
    /// Literal texts are equal to each other, since at most one of them can match.
    pub(crate) fn goes_before(&self, other: &Self) -> bool {
        for (mine, theirs) in self.segments.iter().zip(&other.segments) {
            if let Some(before) = mine.goes_before(theirs) {
                return before;
            }
        }
        let dots = |route: &Self| {
            route
                .segments
                .iter()
                .filter(|segment| **segment == Segment::Dot)
                .count()
        };
        match dots(self).cmp(&dots(other)) {
            std::cmp::Ordering::Equal => self.segments.len() < other.segments.len(),
            order => order.is_gt(),
        }
    }

    /// Matches a path (without query), in time linear in its length.
    pub(crate) fn matches<'p>(&self, path: &'p str) -> Option<Captures<'p>> {
        let start = path.len() - path.trim_start_matches('/').len();
        let mut rest = path[start..].trim_end_matches('/');
        let end = start + rest.len();
        let mut captures = Captures::default();
        let mut segments = self.segments.iter().peekable();
        while let Some(segment) = segments.next() {
            rest = match segment {
                Segment::Exact(text) => rest.strip_prefix(text.as_str())?,
                Segment::Dot => rest.strip_prefix('.')?,
                // A wildcard matches its bare prefix too.
                Segment::Slash
                    if rest.is_empty() && segments.peek() == Some(&&Segment::Wildcard) =>
                {
                    rest
                }
                Segment::Slash => rest.strip_prefix('/')?,
                Segment::Parameter(_) if rest.is_empty() => return None,
                Segment::Parameter(_) => {
                    let before_dot = segments.peek() == Some(&&Segment::Dot);
                    let end = rest
                        .bytes()
                        .position(|byte| byte == b'/' || (before_dot && byte == b'.'));
                    let (value, tail) = rest.split_at(end.unwrap_or(rest.len()));
                    captures.values.push(value);
                    tail
                }
                Segment::Wildcard => {
                    captures.wildcard = Some(end - rest.len()..end);
                    // Whatever follows a wildcard can't match any more.
                    return segments.next().is_none().then_some(captures);
                }
            };
        }
        (rest.is_empty() || rest == "/").then_some(captures)
    }
}

impl Segment {
    /// `None` when the order of two routes doesn't depend on these segments.
    fn goes_before(&self, other: &Self) -> Option<bool> {
        use Segment::{Dot, Exact, Parameter, Slash, Wildcard};
        match (self, other) {
            (Exact(_), Exact(_)) | (Parameter(_), Parameter(_)) | (Wildcard, Wildcard) => None,
            (Slash | Dot, Slash | Dot) => None,
            (Dot | Exact(_), _) => Some(true),
            (Parameter(_), other) => Some(!matches!(other, Exact(_))),
            (Wildcard, other) => Some(!matches!(other, Exact(_) | Parameter(_))),
            (Slash, _) => Some(false),
        }
    }
}

fn parse_segments(spec: &str) -> Result<Vec<Segment>, (&'static str, String)> {
    let spec = spec.trim_matches('/');
    let mut segments = vec![];
    let mut separator = None;
    let mut start = 0;
    let ends = spec
        .bytes()
        .enumerate()
        .filter(|(_, byte)| matches!(byte, b'/' | b'.'));
    for (end, next) in ends
        .map(|(at, byte)| (at, Some(byte)))
        .chain([(spec.len(), None)])
    {
        let segment = parse_segment(&spec[start..end])?;
        if separator == Some(b'.') {
            match segments.last_mut() {
                Some(Segment::Exact(text)) => text.push('.'),
                _ => segments.push(Segment::Dot),
            }
        }
        // Nothing between two slashes is nothing at all.
        if let Some(segment) = segment {
            if separator == Some(b'/') {
                segments.push(Segment::Slash);
            }
            segments.push(segment);
        }
        separator = next;
        start = end + 1;
    }
    Ok(segments)
}

fn parse_segment(text: &str) -> Result<Option<Segment>, (&'static str, String)> {
    match (text.strip_prefix(':'), text) {
        (_, "") => Ok(None),
        (_, "*") => Ok(Some(Segment::Wildcard)),
        (Some(""), _) => Err((
            "a parameter has no name",
            "name it, as in \"/users/:id\"".to_owned(),
        )),
        (Some(name), _) => Ok(Some(Segment::Parameter(name.to_owned()))),
        (None, text) if text.starts_with('*') => Err((
            "a wildcard has no name",
            format!("replace {text:?} with \"...\" at the end of the route"),
        )),
        (None, text) => Ok(Some(Segment::Exact(text.to_owned()))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What the parameters and the wildcard stand for.
    fn captures(route: &str, path: &str) -> Option<(Vec<String>, Option<String>)> {
        let found = RoutePattern::parse(route).unwrap().matches(path)?;
        let values = found.values.iter().map(|value| value.to_string()).collect();
        Some((values, found.wildcard.map(|range| path[range].to_owned())))
    }

    fn matches(route: &str, path: &str) -> bool {
        captures(route, path).is_some()
    }

    #[test]
    fn slashes_at_both_ends_are_ignored_and_within_they_count() {
        for (route, path, expected) in [
            ("/a/b", "/a/b", true),
            ("/a/b", "//a/b//", true),
            ("a/b/", "/a/b", true),
            ("/a/b", "/a//b", false),
            ("/a//b", "/a/b", true),
            ("/a", "/ab", false),
            ("/a", "/A", false),
            ("/", "", true),
            ("/", "///", true),
            ("/", "*", false),
            ("", "/", true),
            ("/caf%C3%A9", "/caf%c3%a9", false),
        ] {
            assert_eq!(matches(route, path), expected, "{route} {path}");
        }
    }

    #[test]
    fn parameters_take_one_segment() {
        let values = |route, path| captures(route, path).map(|found| found.0);
        assert_eq!(values("/u/:id", "/u/bob"), Some(vec!["bob".to_owned()]));
        assert_eq!(values("/u/:id", "/u/"), None);
        assert_eq!(values("/u/:id", "/u/bob/x"), None);
        assert_eq!(values("/u/:id/x", "/u//x"), Some(vec![String::new()]));
        assert_eq!(
            values("/:a/:b", "/1/2"),
            Some(vec!["1".to_owned(), "2".to_owned()])
        );
        assert_eq!(values("/:name.json", "/a.json"), Some(vec!["a".to_owned()]));
        assert_eq!(values("/:name.json", "/a/b.json"), None);
        assert_eq!(values("/:name", "/a.json"), Some(vec!["a.json".to_owned()]));
    }

    #[test]
    fn wildcards_take_the_rest_and_match_their_bare_prefix() {
        let rest = |route, path| captures(route, path).and_then(|found| found.1);
        for (route, path, expected) in [
            ("/f/...", "/f", Some("")),
            ("/f/...", "/f/", Some("")),
            ("/f/*", "/f/a/b/", Some("a/b")),
            ("/f/...", "/f//a", Some("/a")),
            ("/f/...", "/fa", None),
            ("/...", "/", Some("")),
            ("/...", "//a", Some("a")),
            ("/v.*", "/v.1/x", Some("1/x")),
            ("/*/x", "/a/x", None),
        ] {
            assert_eq!(rest(route, path).as_deref(), expected, "{route} {path}");
        }
    }

    #[test]
    fn a_dot_joins_the_text_before_it() {
        assert!(matches("/a/.b", "/a.b"));
        assert!(!matches("/a/.b", "/a/.b"));
        assert!(matches("/a/../b", "/a../b"));
        assert!(matches("/.b", "/.b"));
        assert!(matches("/...deep", "/...deep"));
    }

    #[test]
    fn routes_know_their_names() {
        for (raw, matched, component, path) in [
            ("/", "", "/", "/"),
            ("", "", "", "/"),
            ("/...", "/...", "", "/"),
            ("a", "/a", "a", "/a"),
            ("/a/", "/a", "/a/", "/a"),
            ("/a/...", "/a/...", "/a", "/a"),
            ("/a/*", "/a/*", "/a/*", "/a"),
        ] {
            let route = RoutePattern::parse(raw).unwrap();
            let names = (
                route.as_str(),
                route.matched(),
                route.component_route(),
                route.path(),
            );
            assert_eq!(names, (raw, matched, component, path));
        }
    }
}
