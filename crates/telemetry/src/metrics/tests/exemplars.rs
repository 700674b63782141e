//! Exemplars on the page.

use std::time::{Duration, SystemTime};

use opentelemetry::trace::{SpanContext, SpanId, TraceFlags, TraceId, TraceState};

use super::*;
use crate::Histogram;

const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";
const SPAN: &str = "b7ad6b7169203331";

/// Checks an exemplar by the grammar of OpenMetrics 1.0: labels of at most 128 characters, a number, and a time stamp, which is a
/// number that is finite.
pub(super) fn check(exemplar: &str) {
    let values = labels(exemplar);
    let set = &exemplar[..exemplar.len() - values.len()];
    let pairs = set.trim_matches(['{', '}']).split(',');
    let characters = pairs.map(|pair| pair.chars().count() - "=\"\"".len());
    assert!(characters.sum::<usize>() <= 128, "{exemplar}");
    let Some([value, time]) = values
        .strip_prefix(' ')
        .map(|values| values.split(' ').collect::<Vec<_>>())
        .and_then(|values| <[&str; 2]>::try_from(values).ok())
    else {
        panic!("{exemplar}");
    };
    assert!(value.parse::<f64>().unwrap().is_finite(), "{exemplar}");
    let real = |c: char| c.is_ascii_digit() || c == '.';
    assert!(time.chars().all(real), "{exemplar}");
    let time = SystemTime::UNIX_EPOCH + Duration::from_secs_f64(time.parse().unwrap());
    let age = SystemTime::now().duration_since(time).unwrap();
    assert!(age < Duration::from_secs(600), "{exemplar} is {age:?} old");
}

fn span(flags: TraceFlags) -> SpanContext {
    SpanContext::new(
        TraceId::from_hex(TRACE).unwrap(),
        SpanId::from_hex(SPAN).unwrap(),
        flags,
        true,
        TraceState::NONE,
    )
}

fn with_filter(filter: &'static str) -> (Telemetry, Histogram<f64>) {
    let vars = move |name: &str| (name == "OTEL_METRICS_EXEMPLAR_FILTER").then(|| filter.into());
    let defaults = ServiceDefaults {
        name: "spinfo".into(),
        ..ServiceDefaults::default()
    };
    let telemetry = Telemetry::start(&Settings::from_env(&vars, defaults).unwrap()).unwrap();
    let duration = telemetry.f64_histogram(&metric::HTTP_SERVER_REQUEST_DURATION);
    (telemetry, duration)
}

/// The exemplars of a page by series, without their times.
fn exemplars(page: &str) -> BTreeMap<String, String> {
    parse(page);
    let samples = page.lines().filter(|line| !line.starts_with('#'));
    let with = samples.filter_map(|line| {
        let (series, _, exemplar) = sample(line);
        let (exemplar, _time) = exemplar?.rsplit_once(' ').unwrap();
        Some((series.to_owned(), exemplar.to_owned()))
    });
    with.collect()
}

fn bucket(labels: &str, bound: &str) -> String {
    let scope = r#"otel_scope_name="spinfo""#;
    format!("http_server_request_duration_seconds_bucket{{{labels}{scope},le=\"{bound}\"}}")
}

fn leads_to_trace(value: &str) -> String {
    format!("{{trace_id=\"{TRACE}\",span_id=\"{SPAN}\"}} {value}")
}

#[test]
fn an_exemplar_stands_behind_the_bucket_of_its_value_alone() {
    let (telemetry, duration) = with_filter("");
    let route = [KeyValue::new("http.route", "/a # {\"b\"} 1")];
    for (seconds, flags) in [
        (0.0031, TraceFlags::SAMPLED),
        (0.3, TraceFlags::NOT_SAMPLED),
        (0.75, TraceFlags::SAMPLED),
        (20.0, TraceFlags::SAMPLED),
    ] {
        duration.record(seconds, &route, Some(&span(flags)));
    }
    let labels = r#"http_route="/a # {\"b\"} 1","#;
    let expected = BTreeMap::from([
        (bucket(labels, "0.005"), leads_to_trace("0.0031")),
        (bucket(labels, "0.75"), leads_to_trace("0.75")),
        (bucket(labels, "+Inf"), leads_to_trace("20.0")),
    ]);
    assert_eq!(exemplars(&telemetry.open_metrics()), expected);
    assert_eq!(
        exemplars(&telemetry.open_metrics()),
        expected,
        "a scrape takes nothing away"
    );
}

#[test]
fn a_total_has_one_and_a_gauge_has_none() {
    let (telemetry, _) = with_filter("");
    let traps = telemetry.u64_counter(&metric::TRAPS);
    traps.add(2, &[], Some(&span(TraceFlags::SAMPLED)));
    telemetry.meter().u64_gauge("memory").build().record(1, &[]);
    assert_eq!(
        exemplars(&telemetry.open_metrics()),
        BTreeMap::from([(
            r#"wasm_traps_total{otel_scope_name="spinfo"}"#.to_owned(),
            leads_to_trace("2.0")
        )])
    );
}

#[test]
fn the_filter_decides_and_what_has_no_trace_is_not_shown() {
    for (filter, shown) in [("always_on", true), ("always_off", false), ("", false)] {
        let (telemetry, duration) = with_filter(filter);
        duration.record(0.001, &[], Some(&span(TraceFlags::NOT_SAMPLED)));
        duration.record(0.3, &[], None);
        let found = exemplars(&telemetry.open_metrics());
        let expected = shown.then(|| (bucket("", "0.005"), leads_to_trace("0.001")));
        assert_eq!(found, expected.into_iter().collect(), "{filter}");
    }
}

/// Two series that become one on the page: its counts and its exemplars are those of the same one.
#[test]
fn series_whose_labels_become_one_do_not_lend_exemplars() {
    let (telemetry, duration) = with_filter("");
    for (key, seconds) in [("a.b", 0.001), ("a_b", 0.3)] {
        let attributes = [KeyValue::new(key, "x")];
        duration.record(seconds, &attributes, Some(&span(TraceFlags::SAMPLED)));
    }
    let page = telemetry.open_metrics();
    let (samples, exemplars) = (parse(&page), exemplars(&page));
    let labels = r#"a_b="x","#;
    let first = samples[&bucket(labels, "0.005")];
    let own = if first == 1.0 { "0.005" } else { "0.5" };
    assert_eq!(
        exemplars.into_keys().collect::<Vec<_>>(),
        [bucket(labels, own)]
    );
}
