//! What the environment asks of telemetry, read once into typed [`Settings`].
//!
//! The variables and their meaning are those of the OpenTelemetry specification ("Environment Variable Specification", "OpenTelemetry
//! Protocol Exporter"), with its rules for bad values: an unreadable number or an unknown enumerator is reported in
//! [`Settings::warnings`] and the default is taken; an empty value counts as unset. An error is only what must not be guessed: an
//! endpoint or header that cannot be used, or an exporter and protocol that exist but are not built in.

mod otlp;
mod resource;
mod sampler;
mod variables;

use std::time::Duration;

use opentelemetry_sdk::metrics::Temporality;

pub(crate) use otlp::Signal;
pub use otlp::{Compression, Export, Protocol};
pub use sampler::SamplerSetting;
use variables::Variables;

use crate::Error;
use crate::exemplars::ExemplarFilter;
use crate::names::KnownMethods;

/// What the program says about itself, where the environment is silent.
#[derive(Clone, Debug, Default)]
pub struct ServiceDefaults {
    /// `service.name`; also the name of the tracer, meter and logger.
    pub name: String,
    /// `service.version`; also the version of the tracer, meter and logger.
    pub version: String,
    /// `service.namespace`.
    pub namespace: Option<String>,
    /// Where to export when no `OTEL_EXPORTER_OTLP_*ENDPOINT` is set: a base URL like that of `OTEL_EXPORTER_OTLP_ENDPOINT`. `None`
    /// leaves export off, so that a program with no receiver spends nothing.
    pub endpoint: Option<String>,
}

/// Everything that decides what is measured and where it goes. Made by [`Settings::from_env`].
#[derive(Clone, Debug)]
pub struct Settings {
    /// Name and version of the instrumentation scope.
    pub scope: (String, String),
    /// Attributes of the resource, without duplicates, `service.name` among them; `telemetry.sdk.*` is added at the start.
    pub resource: Vec<(String, String)>,
    /// Where spans go; `None` is off.
    pub traces: Option<Export>,
    /// Where metrics are pushed; `None` leaves only `/metrics`.
    pub metrics: Option<Export>,
    /// Where log records go besides stderr; `None` is nowhere.
    pub logs: Option<Export>,
    /// Which new traces are recorded.
    pub sampler: SamplerSetting,
    /// Bounds on what one span may carry.
    pub span_limits: SpanLimits,
    /// Queue and batches of spans.
    pub span_batch: Batch,
    /// Queue and batches of log records.
    pub log_batch: Batch,
    /// Time between two pushes of metrics.
    pub metric_interval: Duration,
    /// Most time one push of metrics may take.
    pub metric_timeout: Duration,
    /// Temporality of pushed metrics; `/metrics` is always cumulative.
    pub temporality: Temporality,
    /// Which measurements may leave an exemplar.
    pub exemplar_filter: ExemplarFilter,
    /// Which headers carry context.
    pub propagators: Propagators,
    /// HTTP methods that metrics name.
    pub known_methods: KnownMethods,
    /// Values that were ignored, one sentence each, to be logged once logging is up.
    pub warnings: Vec<String>,
}

/// Bounds on one span, from `OTEL_SPAN_*_LIMIT`, `OTEL_ATTRIBUTE_COUNT_LIMIT`, `OTEL_EVENT_*` and `OTEL_LINK_*`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SpanLimits {
    /// Attributes of a span.
    pub attributes: u32,
    /// Events of a span.
    pub events: u32,
    /// Links of a span.
    pub links: u32,
    /// Attributes of one event.
    pub attributes_per_event: u32,
    /// Attributes of one link.
    pub attributes_per_link: u32,
}

/// A bounded queue and how it is emptied, from `OTEL_BSP_*` or `OTEL_BLRP_*`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Batch {
    /// Most items that wait; what comes on top is dropped and counted.
    pub max_queue_size: usize,
    /// Most items of one export; a queue that holds as many is emptied at once.
    pub max_export_batch_size: usize,
    /// Longest time an item waits for others.
    pub schedule_delay: Duration,
    /// Most time one export may take, retries included.
    pub export_timeout: Duration,
}

/// Headers that carry context between services.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Propagators {
    /// `traceparent` and `tracestate` (W3C Trace Context).
    pub trace_context: bool,
    /// `baggage` (W3C Baggage).
    pub baggage: bool,
}

/// The specification's default of every limit on a span.
const DEFAULT_SPAN_LIMIT: u32 = 128;
/// The specification's default of `OTEL_BSP_MAX_QUEUE_SIZE` and `OTEL_BLRP_MAX_QUEUE_SIZE`.
const DEFAULT_QUEUE_SIZE: usize = 2048;
/// The specification's default of `OTEL_BSP_MAX_EXPORT_BATCH_SIZE` and `OTEL_BLRP_MAX_EXPORT_BATCH_SIZE`.
const DEFAULT_BATCH_SIZE: usize = 512;
/// The specification's default of `OTEL_BSP_EXPORT_TIMEOUT`, `OTEL_BLRP_EXPORT_TIMEOUT` and `OTEL_METRIC_EXPORT_TIMEOUT`.
const DEFAULT_EXPORT_TIMEOUT: Duration = Duration::from_secs(30);
/// The specification's default of `OTEL_BSP_SCHEDULE_DELAY`.
const DEFAULT_SPAN_DELAY: Duration = Duration::from_secs(5);
/// The specification's default of `OTEL_BLRP_SCHEDULE_DELAY`.
const DEFAULT_LOG_DELAY: Duration = Duration::from_secs(1);
/// The specification's default of `OTEL_METRIC_EXPORT_INTERVAL`.
const DEFAULT_METRIC_INTERVAL: Duration = Duration::from_secs(60);

impl Settings {
    /// Reads the `OTEL_*` variables that `vars` knows. `vars` is the environment, or a map in a test.
    ///
    /// # Errors
    ///
    /// [`Error::Variable`], naming the variable, for an endpoint, header list, exporter or protocol that cannot be honoured.
    pub fn from_env(
        vars: &dyn Fn(&str) -> Option<String>,
        defaults: ServiceDefaults,
    ) -> Result<Self, Error> {
        let env = Variables::new(vars);
        let disabled = env.boolean("OTEL_SDK_DISABLED", false);
        let mut exports = [None, None, None];
        if !disabled {
            for (export, signal) in exports.iter_mut().zip(Signal::ALL) {
                *export = otlp::export(&env, signal, defaults.endpoint.as_deref())?;
            }
        }
        let [traces, metrics, logs] = exports;
        Ok(Self {
            resource: resource::attributes(&env, &defaults),
            scope: (defaults.name, defaults.version),
            traces,
            metrics,
            logs,
            sampler: sampler::sampler(&env),
            span_limits: span_limits(&env),
            span_batch: batch(&env, "OTEL_BSP", DEFAULT_SPAN_DELAY),
            log_batch: batch(&env, "OTEL_BLRP", DEFAULT_LOG_DELAY),
            metric_interval: env
                .milliseconds("OTEL_METRIC_EXPORT_INTERVAL", DEFAULT_METRIC_INTERVAL),
            metric_timeout: env.timeout("OTEL_METRIC_EXPORT_TIMEOUT", DEFAULT_EXPORT_TIMEOUT),
            temporality: temporality(&env),
            exemplar_filter: exemplar_filter(&env),
            propagators: propagators(&env),
            known_methods: env
                .get("OTEL_INSTRUMENTATION_HTTP_KNOWN_METHODS")
                .map_or_else(KnownMethods::default, |list| KnownMethods::parse(&list)),
            warnings: env.into_warnings(),
        })
    }
}

fn span_limits(env: &Variables<'_>) -> SpanLimits {
    let general = env.number("OTEL_ATTRIBUTE_COUNT_LIMIT", DEFAULT_SPAN_LIMIT);
    SpanLimits {
        attributes: env.number("OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT", general),
        events: env.number("OTEL_SPAN_EVENT_COUNT_LIMIT", DEFAULT_SPAN_LIMIT),
        links: env.number("OTEL_SPAN_LINK_COUNT_LIMIT", DEFAULT_SPAN_LIMIT),
        attributes_per_event: env.number("OTEL_EVENT_ATTRIBUTE_COUNT_LIMIT", general),
        attributes_per_link: env.number("OTEL_LINK_ATTRIBUTE_COUNT_LIMIT", general),
    }
}

fn batch(env: &Variables<'_>, prefix: &str, delay: Duration) -> Batch {
    let name = |suffix: &str| format!("{prefix}_{suffix}");
    let max_queue_size = env.positive(&name("MAX_QUEUE_SIZE"), DEFAULT_QUEUE_SIZE);
    let batch_name = name("MAX_EXPORT_BATCH_SIZE");
    let mut max_export_batch_size =
        env.positive(&batch_name, DEFAULT_BATCH_SIZE.min(max_queue_size));
    if max_export_batch_size > max_queue_size {
        env.warn(format!("{batch_name}: {max_export_batch_size} is more than the queue holds, taking {max_queue_size}"));
        max_export_batch_size = max_queue_size;
    }
    Batch {
        max_queue_size,
        max_export_batch_size,
        schedule_delay: env.milliseconds(&name("SCHEDULE_DELAY"), delay),
        export_timeout: env.timeout(&name("EXPORT_TIMEOUT"), DEFAULT_EXPORT_TIMEOUT),
    }
}

fn temporality(env: &Variables<'_>) -> Temporality {
    let choices = [
        ("cumulative", Temporality::Cumulative),
        ("delta", Temporality::Delta),
        ("lowmemory", Temporality::LowMemory),
    ];
    env.choice(
        "OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE",
        &choices,
        Temporality::Cumulative,
    )
}

fn exemplar_filter(env: &Variables<'_>) -> ExemplarFilter {
    let choices = [
        ("always_on", ExemplarFilter::AlwaysOn),
        ("always_off", ExemplarFilter::AlwaysOff),
        ("trace_based", ExemplarFilter::TraceBased),
    ];
    env.choice(
        "OTEL_METRICS_EXEMPLAR_FILTER",
        &choices,
        ExemplarFilter::default(),
    )
}

fn propagators(env: &Variables<'_>) -> Propagators {
    const NAME: &str = "OTEL_PROPAGATORS";
    let Some(list) = env.get(NAME) else {
        return Propagators {
            trace_context: true,
            baggage: true,
        };
    };
    let mut chosen = Propagators {
        trace_context: false,
        baggage: false,
    };
    for name in list
        .split(',')
        .map(str::trim)
        .filter(|name| !name.is_empty())
    {
        match name.to_ascii_lowercase().as_str() {
            "tracecontext" => chosen.trace_context = true,
            "baggage" => chosen.baggage = true,
            "none" => {}
            other => env.warn(format!(
                "{NAME}: {other} is not supported and ignored; tracecontext, baggage and none are"
            )),
        }
    }
    chosen
}

#[cfg(test)]
mod tests;
