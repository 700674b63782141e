//! W3C trace context and baggage, in and out, by OpenTelemetry's propagators.

use std::borrow::Cow;

use http::{HeaderMap, HeaderValue};
use opentelemetry::Context;
use opentelemetry::propagation::{Extractor, TextMapPropagator};
use opentelemetry::trace::{SpanContext, TraceFlags};
use opentelemetry_http::HeaderInjector;
use opentelemetry_sdk::propagation::{BaggagePropagator, TraceContextPropagator};

/// The caller's context: its span as remote parent, and its baggage. Empty when the headers are missing or malformed.
pub(crate) fn extract(headers: &HeaderMap) -> Context {
    let mut context = Context::new();
    if !headers.contains_key("traceparent") && !headers.contains_key("baggage") {
        return context;
    }
    let carrier = Carrier(headers);
    if carrier.get("traceparent").is_some_and(is_traceparent) {
        let joined = Joined {
            tracestate: joined(headers, "tracestate"),
            carrier: &carrier,
        };
        context = TraceContextPropagator::new().extract_with_context(&context, &joined);
    }
    BaggagePropagator::new().extract_with_context(&context, &carrier)
}

/// Writes `traceparent`, `tracestate` and `baggage` of `context` for an outgoing request.
pub(crate) fn inject(context: &Context, headers: &mut HeaderMap) {
    TraceContextPropagator::new().inject_context(context, &mut HeaderInjector(headers));
    BaggagePropagator::new().inject_context(context, &mut HeaderInjector(headers));
    if headers.get("tracestate").is_some_and(HeaderValue::is_empty) {
        headers.remove("tracestate");
    }
}

/// The value of the response header `traceresponse` (Trace Context Level 2, draft, section "Traceresponse Header").
pub(crate) fn traceresponse(span: &SpanContext) -> String {
    format!(
        "00-{}-{}-{:02x}",
        span.trace_id(),
        span.span_id(),
        span.trace_flags() & TraceFlags::SAMPLED
    )
}

/// The shape of Trace Context, section 3.2.2, which the propagator checks only in parts (it takes shorter ids).
fn is_traceparent(value: &str) -> bool {
    let bytes = value.as_bytes();
    let hex = |from: usize, to: usize| {
        bytes
            .get(from..to)
            .is_some_and(|part| part.iter().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f')))
    };
    let dashes = [2, 35, 52].iter().all(|&at| bytes.get(at) == Some(&b'-'));
    let end = bytes.len() == 55 || (bytes.get(55) == Some(&b'-') && !value.starts_with("00"));
    dashes && hex(0, 2) && hex(3, 35) && hex(36, 52) && hex(53, 55) && end
}

struct Carrier<'a>(&'a HeaderMap);

impl Extractor for Carrier<'_> {
    fn get(&self, key: &str) -> Option<&str> {
        let mut values = self.0.get_all(key).iter();
        let first = values.next()?;
        // Two traceparents contradict each other; section 3.2 leaves neither.
        if key == "traceparent" && values.next().is_some() {
            return None;
        }
        first.to_str().ok()
    }

    fn keys(&self) -> Vec<&str> {
        self.0.keys().map(http::HeaderName::as_str).collect()
    }
}

/// Several `tracestate` fields count as one list (section 3.3.1), where the propagator reads a single one.
struct Joined<'a> {
    tracestate: Option<Cow<'a, str>>,
    carrier: &'a Carrier<'a>,
}

impl Extractor for Joined<'_> {
    fn get(&self, key: &str) -> Option<&str> {
        if key == "tracestate" {
            self.tracestate.as_deref()
        } else {
            self.carrier.get(key)
        }
    }

    fn keys(&self) -> Vec<&str> {
        self.carrier.keys()
    }
}

fn joined<'a>(headers: &'a HeaderMap, name: &str) -> Option<Cow<'a, str>> {
    let mut values = headers
        .get_all(name)
        .iter()
        .filter_map(|value| value.to_str().ok());
    let first = values.next()?;
    Some(values.fold(Cow::Borrowed(first), |all, next| {
        Cow::Owned(format!("{all},{next}"))
    }))
}

#[cfg(test)]
mod tests {
    use opentelemetry::baggage::BaggageExt;
    use opentelemetry::trace::TraceContextExt;

    use super::*;

    const PARENT: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

    fn headers(fields: &[(&'static str, &str)]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in fields {
            headers.append(*name, HeaderValue::from_str(value).unwrap());
        }
        headers
    }

    #[test]
    fn what_comes_in_goes_out() {
        let incoming = headers(&[
            ("traceparent", PARENT),
            ("tracestate", "a=1"),
            ("tracestate", "b=2"),
            ("baggage", "user=eve"),
        ]);
        let context = extract(&incoming);
        assert!(context.span().span_context().is_remote());
        assert_eq!(
            context.baggage().get("user").map(ToString::to_string),
            Some("eve".to_owned())
        );
        let mut outgoing = HeaderMap::new();
        inject(&context, &mut outgoing);
        assert_eq!(outgoing["traceparent"], PARENT);
        assert_eq!(outgoing["tracestate"], "a=1,b=2");
        assert_eq!(outgoing["baggage"], "user=eve");
    }

    #[test]
    fn malformed_parents_are_ignored() {
        for bad in [
            "",
            "00-1-1-01",
            "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
            "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-more",
            "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-+1",
        ] {
            assert!(
                !extract(&headers(&[("traceparent", bad)]))
                    .span()
                    .span_context()
                    .is_valid(),
                "{bad}"
            );
        }
        let twice = headers(&[("traceparent", PARENT), ("traceparent", PARENT)]);
        assert!(!extract(&twice).span().span_context().is_valid());
    }

    #[test]
    fn a_later_version_may_carry_more() {
        let later =
            "cc-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-what-the-future-brings";
        assert!(
            extract(&headers(&[("traceparent", later)]))
                .span()
                .span_context()
                .is_valid()
        );
    }

    #[test]
    fn an_empty_tracestate_is_not_sent() {
        let mut outgoing = HeaderMap::new();
        inject(
            &extract(&headers(&[("traceparent", PARENT)])),
            &mut outgoing,
        );
        assert!(!outgoing.contains_key("tracestate"));
    }

    #[test]
    fn the_answer_names_our_span() {
        let context = extract(&headers(&[("traceparent", PARENT)]));
        assert_eq!(traceresponse(context.span().span_context()), PARENT);
    }
}
