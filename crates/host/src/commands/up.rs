//! `spinfo up`: from flags to a served application, and back to nothing.

mod assemble;
mod listen;

use std::net::SocketAddr;
use std::sync::Arc;

use anyhow::Context as _;
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};
use spinfo_telemetry::{LogOptions, ServiceDefaults, Settings, Telemetry, names};
use tokio::net::TcpListener;
use tokio::sync::Notify;
use tokio::task::AbortHandle;

use self::listen::{bind, bind_admin};
use super::say;
use super::signals::{hangups, stop_signal};
use crate::admin::Admin;
use crate::app::{Configuration, Environment};
use crate::cli::{self, Up};
use crate::metrics;
use crate::reload::watch::Watch;
use crate::reload::{Loader, Reloader};
use crate::runtime::engine::{EngineSettings, EpochClock, new_engine};
use crate::runtime::linker::new_linker;
use crate::runtime::version::{Version, Versions};
use crate::server;
use crate::tls::Certificate;

/// Attributes of the resource that the components share with the host; their names and versions are their own.
const PROCESS_ATTRIBUTES: [&str; 4] = [
    names::SERVICE_INSTANCE_ID,
    names::DEPLOYMENT_ENVIRONMENT_NAME,
    names::HOST_NAME,
    names::SERVICE_NAMESPACE,
];

/// What the values of `OTEL_RESOURCE_ATTRIBUTES` are not written with (W3C Baggage, `baggage-octet`). No more than that is
/// encoded, since not every SDK decodes it again.
const NOT_BAGGAGE: &AsciiSet = &CONTROLS
    .add(b' ')
    .add(b'"')
    .add(b',')
    .add(b';')
    .add(b'\\')
    .add(b'%')
    .add(b'=');

/// Serves an application until a signal ends it.
///
/// # Errors
/// Everything that can be wrong with flags, manifest, components and addresses, before anything is served.
pub(crate) fn run(up: Up, log: &LogOptions) -> anyhow::Result<()> {
    if up.build {
        super::build::run(&up.source.from, &[])?;
    }
    // Before the files are read, so that no change is missed.
    let watch = up
        .watch
        .then(|| Watch::new(&up.source.from, up.other_files()));
    let configuration = Configuration::load(&up.source)?;
    let settings = Settings::from_env(
        &cli::environment,
        ServiceDefaults {
            name: configuration.application.name.clone(),
            version: configuration.application.version.clone(),
            namespace: Some(configuration.application.name.clone()),
            endpoint: None,
        },
    )?;
    let telemetry = Telemetry::start(&settings)?;
    spinfo_telemetry::init_logging(log, Some(&telemetry))?;
    for warning in &settings.warnings {
        tracing::warn!("{warning}");
    }
    configuration.warn();

    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .context("cannot start the main runtime")?;
    let flush_timeout = up.stop.flush_timeout;
    let environment = Environment {
        host: [guest_resource(&settings)].into(),
        flags: up.env.iter().cloned().collect(),
    };
    let (reload, terminal) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let served = runtime.block_on(async {
        let asks = [
            Some(AbortOnDrop::spawn(hangups(
                reload.clone(),
                terminal.clone(),
            )?)),
            watch.map(|watch| AbortOnDrop::spawn(watch.run(reload.clone()))),
        ];
        let asked = Asked { reload, terminal };
        let served = serve(up, configuration, environment, &telemetry, asked).await;
        drop(asks);
        served
    });
    // A reload that was interrupted may still compile.
    runtime.shutdown_background();
    served?;
    if !telemetry.shutdown(flush_timeout) {
        tracing::warn!(timeout = ?flush_timeout, "telemetry was left when the time to send it was over");
    }
    Ok(())
}

/// Tells components which process they run in, so that their telemetry names the same one as the host's.
fn guest_resource(settings: &Settings) -> (String, String) {
    let shared = settings
        .resource
        .iter()
        .filter(|(key, _)| PROCESS_ATTRIBUTES.contains(&key.as_str()));
    let pairs: Vec<_> = shared
        .map(|(key, value)| format!("{key}={}", utf8_percent_encode(value, NOT_BAGGAGE)))
        .collect();
    ("OTEL_RESOURCE_ATTRIBUTES".into(), pairs.join(","))
}

/// Who else than SIGTERM and SIGINT may want something.
struct Asked {
    /// Notified to reload the application.
    reload: Arc<Notify>,
    /// Notified when the terminal is closed.
    terminal: Arc<Notify>,
}

async fn serve(
    up: Up,
    configuration: Configuration,
    environment: Environment,
    telemetry: &Telemetry,
    asked: Asked,
) -> anyhow::Result<()> {
    let (engine, cache) = new_engine(&EngineSettings {
        max_instances: up.limits.max_instances,
        max_memory: assemble::max_memory(&up, &configuration),
        cache_dir: up.source.cache_folder(),
    })?;
    if let Some(cache) = cache {
        metrics::observe_cache(&telemetry.meter(), cache);
    }
    let clock = EpochClock::start(&engine)?;
    let runtime = assemble::runtime(&up, &configuration, telemetry)?;
    let certificate = match (&up.tls_cert, &up.tls_key) {
        (Some(chain), Some(key)) => Some(Arc::new(Certificate::load(chain, key)?)),
        _ => None,
    };
    let tls = certificate.as_ref().map(|files| files.acceptor());
    let loader = Arc::new(Loader {
        source: up.source.clone(),
        environment,
        linker: new_linker(&engine)?,
        runtime: runtime.clone(),
    });
    let (configuration, app) = loader.clone().first(configuration).await?;
    let version = Version::new(&runtime, Arc::new(app), 1)?;
    runtime.metrics.serves(&version.revision);
    let versions = Arc::new(Versions::new(&runtime, version));

    let shared = assemble::shared(&up, &runtime, versions.clone(), telemetry, tls.transpose()?);
    let workers = server::start_workers(&shared)?;
    let stop = stop_signal(asked.terminal)?;
    let (listener, admin) = (bind(&up).await?, bind_admin(up.admin_listen).await?);
    let address = listener
        .local_addr()
        .context("cannot tell the address that was bound")?;
    let admin_address = admin
        .as_ref()
        .map(TcpListener::local_addr)
        .transpose()
        .context("cannot tell the admin address that was bound")?;
    let reloader = Reloader::new(
        loader,
        versions.clone(),
        certificate,
        &configuration,
        up.stop.drain_timeout,
    );
    let _admin = admin.map(|listener| {
        let admin = Admin {
            versions: versions.clone(),
            reloads: reloader.outcomes.clone(),
            lifecycle: shared.lifecycle.clone(),
            metrics: telemetry.metrics_page(),
        };
        AbortOnDrop::spawn(admin.serve(listener))
    });
    let bound = Bound {
        address,
        admin: admin_address,
    };
    announce(&up, &configuration, &versions.current(), &bound);

    let reloading = AbortOnDrop::spawn(reloader.run(asked.reload));
    let stop = async {
        stop.await;
        // What is served now is served to the end.
        drop(reloading);
    };
    server::run(listener, workers, shared, stop).await?;
    drop(clock);
    tracing::info!("stopped");
    Ok(())
}

/// Tells where the application is served, which with port 0 nobody else knows.
fn announce(up: &Up, configuration: &Configuration, version: &Version, bound: &Bound) {
    let scheme = if up.tls_cert.is_some() {
        "https"
    } else {
        "http"
    };
    let (app, revision) = (&version.app, &version.revision);
    let (address, admin) = (bound.address, bound.admin.map(tracing::field::display));
    tracing::info!(
        %address, admin, scheme,
        application = app.name, components = app.components.len(),
        generation = revision.generation, revision = &*revision.short, digest = revision.digest,
        "serving"
    );
    if up.quiet {
        return;
    }
    say(format_args!("\nServing {scheme}://{address}"));
    say(format_args!("Available Routes:"));
    for route in app.router.routes() {
        let path = route.pattern.path();
        let wildcard = if route.pattern.is_wildcard() {
            " (wildcard)"
        } else {
            ""
        };
        let id = &route.component;
        say(format_args!("  {id}: {scheme}://{address}{path}{wildcard}"));
        let component = configuration.application.components.get(id);
        if let Some(description) = component.map(|component| &component.description)
            && !description.is_empty()
        {
            say(format_args!("    {description}"));
        }
    }
}

/// The addresses that were bound.
struct Bound {
    address: SocketAddr,
    admin: Option<SocketAddr>,
}

/// A task that ends with the value.
struct AbortOnDrop(AbortHandle);

impl AbortOnDrop {
    fn spawn(task: impl Future<Output = ()> + Send + 'static) -> Self {
        Self(tokio::spawn(task).abort_handle())
    }
}

impl Drop for AbortOnDrop {
    fn drop(&mut self) {
        self.0.abort();
    }
}
