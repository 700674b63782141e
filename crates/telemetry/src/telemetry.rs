//! [`Telemetry`]: the value that owns a program's tracer, meter and logger, and the flush at its end.

mod instruments;
mod losses;

use std::sync::Arc;
use std::time::Duration;

use opentelemetry::InstrumentationScope;
use opentelemetry::logs::LoggerProvider as _;
use opentelemetry::metrics::{Meter, MeterProvider as _};
use opentelemetry::trace::TracerProvider as _;
use opentelemetry::{Key, KeyValue, StringValue};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::logs::{SdkLogger, SdkLoggerProvider};
use opentelemetry_sdk::metrics::{ManualReader, SdkMeterProvider, Temporality};
use opentelemetry_sdk::resource::TelemetryResourceDetector;
use opentelemetry_sdk::trace::{Sampler, SdkTracer, SdkTracerProvider, SpanLimits};

use crate::Error;
use crate::exemplars::Exemplars;
use crate::exporter::Exporter;
use crate::metrics::{MetricsPage, SharedReader};
use crate::names::KnownMethods;
use crate::pipeline::{Background, LogSink, MetricPush, Queue, SpanSink, Work};
use crate::propagation::Propagator;
use crate::settings::Settings;

/// How long a value that is dropped without [`Telemetry::shutdown`] may spend on its flush.
const DROP_DEADLINE: Duration = Duration::from_secs(2);

/// A running set of providers. Everything it hands out is cheap to clone and may outlive it, as a thing that does nothing.
///
/// Nothing global is set: two values in one process do not know each other.
pub struct Telemetry {
    tracer_provider: SdkTracerProvider,
    meter_provider: SdkMeterProvider,
    logger_provider: SdkLoggerProvider,
    scope: InstrumentationScope,
    exemplars: Arc<Exemplars>,
    page: MetricsPage,
    propagator: Propagator,
    known_methods: KnownMethods,
    exports: Exports,
    background: Option<Background>,
}

#[derive(Clone, Copy)]
struct Exports {
    traces: bool,
    logs: bool,
}

impl Telemetry {
    /// Builds the providers and starts the background thread when anything is exported. Connects to nothing yet, so a receiver that
    /// is not there changes nothing.
    ///
    /// # Errors
    ///
    /// [`Error::Certificate`] for a certificate or key that cannot be used, [`Error::Thread`] when the thread cannot be started.
    pub fn start(settings: &Settings) -> Result<Self, Error> {
        let attributes = settings.resource.iter().map(|(key, value)| {
            KeyValue::new(Key::from(key.clone()), StringValue::from(value.clone()))
        });
        // The usual builder has a detector that reads the environment again.
        let resource = Resource::builder_empty()
            .with_detector(Box::new(TelemetryResourceDetector))
            .with_attributes(attributes)
            .build();
        let (name, version) = settings.scope.clone();
        let scope = InstrumentationScope::builder(name)
            .with_version(version)
            .build();
        let mut work = Work::default();

        let mut traces = SdkTracerProvider::builder()
            .with_resource(resource.clone())
            .with_span_limits(limits(settings));
        if let Some(export) = &settings.traces {
            let queue = Arc::new(Queue::new(settings.span_batch));
            work.spans = Some((Exporter::new(export.clone())?, queue.clone()));
            traces = traces
                .with_span_processor(SpanSink(queue))
                .with_sampler(settings.sampler.build());
        } else {
            traces = traces.with_sampler(Sampler::AlwaysOff);
        }

        let mut logs = SdkLoggerProvider::builder().with_resource(resource.clone());
        if let Some(export) = &settings.logs {
            let queue = Arc::new(Queue::new(settings.log_batch));
            work.logs = Some((Exporter::new(export.clone())?, queue.clone()));
            logs = logs.with_log_processor(LogSink(queue));
        }

        let exemplars = Arc::new(Exemplars::new(settings.exemplar_filter));
        let pulled = Arc::new(
            ManualReader::builder()
                .with_temporality(Temporality::Cumulative)
                .build(),
        );
        let mut metrics = SdkMeterProvider::builder()
            .with_resource(resource.clone())
            .with_reader(SharedReader(pulled.clone()));
        if let Some(export) = &settings.metrics {
            // Cumulative values may be read by two; others need a second set of aggregates, which every measurement pays for.
            let pushed = if settings.temporality == Temporality::Cumulative {
                pulled.clone()
            } else {
                let pushed = Arc::new(
                    ManualReader::builder()
                        .with_temporality(settings.temporality)
                        .build(),
                );
                metrics = metrics.with_reader(SharedReader(pushed.clone()));
                pushed
            };
            work.metrics = Some(MetricPush {
                exporter: Exporter::new(export.clone())?,
                reader: pushed,
                exemplars: exemplars.clone(),
                interval: settings.metric_interval,
                limit: settings.metric_timeout,
                failures: Arc::default(),
            });
        }
        let meter_provider = metrics.build();
        losses::observe(&meter_provider, &work);

        Ok(Self {
            tracer_provider: traces.build(),
            meter_provider,
            logger_provider: logs.build(),
            scope,
            page: MetricsPage::new(pulled, exemplars.clone()),
            exemplars,
            propagator: Propagator::new(settings.propagators),
            known_methods: settings.known_methods.clone(),
            exports: Exports {
                traces: work.spans.is_some(),
                logs: work.logs.is_some(),
            },
            background: Background::start(work, &resource)?,
        })
    }

    /// The tracer of this program. With tracing off its spans record nothing, and start with ids of their own that are not sampled:
    /// ask [`is_tracing_enabled`](Self::is_tracing_enabled) first, and pass the incoming context on as it is when it says no.
    pub fn tracer(&self) -> SdkTracer {
        self.tracer_provider.tracer_with_scope(self.scope.clone())
    }

    /// The meter of this program. Its instruments feed OTLP and `/metrics` alike, without exemplars. Callbacks of observable instruments run while a
    /// collection holds the provider's lock: they must not create instruments.
    pub fn meter(&self) -> Meter {
        self.meter_provider.meter_with_scope(self.scope.clone())
    }

    /// The logger of this program, for records that are no `tracing` events of its own, such as a guest's output.
    pub fn logger(&self) -> SdkLogger {
        self.logger_provider.logger_with_scope(self.scope.clone())
    }

    /// Reads and writes context in HTTP headers, as `OTEL_PROPAGATORS` says. Works with tracing off as well.
    pub fn propagator(&self) -> Propagator {
        self.propagator
    }

    /// The methods that `http.request.method` may name.
    pub fn known_methods(&self) -> &KnownMethods {
        &self.known_methods
    }

    /// Whether spans are exported; when not, making them is a waste.
    pub fn is_tracing_enabled(&self) -> bool {
        self.exports.traces
    }

    /// Whether log records are exported; when not, the [`logger`](Self::logger) does nothing.
    pub fn is_logging_enabled(&self) -> bool {
        self.exports.logs
    }

    /// The page for `/metrics`, to be kept by the server that answers it.
    pub fn metrics_page(&self) -> MetricsPage {
        self.page.clone()
    }

    /// The current state of all instruments as OpenMetrics 1.0 text; see [`MetricsPage::open_metrics`].
    pub fn open_metrics(&self) -> String {
        self.page.open_metrics()
    }

    #[cfg(test)]
    pub(crate) fn meter_provider(&self) -> &SdkMeterProvider {
        &self.meter_provider
    }

    pub(crate) fn logger_provider(&self) -> &SdkLoggerProvider {
        &self.logger_provider
    }

    /// Sends what waits: traces, then logs, then a last collection of metrics, each with its share of the time. Returns whether all of it
    /// was delivered or given up before the deadline.
    ///
    /// Blocks the calling thread for at most `deadline` and a tenth of a second, without a runtime of its own: from asynchronous code call it
    /// where nothing else needs the thread any more, or through `spawn_blocking`. What is recorded afterwards is lost.
    pub fn shutdown(mut self, deadline: Duration) -> bool {
        self.stop(deadline)
    }

    fn stop(&mut self, deadline: Duration) -> bool {
        let Some(background) = self.background.take() else {
            return true;
        };
        let in_time = background.flush_and_stop(deadline);
        // Only now: a provider that is shut down collects nothing for the last export. None of these does I/O.
        let _ = self.tracer_provider.shutdown();
        let _ = self.logger_provider.shutdown();
        let _ = self.meter_provider.shutdown();
        in_time
    }
}

impl Drop for Telemetry {
    /// Flushes for at most two seconds, unless [`shutdown`](Telemetry::shutdown) has been called.
    fn drop(&mut self) {
        self.stop(DROP_DEADLINE);
    }
}

fn limits(settings: &Settings) -> SpanLimits {
    let limits = settings.span_limits;
    SpanLimits {
        max_attributes_per_span: limits.attributes,
        max_events_per_span: limits.events,
        max_links_per_span: limits.links,
        max_attributes_per_event: limits.attributes_per_event,
        max_attributes_per_link: limits.attributes_per_link,
    }
}
