//! `spinfo up`: from flags to a served application, and to an orderly end.

mod listen;

use std::net::SocketAddr;
use std::sync::Arc;

use anyhow::Context as _;
use spinfo_program::{AbortOnDrop, telemetry};
use spinfo_telemetry::{LogOptions, Telemetry};
use tokio::net::TcpListener;
use tokio::sync::Notify;

use self::listen::{bind, bind_admin};
use super::prepare::{Prepared, environment, prepare, service};
use super::say;
use super::signals::{hangups, stop_signal};
use crate::admin::Admin;
use crate::cli::Up;
use crate::configuration::{Configuration, Environment};
use crate::lifecycle::Lifecycle;
use crate::reload::Reloader;
use crate::reload::watch::Watch;
use crate::runtime::version::{Version, Versions};
use crate::server::{self, Shared};

/// Serves an application until a signal ends it.
///
/// # Errors
/// Everything that can be wrong with flags, manifest, components and addresses, before anything is served.
pub(crate) fn run(up: Up, log: &LogOptions) -> anyhow::Result<()> {
    if up.build {
        super::build::run(&up.setup.source.from, &[])?;
    }
    // Before the files are read, so that no change is missed.
    let watch = up
        .watch
        .then(|| Watch::new(&up.setup.source.from, up.setup.other_files()));
    let configuration = Configuration::load(&up.setup.source)?;
    let (settings, telemetry) = telemetry::start(service(&configuration), log)?;
    configuration.warn();
    let environment = environment(&up.setup, &settings);

    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .context("cannot start the main runtime")?;
    let flush_timeout = up.setup.limits.flush_timeout;
    let served = runtime.block_on(async {
        let (reload, terminal) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
        let _hangups = AbortOnDrop::spawn(hangups(reload.clone(), terminal.clone())?);
        let _watch = watch.map(|watch| AbortOnDrop::spawn(watch.run(reload.clone())));
        let asked = Asked { reload, terminal };
        serve(up, configuration, environment, &telemetry, asked).await
    });
    // A reload that was interrupted may still compile.
    runtime.shutdown_background();
    served?;
    telemetry::shutdown(telemetry, flush_timeout);
    Ok(())
}

/// What may be asked for beside a stop by SIGTERM or SIGINT.
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
    let Prepared {
        configuration,
        app,
        loader,
        certificate,
        tls,
        clock,
    } = prepare(&up.setup, configuration, environment, telemetry).await?;
    let runtime = &loader.runtime;
    let version = Version::new(runtime, Arc::new(app), 1)?;
    runtime.metrics.serves(&version.revision);
    let versions = Arc::new(Versions::new(runtime, version));
    let shared = Shared {
        versions: versions.clone(),
        metrics: runtime.metrics.clone(),
        lifecycle: Lifecycle::default(),
        known_methods: telemetry.known_methods().clone(),
        limits: runtime.limits.clone(),
        tls,
    };
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
    let reloader = Reloader::new(loader, versions.clone(), certificate, &configuration);
    let _admin = admin.map(|listener| {
        let admin = Admin {
            versions: versions.clone(),
            reloads: reloader.outcomes.clone(),
            lifecycle: shared.lifecycle.clone(),
        };
        let routes = admin.routes(telemetry.metrics_page());
        AbortOnDrop::spawn(routes.serve(listener))
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
    let scheme = if up.setup.tls_cert.is_some() {
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
