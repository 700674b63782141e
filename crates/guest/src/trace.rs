//! W3C trace context and baggage, in and out.

use std::borrow::Cow;

use http::{HeaderMap, HeaderValue};
use opentelemetry::Context;
use opentelemetry::propagation::TextMapPropagator;
use opentelemetry::trace::{SpanContext, SpanId, TraceContextExt, TraceFlags, TraceId};
use opentelemetry_http::{HeaderExtractor, HeaderInjector};
use opentelemetry_sdk::propagation::{BaggagePropagator, TraceContextPropagator};

use crate::fields::Fields;

/// The caller's context: its span as remote parent, and its baggage. Empty when the headers are missing or malformed.
pub(crate) fn extract(fields: &Fields) -> Context {
    let mut context = Context::new();
    if let Some((trace_id, span_id, flags)) = traceparent(fields) {
        let state = joined(fields, "tracestate")
            .and_then(|state| state.parse().ok())
            .unwrap_or_default();
        let span = SpanContext::new(trace_id, span_id, flags, true, state);
        context = context.with_remote_span_context(span);
    }
    if fields.get("baggage").next().is_some() {
        context =
            BaggagePropagator::new().extract_with_context(&context, &HeaderExtractor(fields.map()));
    }
    context
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
    let mut value = String::with_capacity(TRACEPARENT_LEN);
    value.push_str("00-");
    push_hex(&mut value, &span.trace_id().to_bytes());
    value.push('-');
    push_hex(&mut value, &span.span_id().to_bytes());
    value.push_str(if span.is_sampled() { "-01" } else { "-00" });
    value
}

/// Digit by digit: the formatting of 128-bit numbers is slow in WebAssembly, and every answer needs it.
fn push_hex(text: &mut String, bytes: &[u8]) {
    for byte in bytes {
        for digit in [byte >> 4, byte & 0xf] {
            text.push(char::from(b"0123456789abcdef"[usize::from(digit)]));
        }
    }
}

const TRACEPARENT_LEN: usize = 55;

/// Trace Context, section 3.2.2. Not by the propagator: it takes shorter ids, and parses them as 128-bit numbers, which
/// is slow in WebAssembly.
fn traceparent(fields: &Fields) -> Option<(TraceId, SpanId, TraceFlags)> {
    let mut values = fields.get("traceparent");
    let value = values.next()?.as_bytes();
    // Two of them contradict each other; section 3.2 leaves neither.
    if values.next().is_some() {
        return None;
    }
    let (known, more) = value.split_at_checked(TRACEPARENT_LEN)?;
    let [version] = hex(&known[..2])?;
    let dashes = [2, 35, 52].iter().all(|&at| known[at] == b'-');
    let end = more.is_empty() || (more[0] == b'-' && version > 0);
    if !dashes || !end || version == 0xff {
        return None;
    }
    let trace_id = TraceId::from_bytes(hex(&known[3..35])?);
    let span_id = SpanId::from_bytes(hex(&known[36..52])?);
    let [flags] = hex(&known[53..])?;
    let valid = trace_id != TraceId::INVALID && span_id != SpanId::INVALID;
    valid.then_some((
        trace_id,
        span_id,
        TraceFlags::new(flags) & TraceFlags::SAMPLED,
    ))
}

/// `N` bytes of two digits each, in lower case only.
fn hex<const N: usize>(digits: &[u8]) -> Option<[u8; N]> {
    let digit = |at: usize| match digits[at] {
        digit @ b'0'..=b'9' => Some(digit - b'0'),
        digit @ b'a'..=b'f' => Some(digit - b'a' + 10),
        _ => None,
    };
    let mut bytes = [0; N];
    for (at, byte) in bytes.iter_mut().enumerate() {
        *byte = digit(2 * at)? << 4 | digit(2 * at + 1)?;
    }
    Some(bytes)
}

/// Several fields count as one list (section 3.3.1).
fn joined<'a>(fields: &'a Fields, name: &str) -> Option<Cow<'a, str>> {
    let mut values = fields.get(name);
    let first = values.next()?;
    Some(values.fold(Cow::Borrowed(first), |all, next| {
        Cow::Owned(format!("{all},{next}"))
    }))
}

#[cfg(test)]
mod tests {
    use opentelemetry::baggage::BaggageExt;

    use super::*;

    const PARENT: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

    fn headers(fields: &[(&str, &str)]) -> Fields {
        let list = fields
            .iter()
            .map(|&(name, value)| (name.to_owned(), value.as_bytes().to_vec()));
        Fields::new(list.collect())
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
