//! The exemplars of an export.

use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::metrics::v1::{self as proto, exemplar::Value, metric::Data};
use opentelemetry_sdk::metrics::data::{AggregatedMetrics, Histogram, MetricData, Sum};

use super::snapshot::interval;
use super::{Collected, Copied, Exemplar};

impl Collected {
    /// The request that exports it all.
    pub(crate) fn request(&self) -> ExportMetricsServiceRequest {
        let mut request = ExportMetricsServiceRequest::from(&self.metrics);
        // The request has everything in the order of the metrics.
        let resources = request.resource_metrics.iter_mut();
        let targets = resources.flat_map(|resource| &mut resource.scope_metrics);
        for (scope, target) in self.metrics.scope_metrics().zip(targets) {
            for (metric, target) in scope.metrics().zip(&mut target.metrics) {
                if let Some(copied) = self.exemplars.of(scope.scope(), metric)
                    && let Some(target) = &mut target.data
                {
                    of_metric(copied, metric.data(), target);
                }
            }
        }
        request
    }
}

fn of_metric(copied: &Copied, data: &AggregatedMetrics, target: &mut Data) {
    match data {
        AggregatedMetrics::F64(data) => points(copied, data, target, Value::AsDouble),
        AggregatedMetrics::U64(data) => {
            points(copied, data, target, |value| Value::AsInt(value as i64));
        }
        AggregatedMetrics::I64(_) => {}
    }
}

fn points<T>(
    copied: &Copied,
    data: &MetricData<T>,
    target: &mut Data,
    number: impl Fn(f64) -> Value + Copy,
) {
    match (data, target) {
        (MetricData::Histogram(histogram), Data::Histogram(target)) => {
            of_histogram(copied, histogram, target, number);
        }
        (MetricData::Sum(sum), Data::Sum(target)) => of_sum(copied, sum, target, number),
        _ => {}
    }
}

fn of_histogram<T>(
    copied: &Copied,
    histogram: &Histogram<T>,
    target: &mut proto::Histogram,
    number: impl Fn(f64) -> Value + Copy,
) {
    let interval = interval(histogram.temporality(), histogram.start_time());
    for (point, target) in histogram.data_points().zip(&mut target.data_points) {
        let exemplars = copied.of_histogram(point, interval);
        target.exemplars = exemplars
            .map(|(_, exemplar)| message(&exemplar, number))
            .collect();
    }
}

fn of_sum<T>(
    copied: &Copied,
    sum: &Sum<T>,
    target: &mut proto::Sum,
    number: impl Fn(f64) -> Value + Copy,
) {
    let interval = interval(sum.temporality(), sum.start_time());
    for (point, target) in sum.data_points().zip(&mut target.data_points) {
        let exemplar = copied.of_sum(point, interval);
        target.exemplars = exemplar
            .map(|exemplar| message(&exemplar, number))
            .into_iter()
            .collect();
    }
}

fn message(exemplar: &Exemplar, number: impl Fn(f64) -> Value) -> proto::Exemplar {
    // An id that is not known is left out.
    let id = |bytes: &[u8]| {
        if exemplar.has_trace() {
            bytes.to_vec()
        } else {
            Vec::new()
        }
    };
    let since_epoch = exemplar
        .time
        .duration_since(std::time::UNIX_EPOCH)
        .unwrap_or_default();
    proto::Exemplar {
        filtered_attributes: Vec::new(),
        time_unix_nano: u64::try_from(since_epoch.as_nanos()).unwrap_or(u64::MAX),
        span_id: id(&exemplar.span_id.to_bytes()),
        trace_id: id(&exemplar.trace_id.to_bytes()),
        value: Some(number(exemplar.value)),
    }
}
