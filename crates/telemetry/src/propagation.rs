//! Context in HTTP headers: W3C Trace Context and W3C Baggage.

use http::header::{HeaderMap, HeaderName, HeaderValue};
use opentelemetry::Context;
use opentelemetry::propagation::{Extractor, Injector, TextMapPropagator as _};
use opentelemetry_sdk::propagation::{BaggagePropagator, TraceContextPropagator};

use crate::settings::Propagators;

/// Reads and writes `traceparent`, `tracestate` and `baggage`.
#[derive(Clone, Copy, Debug)]
pub struct Propagator(Propagators);

impl Propagator {
    pub(crate) const fn new(propagators: Propagators) -> Self {
        Self(propagators)
    }

    /// The context that `headers` carry. What is missing or malformed is absent from the result, as the specifications ask.
    pub fn extract(&self, headers: &HeaderMap) -> Context {
        let mut context = Context::new();
        let source = Headers::new(headers);
        if self.0.trace_context {
            context = TraceContextPropagator::new().extract_with_context(&context, &source);
        }
        if self.0.baggage && headers.contains_key("baggage") {
            context = BaggagePropagator::new().extract_with_context(&context, &source);
        }
        context
    }

    /// Writes `context` into `headers`, in the place of what they carried. A context without a span, or without baggage, leaves the
    /// respective headers alone.
    pub fn inject(&self, context: &Context, headers: &mut HeaderMap) {
        let mut target = HeadersMut(headers);
        if self.0.trace_context {
            TraceContextPropagator::new().inject_context(context, &mut target);
        }
        if self.0.baggage {
            BaggagePropagator::new().inject_context(context, &mut target);
        }
    }
}

/// Headers to read. A list may come in several lines, which mean the same as one (RFC 9110, section 5.3).
struct Headers<'a> {
    headers: &'a HeaderMap,
    tracestate: Option<String>,
    baggage: Option<String>,
}

impl<'a> Headers<'a> {
    fn new(headers: &'a HeaderMap) -> Self {
        Self {
            headers,
            tracestate: joined(headers, "tracestate"),
            baggage: joined(headers, "baggage"),
        }
    }
}

/// The lines of a list as one, when there is more than one.
fn joined(headers: &HeaderMap, name: &str) -> Option<String> {
    let mut lines = headers.get_all(name).iter();
    lines.nth(1)?;
    let lines = headers
        .get_all(name)
        .iter()
        .filter_map(|line| line.to_str().ok());
    Some(lines.collect::<Vec<_>>().join(","))
}

impl Extractor for Headers<'_> {
    fn get(&self, key: &str) -> Option<&str> {
        match key {
            "tracestate" if self.tracestate.is_some() => return self.tracestate.as_deref(),
            "baggage" if self.baggage.is_some() => return self.baggage.as_deref(),
            _ => {}
        }
        let mut lines = self.headers.get_all(key).iter();
        let line = lines.next()?.to_str().ok()?;
        // Two `traceparent` cannot both be the parent, so neither is (W3C Trace Context, section 4.3).
        lines.next().is_none().then_some(line)
    }

    fn keys(&self) -> Vec<&str> {
        self.headers.keys().map(HeaderName::as_str).collect()
    }
}

struct HeadersMut<'a>(&'a mut HeaderMap);

impl Injector for HeadersMut<'_> {
    fn set(&mut self, key: &str, value: String) {
        // An empty list is no list; some parsers stumble over it.
        if value.is_empty() {
            self.0.remove(key);
        } else if let (Ok(name), Ok(value)) =
            (key.parse::<HeaderName>(), HeaderValue::try_from(value))
        {
            self.0.insert(name, value);
        }
    }
}

#[cfg(test)]
mod tests {
    use opentelemetry::baggage::BaggageExt as _;
    use opentelemetry::trace::TraceContextExt as _;

    use super::*;

    const PARENT: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

    fn all() -> Propagator {
        Propagator::new(Propagators {
            trace_context: true,
            baggage: true,
        })
    }

    fn headers(lines: &[(&'static str, &'static str)]) -> HeaderMap {
        let lines = lines.iter().map(|(name, value)| {
            (
                HeaderName::from_static(name),
                HeaderValue::from_static(value),
            )
        });
        let mut headers = HeaderMap::new();
        for (name, value) in lines {
            headers.append(name, value);
        }
        headers
    }

    #[test]
    fn context_goes_through_unchanged() {
        let incoming = headers(&[
            ("traceparent", PARENT),
            ("tracestate", "a=1"),
            ("tracestate", "b=2"),
            ("baggage", "k=v"),
        ]);
        let context = all().extract(&incoming);
        assert_eq!(
            context.baggage().get("k").map(|value| value.as_str()),
            Some("v")
        );
        let mut outgoing = HeaderMap::new();
        all().inject(&context, &mut outgoing);
        assert_eq!(outgoing["traceparent"], PARENT);
        assert_eq!(outgoing["tracestate"], "a=1,b=2");
        assert_eq!(outgoing["baggage"], "k=v");
    }

    #[test]
    fn nonsense_is_no_parent() {
        for lines in [
            vec![],
            vec![("traceparent", "00-xyz")],
            vec![("traceparent", PARENT), ("traceparent", PARENT)],
            vec![(
                "traceparent",
                "00-00000000000000000000000000000000-b7ad6b7169203331-01",
            )],
        ] {
            let context = all().extract(&headers(&lines));
            assert!(!context.span().span_context().is_valid(), "{lines:?}");
        }
    }

    #[test]
    fn injecting_replaces_what_was_there() {
        let context = all().extract(&headers(&[("traceparent", PARENT)]));
        let mut outgoing = headers(&[
            (
                "traceparent",
                "00-11111111111111111111111111111111-2222222222222222-00",
            ),
            ("tracestate", "old=1"),
        ]);
        all().inject(&context, &mut outgoing);
        assert_eq!(
            outgoing.get_all("traceparent").iter().collect::<Vec<_>>(),
            [PARENT]
        );
        assert!(!outgoing.contains_key("tracestate"));
    }

    #[test]
    fn a_propagator_that_is_off_is_silent() {
        let none = Propagator::new(Propagators {
            trace_context: false,
            baggage: false,
        });
        let incoming = headers(&[("traceparent", PARENT), ("baggage", "k=v")]);
        let context = none.extract(&incoming);
        assert!(!context.has_active_span());
        let mut outgoing = HeaderMap::new();
        none.inject(&all().extract(&incoming), &mut outgoing);
        assert!(outgoing.is_empty());
    }
}
