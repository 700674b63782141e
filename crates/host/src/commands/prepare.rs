//! What `spinfo up` and `spinfo check` share: from flags and files to an application that is ready to serve.

use std::sync::Arc;

use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};
use spinfo_telemetry::{ServiceDefaults, Settings, Telemetry, names};
use tokio_rustls::TlsAcceptor;

use crate::cli::Setup;
use crate::configuration::{Configuration, Environment};
use crate::limits::Limits;
use crate::metrics::{self, Metrics};
use crate::reload::Loader;
use crate::runtime::app::App;
use crate::runtime::engine::{EpochClock, new_engine};
use crate::runtime::linker::new_linker;
use crate::runtime::network::Network;
use crate::runtime::{Runtime, Transient};
use crate::tls::{self, Certificate};
use crate::trace::Tracing;

/// Attributes of the resource that the components share with the host; their names and versions are their own.
const PROCESS_ATTRIBUTES: [&str; 4] = [
    names::SERVICE_INSTANCE_ID,
    names::DEPLOYMENT_ENVIRONMENT_NAME,
    names::HOST_NAME,
    names::SERVICE_NAMESPACE,
];

/// Characters that values of `OTEL_RESOURCE_ATTRIBUTES` may not contain (W3C Baggage, `baggage-octet`). Nothing else is
/// encoded, because not every SDK decodes it again.
const NOT_BAGGAGE: &AsciiSet = &CONTROLS
    .add(b' ')
    .add(b'"')
    .add(b',')
    .add(b';')
    .add(b'\\')
    .add(b'%')
    .add(b'=');

/// What the host's telemetry says of itself where `OTEL_*` says nothing.
pub(super) fn service(configuration: &Configuration) -> ServiceDefaults {
    let application = &configuration.application;
    ServiceDefaults {
        name: application.name.clone(),
        version: application.version.clone(),
        namespace: Some(application.name.clone()),
        endpoint: None,
    }
}

/// The environment of components, apart from the manifest's part: the flags, and which process they run in, so that their
/// telemetry names the same one as the host's.
pub(super) fn environment(setup: &Setup, settings: &Settings) -> Environment {
    let shared = settings
        .resource
        .iter()
        .filter(|(key, _)| PROCESS_ATTRIBUTES.contains(&key.as_str()));
    let pairs: Vec<_> = shared
        .map(|(key, value)| format!("{key}={}", utf8_percent_encode(value, NOT_BAGGAGE)))
        .collect();
    Environment {
        host: [("OTEL_RESOURCE_ATTRIBUTES".into(), pairs.join(","))].into(),
        flags: setup.env.iter().cloned().collect(),
    }
}

/// An application that is ready to serve, and what it runs on.
pub(super) struct Prepared {
    pub(super) configuration: Configuration,
    pub(super) app: App,
    pub(super) loader: Arc<Loader>,
    pub(super) certificate: Option<Arc<Certificate>>,
    pub(super) tls: Option<TlsAcceptor>,
    /// Interrupts guests until it is dropped.
    pub(super) clock: EpochClock,
}

/// Compiles, links and tries out the components, with all the limits that will hold for them.
///
/// # Errors
/// Names the flag, file or component that stands in the way.
pub(super) async fn prepare(
    setup: &Setup,
    configuration: Configuration,
    environment: Environment,
    telemetry: &Telemetry,
) -> anyhow::Result<Prepared> {
    let limits = Arc::new(setup.limits.lowered_by(&configuration.runtime));
    let (engine, cache) = new_engine(&limits, setup.source.cache_folder().as_deref())?;
    if let Some(cache) = cache {
        metrics::observe_cache(&telemetry.meter(), cache);
    }
    let clock = EpochClock::start(&engine)?;
    let certificate = match (&setup.tls_cert, &setup.tls_key) {
        (Some(chain), Some(key)) => Some(Arc::new(Certificate::load(chain, key)?)),
        _ => None,
    };
    let tls = certificate.as_ref().map(|files| files.acceptor());
    let loader = Arc::new(Loader {
        source: setup.source.clone(),
        environment,
        linker: new_linker(&engine)?,
        runtime: runtime(limits, &configuration, telemetry)?,
    });
    let (configuration, app) = loader.clone().first(configuration).await?;
    Ok(Prepared {
        configuration,
        app,
        loader,
        certificate,
        tls: tls.transpose()?,
        clock,
    })
}

fn runtime(
    limits: Arc<Limits>,
    configuration: &Configuration,
    telemetry: &Telemetry,
) -> anyhow::Result<Runtime> {
    let metrics = Arc::new(Metrics::new(telemetry));
    let tls = tls::client()?;
    let pooling = configuration.runtime.outbound_http.connection_pooling;
    Ok(Runtime {
        networks: (0..limits.workers())
            .map(|_| Network::new(tls.clone(), &limits, pooling, metrics.clone()))
            .collect(),
        limits,
        metrics,
        tracing: Tracing::new(
            telemetry.is_tracing_enabled().then(|| telemetry.tracer()),
            telemetry.propagator(),
        ),
        transient: Transient::default(),
    })
}
