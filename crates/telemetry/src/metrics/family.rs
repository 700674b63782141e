//! From collected instruments to families of samples.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use opentelemetry::{InstrumentationScope, KeyValue};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::metrics::data::{AggregatedMetrics, HistogramDataPoint, Metric, MetricData};
use spinfo_names::prometheus::{self, Type};

use super::text::{Labels, Number, Page, Sample};
use crate::exemplars::{Collected, Copied, Exemplar};

/// One metric family.
struct Family {
    kind: Type,
    unit: Option<String>,
    help: String,
    /// By labels, so that no series appears twice and the order is always the same.
    series: BTreeMap<Labels, Value>,
}

enum Value {
    Number(Number, Option<Exemplar>),
    /// The sum and the count beside the buckets.
    Histogram {
        buckets: Vec<Bucket>,
        sum: Number,
        count: u64,
    },
}

struct Bucket {
    /// The upper bound; that of the last is infinite.
    bound: f64,
    /// Values in this bucket and those before it.
    below: u64,
    /// Of this bucket alone.
    exemplar: Option<Exemplar>,
}

/// Where values come from: a metric with the labels of its scope and the exemplars of its instrument.
struct Source<'a> {
    metric: &'a Metric,
    scope: &'a Labels,
    exemplars: Option<&'a Copied>,
}

pub(super) fn page(collected: &Collected) -> String {
    let Collected { metrics, exemplars } = collected;
    let mut families: BTreeMap<String, Family> = BTreeMap::new();
    // The reader's order is that of a hash map; where names clash, it must not decide.
    let mut scopes: Vec<_> = metrics.scope_metrics().collect();
    scopes.sort_by(|one, other| one.scope().name().cmp(other.scope().name()));
    for scope in scopes {
        let labels = scope_labels(scope.scope());
        for metric in scope.metrics() {
            let source = Source {
                metric,
                scope: &labels,
                exemplars: exemplars.of(scope.scope(), metric),
            };
            match metric.data() {
                AggregatedMetrics::F64(data) => add(&mut families, &source, data, Number::Float),
                AggregatedMetrics::U64(data) => add(&mut families, &source, data, Number::Unsigned),
                AggregatedMetrics::I64(data) => add(&mut families, &source, data, Number::Signed),
            }
        }
    }

    let mut page = Page::default();
    target_info(&mut page, metrics.resource());
    for (name, family) in &families {
        page.family(name, family.kind, family.unit.as_deref(), &family.help);
        for (labels, value) in &family.series {
            write(&mut page, name, family.kind, labels, value);
        }
    }
    page.finish()
}

/// The resource, once, as labels of a constant.
fn target_info(page: &mut Page, resource: &Resource) {
    page.head("target", "info", None, "What the metrics are about.");
    let attributes = resource
        .iter()
        .map(|(key, value)| (prometheus::label(key.as_str()), value.to_string()));
    page.sample(&Sample {
        name: ("target", "_info"),
        labels: &merged(attributes),
        last: None,
        value: Number::Unsigned(1),
        exemplar: None,
    });
}

fn write(page: &mut Page, name: &str, kind: Type, labels: &Labels, value: &Value) {
    let plain = |suffix, value| Sample {
        name: (name, suffix),
        labels,
        last: None,
        value,
        exemplar: None,
    };
    match value {
        Value::Number(number, exemplar) => {
            let suffix = if kind == Type::Counter { "_total" } else { "" };
            page.sample(&Sample {
                exemplar: *exemplar,
                ..plain(suffix, *number)
            });
        }
        Value::Histogram {
            buckets,
            sum,
            count,
        } => {
            for bucket in buckets {
                let bound = Number::Float(bucket.bound).to_string();
                page.sample(&Sample {
                    last: Some(("le", &bound)),
                    exemplar: bucket.exemplar,
                    ..plain("_bucket", Number::Unsigned(bucket.below))
                });
            }
            page.sample(&plain("_count", Number::Unsigned(*count)));
            page.sample(&plain("_sum", *sum));
        }
    }
}

fn add<T: Copy>(
    families: &mut BTreeMap<String, Family>,
    source: &Source<'_>,
    data: &MetricData<T>,
    number: fn(T) -> Number,
) {
    match data {
        MetricData::Gauge(gauge) => {
            let points = gauge.data_points().map(|point| {
                let value = Value::Number(number(point.value()), None);
                (labels(point.attributes(), source.scope), value)
            });
            insert(families, source.metric, Type::Gauge, points);
        }
        MetricData::Sum(sum) => {
            let kind = if sum.is_monotonic() {
                Type::Counter
            } else {
                Type::Gauge
            };
            let points = sum.data_points().map(|point| {
                let exemplar = source
                    .exemplars
                    .and_then(|exemplars| exemplars.of_sum(point, None));
                let exemplar = exemplar.filter(Exemplar::has_trace);
                let value = Value::Number(number(point.value()), exemplar);
                (labels(point.attributes(), source.scope), value)
            });
            insert(families, source.metric, kind, points);
        }
        MetricData::Histogram(histogram) => {
            let points = histogram.data_points().map(|point| {
                let value = buckets(point, source.exemplars, number);
                (labels(point.attributes(), source.scope), value)
            });
            insert(families, source.metric, Type::Histogram, points);
        }
        MetricData::ExponentialHistogram(_) => {}
    }
}

fn insert(
    families: &mut BTreeMap<String, Family>,
    metric: &Metric,
    kind: Type,
    points: impl Iterator<Item = (Labels, Value)>,
) {
    let (name, unit) = prometheus::family(metric.name(), metric.unit(), kind);
    let family = match families.entry(name) {
        Entry::Vacant(entry) => entry.insert(Family {
            kind,
            unit,
            help: metric.description().to_owned(),
            series: BTreeMap::new(),
        }),
        // Two instruments whose names become one: the page may hold only one type for it, and the first stays.
        Entry::Occupied(entry) if entry.get().kind != kind => return,
        Entry::Occupied(entry) => entry.into_mut(),
    };
    for (labels, value) in points {
        family.series.entry(labels).or_insert(value);
    }
}

fn buckets<T: Copy>(
    point: &HistogramDataPoint<T>,
    exemplars: Option<&Copied>,
    number: fn(T) -> Number,
) -> Value {
    let mut below = 0;
    let bounds = point.bounds().chain([f64::INFINITY]);
    let buckets = bounds.zip(point.bucket_counts()).map(|(bound, count)| {
        below += count;
        Bucket {
            bound,
            below,
            exemplar: None,
        }
    });
    let mut buckets: Vec<Bucket> = buckets.collect();
    if let Some(exemplars) = exemplars {
        for (bucket, exemplar) in exemplars.of_histogram(point, None) {
            buckets[bucket].exemplar = Some(exemplar).filter(Exemplar::has_trace);
        }
    }
    Value::Histogram {
        buckets,
        sum: number(point.sum()),
        count: point.count(),
    }
}

/// The scope's labels, by which equal names of different scopes stay apart.
fn scope_labels(scope: &InstrumentationScope) -> Labels {
    let fixed = [
        ("name", Some(scope.name())),
        ("version", scope.version()),
        ("schema_url", scope.schema_url()),
    ];
    let fixed = fixed
        .into_iter()
        .filter_map(|(key, value)| Some((key, value.filter(|value| !value.is_empty())?)));
    let fixed = fixed.map(|(key, value)| (format!("otel_scope_{key}"), value.to_owned()));
    let own = scope.attributes().map(|attribute| {
        (
            format!("otel_scope_{}", prometheus::label(attribute.key.as_str())),
            attribute.value.to_string(),
        )
    });
    fixed.chain(own).collect()
}

fn labels<'a>(attributes: impl Iterator<Item = &'a KeyValue>, scope: &Labels) -> Labels {
    let own = attributes.map(|attribute| {
        (
            prometheus::label(attribute.key.as_str()),
            attribute.value.to_string(),
        )
    });
    merged(own.chain(scope.iter().cloned()))
}

/// In the order of their names; the values of keys that become one name stand together, as the specification has it.
fn merged(labels: impl Iterator<Item = (String, String)>) -> Labels {
    let mut merged: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (name, value) in labels {
        merged.entry(name).or_default().push(value);
    }
    merged
        .into_iter()
        .map(|(name, values)| (name, values.join(";")))
        .collect()
}
