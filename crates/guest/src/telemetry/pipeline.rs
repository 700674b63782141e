//! From the SDK's providers through the buffers to the OTLP receiver.

use std::cell::Cell;
use std::sync::Arc;
use std::time::Duration;

use futures::future::join3;
use opentelemetry::KeyValue;
use opentelemetry::logs::LoggerProvider;
use opentelemetry::trace::TracerProvider;
use opentelemetry_http::HttpClient;
use opentelemetry_otlp::{
    ExporterBuildError, LogExporter, MetricExporter, Protocol, RetryPolicy, SpanExporter,
    WithExportConfig, WithHttpConfig,
};
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::logs::{LogBatch, LogExporter as _, SdkLogger, SdkLoggerProvider};
use opentelemetry_sdk::metrics::Temporality;
use opentelemetry_sdk::metrics::exporter::PushMetricExporter;
use opentelemetry_sdk::trace::{
    Sampler, SdkTracer, SdkTracerProvider, SpanData, SpanExporter as _,
};
use spinfo_names::attribute::SIGNAL;
use spinfo_names::metric::COMPONENT_DROPPED;
use spinfo_names::values::Signal;

use super::buffer::{Buffer, LogItem};
use super::metrics::Metrics;
use super::resource::{Identity, SCOPE, of_events};

/// How long requests of one instance are gathered into one export. Longer means fewer exports, and later ones.
pub(crate) const GATHER: Duration = Duration::from_millis(50);

/// How long nothing is sent after an export failed, so that a missing receiver costs next to nothing.
pub(crate) const BACK_OFF: Duration = Duration::from_secs(10);

/// One instance's way to the receiver.
#[derive(Debug)]
pub(crate) struct Pipeline {
    pub(crate) tracer: SdkTracer,
    pub(crate) logger: SdkLogger,
    pub(crate) metrics: Metrics,
    spans: Buffer<SpanData>,
    logs: Buffer<LogItem>,
    span_exporter: SpanExporter,
    log_exporter: LogExporter,
    metric_exporter: MetricExporter,
    /// Since when a task waits for more to export, and since when one exports.
    pub(super) waiting: Cell<Option<Duration>>,
    pub(super) exporting: Cell<Option<Duration>>,
    silent_until: Cell<Duration>,
}

impl Pipeline {
    /// `endpoint` is the receiver's base URL; the signals go to `/v1/traces`, `/v1/logs` and `/v1/metrics` below it.
    ///
    /// # Errors
    /// When `endpoint` isn't a URL.
    pub(crate) fn new(
        endpoint: &str,
        identity: &Identity,
        client: &Arc<dyn HttpClient>,
    ) -> Result<Self, ExporterBuildError> {
        let base = endpoint.trim_end_matches('/');
        let resource = of_events(identity);
        let (spans, logs) = (Buffer::default(), Buffer::default());
        let tracer = SdkTracerProvider::builder()
            .with_resource(resource.clone())
            .with_sampler(Sampler::ParentBased(Box::new(Sampler::AlwaysOn)))
            .with_span_processor(spans.clone())
            .build()
            .tracer(SCOPE);
        let logger = SdkLoggerProvider::builder()
            .with_resource(resource.clone())
            .with_log_processor(logs.clone())
            .build()
            .logger(SCOPE);

        // A retry would put the whole instance to sleep, as the exporter knows no timer but the thread's.
        macro_rules! configured {
            ($builder:expr, $path:literal) => {
                $builder
                    .with_http()
                    .with_shared_http_client(Arc::clone(client))
                    .with_retry_policy(RetryPolicy::disabled())
                    .with_protocol(Protocol::HttpBinary)
                    .with_endpoint(format!("{base}{}", $path))
            };
        }
        let mut span_exporter = configured!(SpanExporter::builder(), "/v1/traces").build()?;
        let mut log_exporter = configured!(LogExporter::builder(), "/v1/logs").build()?;
        let metric_exporter = configured!(MetricExporter::builder(), "/v1/metrics")
            .with_temporality(Temporality::Delta)
            .build()?;
        span_exporter.set_resource(&resource);
        log_exporter.set_resource(&resource);

        Ok(Self {
            tracer,
            logger,
            metrics: Metrics::new(identity),
            spans,
            logs,
            span_exporter,
            log_exporter,
            metric_exporter,
            waiting: Cell::default(),
            exporting: Cell::default(),
            silent_until: Cell::new(Duration::ZERO),
        })
    }

    /// Whether a failed export was too recent for another.
    pub(super) fn is_silent(&self, now: Duration) -> bool {
        now < self.silent_until.get()
    }

    /// A span that wasn't recorded because nothing is sent now.
    pub(super) fn count_skipped(&self) {
        self.spans.count_dropped(1);
    }

    /// Sends everything that waits, the three signals at once. `now` is the monotonic time afterwards.
    pub(super) async fn export(&self, now: impl Fn() -> Duration) {
        let (spans, logs) = (self.spans.take_dropped(), self.logs.take_dropped());
        for (signal, lost) in [(Signal::Spans, spans), (Signal::Logs, logs)] {
            if lost > 0 {
                self.metrics.count(
                    &COMPONENT_DROPPED,
                    lost,
                    &[KeyValue::new(SIGNAL.key, signal.as_str())],
                );
            }
        }
        let results = join3(
            self.export_spans(),
            self.export_logs(),
            self.export_metrics(),
        )
        .await;
        if results.2.is_err() {
            // The losses are still unreported.
            self.spans.count_dropped(spans);
            self.logs.count_dropped(logs);
        }
        if results.0.is_err() || results.1.is_err() || results.2.is_err() {
            self.silent_until.set(now() + BACK_OFF);
        }
    }

    async fn export_spans(&self) -> OTelSdkResult {
        let spans = self.spans.take();
        if spans.is_empty() {
            return Ok(());
        }
        let count = spans.len() as u64;
        self.span_exporter
            .export(spans)
            .await
            .inspect_err(|_| self.spans.count_dropped(count))
    }

    async fn export_logs(&self) -> OTelSdkResult {
        let logs = self.logs.take();
        if logs.is_empty() {
            return Ok(());
        }
        let batch: Vec<_> = logs.iter().map(|(record, scope)| (record, scope)).collect();
        self.log_exporter
            .export(LogBatch::new(&batch))
            .await
            .inspect_err(|_| self.logs.count_dropped(logs.len() as u64))
    }

    async fn export_metrics(&self) -> OTelSdkResult {
        match self.metrics.collect() {
            Some(collected) => self.metric_exporter.export(&collected).await,
            None => Ok(()),
        }
    }
}
