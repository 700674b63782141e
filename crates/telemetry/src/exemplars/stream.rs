//! What makes data of an instrument here and data of the SDK the same.

use opentelemetry::InstrumentationScope;
use opentelemetry_sdk::metrics::data::{AggregatedMetrics, Metric, MetricData};
use spinfo_names as names;

/// The kinds of instruments that keep exemplars.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    F64Histogram,
    U64Histogram,
    U64Counter,
}

/// The identity of a metric stream.
///
/// It has all parts by which the SDK tells streams apart, so that of two instruments with one name neither gets the other's exemplars.
/// A stream that a view renames is none of ours: it has no exemplars rather than wrong ones, as has a data point from which a view
/// takes attributes. No provider of this crate has views.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Stream {
    scope: InstrumentationScope,
    kind: Kind,
    /// In lower case: names that differ only in case are one stream.
    name: String,
    unit: String,
    description: String,
}

impl Stream {
    pub(crate) fn new(scope: InstrumentationScope, kind: Kind, metric: &names::Metric) -> Self {
        Self {
            scope,
            kind,
            name: metric.name.to_ascii_lowercase(),
            unit: metric.unit.to_owned(),
            description: metric.help.to_owned(),
        }
    }

    /// Whether the SDK collected `metric` from this stream.
    pub(super) fn is(&self, scope: &InstrumentationScope, metric: &Metric) -> bool {
        kind(metric.data()) == Some(self.kind)
            && metric.name().eq_ignore_ascii_case(&self.name)
            && metric.unit() == self.unit
            && metric.description() == self.description
            && *scope == self.scope
    }
}

fn kind(data: &AggregatedMetrics) -> Option<Kind> {
    match data {
        AggregatedMetrics::F64(MetricData::Histogram(_)) => Some(Kind::F64Histogram),
        AggregatedMetrics::U64(MetricData::Histogram(_)) => Some(Kind::U64Histogram),
        AggregatedMetrics::U64(MetricData::Sum(sum)) if sum.is_monotonic() => {
            Some(Kind::U64Counter)
        }
        _ => None,
    }
}
