//! Gauges of one moment, without instruments.

use spinfo_names::Metric;
use spinfo_names::prometheus::{self, Type};

use super::text::{Number, Page, Sample};

/// Values as OpenMetrics 1.0, which Prometheus's older text format (0.0.4) reads too. Values of one metric have to follow one another;
/// attributes are keys with their values.
pub fn gauges<'a>(
    values: impl IntoIterator<Item = (&'a Metric, Vec<(&'a str, String)>, f64)>,
) -> String {
    let mut page = Page::default();
    let mut before = None;
    for (metric, attributes, value) in values {
        let (family, unit) = prometheus::family(metric.name, metric.unit, Type::Gauge);
        if before != Some(metric.name) {
            page.head(&family, Type::Gauge.as_str(), unit.as_deref(), metric.help);
        }
        before = Some(metric.name);
        let attributes = attributes.into_iter();
        page.sample(&Sample {
            name: (&family, ""),
            labels: &attributes
                .map(|(key, value)| (prometheus::label(key), value))
                .collect(),
            last: None,
            value: Number::Float(value),
            exemplar: None,
        });
    }
    page.finish()
}
