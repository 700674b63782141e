mod exemplars;

use std::collections::{BTreeMap, HashSet};

use opentelemetry::KeyValue;
use opentelemetry::metrics::MeterProvider as _;

use super::OPEN_METRICS_CONTENT_TYPE;
use crate::instruments;
use crate::names::metric;
use crate::{ServiceDefaults, Settings, Telemetry};

fn telemetry(resource: &'static str) -> Telemetry {
    let vars = move |name: &str| (name == "OTEL_RESOURCE_ATTRIBUTES").then(|| resource.to_owned());
    let defaults = ServiceDefaults {
        name: "spinfo".into(),
        version: "1.2.3".into(),
        ..ServiceDefaults::default()
    };
    Telemetry::start(&Settings::from_env(&vars, defaults).unwrap()).unwrap()
}

/// Samples by name and labels, after checking that the page follows the grammar and the rules on families of OpenMetrics 1.0.
fn parse(page: &str) -> BTreeMap<String, f64> {
    let body = page
        .strip_suffix("# EOF\n")
        .expect("the page ends with # EOF");
    let mut samples = BTreeMap::new();
    let mut families = HashSet::new();
    let (mut family, mut kind) = (String::new(), String::new());
    for line in body.lines() {
        if let Some(head) = line.strip_prefix("# ") {
            let (what, rest) = head.split_once(' ').unwrap();
            let (name, text) = rest.split_once(' ').unwrap();
            match what {
                "TYPE" => {
                    assert!(families.insert(name.to_owned()), "{name} comes twice");
                    (family, kind) = (name.to_owned(), text.to_owned());
                }
                "UNIT" => assert!(
                    name == family && name.ends_with(&format!("_{text}")),
                    "{line}"
                ),
                "HELP" => assert_eq!(name, family, "{line}"),
                other => panic!("{other}: {line}"),
            }
            continue;
        }
        let (series, value, exemplar) = sample(line);
        let name = series.split('{').next().unwrap();
        let suffixes: &[&str] = match kind.as_str() {
            "counter" => &["_total"],
            "gauge" => &[""],
            "histogram" => &["_bucket", "_count", "_sum"],
            "info" => &["_info"],
            other => panic!("type {other}"),
        };
        let belongs = suffixes
            .iter()
            .any(|suffix| name.strip_suffix(suffix) == Some(family.as_str()));
        assert!(belongs, "{line} is no sample of {kind} {family}");
        if let Some(exemplar) = exemplar {
            assert!(
                name.ends_with("_bucket") || name.ends_with("_total"),
                "{line}"
            );
            exemplars::check(exemplar);
        }
        let value = if value == "+Inf" {
            f64::INFINITY
        } else {
            value.parse().unwrap()
        };
        assert!(
            samples.insert(series.to_owned(), value).is_none(),
            "{series} comes twice"
        );
    }
    samples
}

/// The parts of a sample's line: the series, the value, and the exemplar without its `# `.
fn sample(line: &str) -> (&str, &str, Option<&str>) {
    let name = line.find([' ', '{']).unwrap();
    let series = line.len() - labels(&line[name..]).len();
    let rest = line[series..].strip_prefix(' ').unwrap();
    match rest.split_once(" # ") {
        Some((value, exemplar)) => (&line[..series], value, Some(exemplar)),
        None => (&line[..series], rest, None),
    }
}

/// Checks `{a="b",c="d"}`, where it stands, and returns what follows.
fn labels(text: &str) -> &str {
    let Some(mut rest) = text.strip_prefix('{') else {
        return text;
    };
    let mut seen = HashSet::new();
    loop {
        let (name, tail) = rest.split_once("=\"").unwrap();
        let clean = name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
        assert!(
            clean && !name.starts_with(|c: char| c.is_ascii_digit()) && seen.insert(name),
            "{text}"
        );
        let mut escaped = false;
        let end = tail.find(|c| {
            let closes = c == '"' && !escaped;
            escaped = c == '\\' && !escaped;
            closes
        });
        let after = &tail[end.unwrap() + 1..];
        match after.strip_prefix('}') {
            Some(after) => return after,
            None => rest = after.strip_prefix(',').unwrap(),
        }
    }
}

#[test]
fn a_histogram_has_cumulative_buckets_and_its_unit() {
    let telemetry = telemetry("");
    let meter = telemetry.meter();
    let duration = instruments::histogram(&meter, &metric::HTTP_SERVER_REQUEST_DURATION);
    let route = [
        KeyValue::new("http.route", "/now"),
        KeyValue::new("http.response.status_code", 200),
    ];
    for seconds in [0.001, 0.004, 0.3, 20.0] {
        duration.record(seconds, &route);
    }
    let page = telemetry.open_metrics();
    assert!(page.contains("# TYPE http_server_request_duration_seconds histogram\n# UNIT http_server_request_duration_seconds seconds\n# HELP http_server_request_duration_seconds Duration of requests, until the last byte of the response.\n"), "{page}");
    let samples = parse(&page);
    let common = r#"http_response_status_code="200",http_route="/now",otel_scope_name="spinfo",otel_scope_version="1.2.3""#;
    let bucket = |le: &str| {
        samples[&format!("http_server_request_duration_seconds_bucket{{{common},le=\"{le}\"}}")]
    };
    assert_eq!(
        (
            bucket("0.005"),
            bucket("0.25"),
            bucket("0.5"),
            bucket("10.0"),
            bucket("+Inf")
        ),
        (2.0, 2.0, 3.0, 3.0, 4.0)
    );
    assert_eq!(
        samples[&format!("http_server_request_duration_seconds_count{{{common}}}")],
        4.0
    );
    assert!(
        (samples[&format!("http_server_request_duration_seconds_sum{{{common}}}")] - 20.305).abs()
            < 1e-9
    );
}

#[test]
fn counters_and_gauges_keep_their_values_between_scrapes() {
    let telemetry = telemetry("");
    let meter = telemetry.meter();
    let traps = instruments::counter(&meter, &metric::TRAPS);
    let live = instruments::up_down_counter(&meter, &metric::INSTANCES_LIVE);
    let memory = meter
        .u64_gauge(metric::MEMORY_HIGH_WATER.name)
        .with_unit("By")
        .build();
    traps.add(2, &[]);
    live.add(3, &[]);
    live.add(-4, &[]);
    memory.record(1024, &[]);
    telemetry.open_metrics();
    traps.add(1, &[]);
    let page = telemetry.open_metrics();
    let samples = parse(&page);
    let scope = r#"{otel_scope_name="spinfo",otel_scope_version="1.2.3"}"#;
    assert_eq!(samples[&format!("wasm_traps_total{scope}")], 3.0);
    assert_eq!(samples[&format!("wasm_instances_live{scope}")], -1.0);
    assert_eq!(
        samples[&format!("wasm_memory_high_water_bytes{scope}")],
        1024.0
    );
    assert!(page.contains("# TYPE wasm_traps counter\n"), "{page}");
    assert!(
        page.contains("# TYPE wasm_instances_live gauge\n"),
        "{page}"
    );
}

#[test]
fn hostile_labels_and_resources_stay_in_their_quotes() {
    let telemetry = telemetry("deployment.environment.name=a%22b%5Cc%0Ad,service.name=shop");
    let counter = telemetry
        .meter()
        .u64_counter("odd")
        .with_description("two\nlines \"and\" \\")
        .build();
    counter.add(
        1,
        &[
            KeyValue::new("a.b", "x"),
            KeyValue::new("a_b", "y\"}\n# EOF"),
            KeyValue::new("le", "ü"),
        ],
    );
    let page = telemetry.open_metrics();
    parse(&page);
    assert!(
        page.contains(r#"deployment_environment_name="a\"b\\c\nd""#),
        "{page}"
    );
    assert!(page.contains(r#"service_name="shop""#), "{page}");
    assert!(page.contains(r#"a_b="x;y\"}\n# EOF",le="ü""#), "{page}");
    assert!(
        page.contains(r#"# HELP odd two\nlines \"and\" \\"#),
        "{page}"
    );
}

#[test]
fn two_instruments_of_one_name_give_one_family() {
    let telemetry = telemetry("");
    telemetry.meter().u64_counter("jobs").build().add(1, &[]);
    telemetry
        .meter()
        .u64_gauge("jobs.total")
        .build()
        .record(2, &[]);
    let other = telemetry.meter_provider().meter("other");
    other.u64_counter("jobs.total").build().add(5, &[]);
    other.i64_up_down_counter("jobs").build().add(7, &[]);
    let samples = parse(&telemetry.open_metrics());
    let jobs: Vec<_> = samples
        .iter()
        .filter(|(series, _)| series.starts_with("jobs"))
        .collect();
    assert_eq!(jobs.len(), 2, "{jobs:?}");
    assert_eq!(samples[r#"jobs_total{otel_scope_name="other"}"#], 5.0);
    assert_eq!(
        samples[r#"jobs_total{otel_scope_name="spinfo",otel_scope_version="1.2.3"}"#],
        1.0
    );
}

#[test]
fn an_idle_program_has_a_page_too() {
    let page = telemetry("").open_metrics();
    let samples = parse(&page);
    assert_eq!(samples.len(), 1, "{page}");
    assert!(page.contains(r#"service_version="1.2.3""#), "{page}");
    assert!(OPEN_METRICS_CONTENT_TYPE.contains("version=1.0.0"));
}

#[test]
fn the_page_outlives_telemetry() {
    let telemetry = telemetry("");
    let page = telemetry.metrics_page();
    telemetry.meter().u64_counter("c").build().add(1, &[]);
    assert!(telemetry.shutdown(std::time::Duration::from_secs(5)));
    assert!(page.open_metrics().ends_with("# EOF\n"));
}
