//! What goes out over OTLP: traces of checks, and the latest outcome as gauges.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use opentelemetry::KeyValue;
use spinfo_client::Target;
use spinfo_names::Sender;
use spinfo_program::{environment, telemetry};
use spinfo_telemetry::names::URL_FULL;
use spinfo_telemetry::{Settings, instruments};

use crate::check::Outcome;
use crate::measurement;
use crate::span::Tracing;

/// What is exported. There is none without an endpoint.
pub(crate) struct Telemetry {
    inner: spinfo_telemetry::Telemetry,
    latest: Latest,
}

/// The latest outcome and the URL it is about, for who collects metrics.
type Latest = Arc<Mutex<Option<(String, Outcome)>>>;

impl Telemetry {
    /// What the `OTEL_*` variables ask for; `None` when they name no endpoint. `warn` is told what is ignored of them.
    ///
    /// # Errors
    /// When they ask for what cannot be done.
    pub(crate) fn from_environment(warn: impl Fn(&str)) -> anyhow::Result<Option<Self>> {
        let service = telemetry::service("spinfo-probe");
        let mut settings = Settings::from_env(&environment::variable, service)?;
        // What there is to say about a check is its output.
        settings.logs = None;
        if settings.traces.is_none() && settings.metrics.is_none() {
            return Ok(None);
        }
        for warning in &settings.warnings {
            warn(warning);
        }
        let telemetry = Self {
            inner: spinfo_telemetry::Telemetry::start(&settings)?,
            latest: Latest::default(),
        };
        telemetry.observe();
        Ok(Some(telemetry))
    }

    /// Gauges that are asked for their value: what the latest check could not measure is not exported again.
    fn observe(&self) {
        let meter = self.inner.meter();
        for measurement in measurement::ALL {
            let Some((metric, None)) = measurement.metric else {
                continue;
            };
            if !metric.senders.contains(&Sender::Probe) {
                continue;
            }
            let latest = self.latest.clone();
            instruments::observe_f64(&meter, metric, move |observer| {
                let latest = latest.lock().unwrap_or_else(PoisonError::into_inner);
                let Some((url, outcome)) = &*latest else {
                    return;
                };
                if let Some(value) = (measurement.value)(outcome) {
                    observer.observe(value, &[KeyValue::new(URL_FULL, url.clone())]);
                }
            });
        }
    }

    /// For the trace of a check, when traces are exported.
    pub(crate) fn tracing(&self) -> Option<Tracing> {
        self.inner.is_tracing_enabled().then(|| Tracing {
            tracer: self.inner.tracer(),
            propagator: self.inner.propagator(),
        })
    }

    /// Makes this the latest outcome.
    pub(crate) fn record(&self, url: &Target, outcome: &Outcome) {
        let mut latest = self.latest.lock().unwrap_or_else(PoisonError::into_inner);
        *latest = Some((url.to_string(), outcome.clone()));
    }

    /// Sends what is left, for at most this long.
    pub(crate) fn shutdown(self, deadline: Duration) {
        // What is lost is told by nobody: the check itself was well, and its output is out.
        let _ = self.inner.shutdown(deadline);
    }
}
