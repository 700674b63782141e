//! `spinfo up`: from flags to a served application, and back to nothing.

use std::net::SocketAddr;
use std::num::NonZero;
use std::sync::Arc;

use anyhow::Context as _;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use spinfo_telemetry::{LogOptions, ServiceDefaults, Settings, Telemetry, names};
use tokio::net::TcpListener;
use tokio::task::AbortHandle;

use super::say;
use crate::admin::Admin;
use crate::app::{App, Configuration, Environment};
use crate::cli::{self, AdminListen, Up};
use crate::metrics::Metrics;
use crate::runtime::engine::{EngineSettings, EpochClock, new_engine};
use crate::runtime::instances::InstanceSettings;
use crate::runtime::linker::new_linker;
use crate::runtime::outbound::OutboundSettings;
use crate::server::{self, ConnectionSettings, Lifecycle, Limits, Shared, StopSettings, tls};
use crate::trace::Tracing;

/// Attributes of the resource that the components share with the host; their names and versions are their own.
const PROCESS_ATTRIBUTES: [&str; 4] = [
    names::SERVICE_INSTANCE_ID,
    names::DEPLOYMENT_ENVIRONMENT_NAME,
    names::HOST_NAME,
    names::SERVICE_NAMESPACE,
];

/// Ports that `--find-free-port` tries.
const FREE_PORT_TRIES: u16 = 20;

/// Serves an application until a signal ends it.
///
/// # Errors
/// Everything that can be wrong with flags, manifest, components and addresses, before anything is served.
pub(crate) fn run(up: Up, log: &LogOptions) -> anyhow::Result<()> {
    if up.build {
        super::build::run(&up.source.from, &[])?;
    }
    let configuration = Configuration::load(&up.source)?;
    let settings = Settings::from_env(
        &cli::environment,
        ServiceDefaults {
            name: configuration.application.name.clone(),
            version: configuration.application.version.clone(),
            namespace: None,
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
    runtime.block_on(serve(up, configuration, &environment, &telemetry))?;
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
        .map(|(key, value)| format!("{key}={}", utf8_percent_encode(value, NON_ALPHANUMERIC)))
        .collect();
    ("OTEL_RESOURCE_ATTRIBUTES".into(), pairs.join(","))
}

async fn serve(
    up: Up,
    configuration: Configuration,
    environment: &Environment,
    telemetry: &Telemetry,
) -> anyhow::Result<()> {
    let (engine, _cache) = new_engine(&EngineSettings {
        max_instances: up.limits.max_instances,
        max_memory: max_memory(&up, &configuration),
        cache_dir: up.source.cache_folder(),
    })?;
    let clock = EpochClock::start(&engine)?;
    let app = Arc::new(App::prepare(
        &configuration,
        &new_linker(&engine)?,
        environment,
    )?);

    let shared = share(&up, &configuration, app.clone(), telemetry)?;
    let workers = server::start_workers(&shared)?;
    let stop = stop_signal()?;
    let (listener, admin) = (bind(&up).await?, bind_admin(up.admin_listen).await?);
    let address = listener
        .local_addr()
        .context("cannot tell the address that was bound")?;
    let admin_address = admin
        .as_ref()
        .map(TcpListener::local_addr)
        .transpose()
        .context("cannot tell the admin address that was bound")?;
    let _admin = admin.map(|listener| {
        let admin = Admin {
            app: app.clone(),
            lifecycle: shared.lifecycle.clone(),
            metrics: telemetry.metrics_page(),
        };
        AbortOnDrop(tokio::spawn(admin.serve(listener)).abort_handle())
    });
    announce(&up, &app, address, admin_address);

    server::run(listener, workers, shared, stop).await?;
    drop(clock);
    tracing::info!("stopped");
    Ok(())
}

fn share(
    up: &Up,
    configuration: &Configuration,
    app: Arc<App>,
    telemetry: &Telemetry,
) -> anyhow::Result<Shared> {
    let limits = &up.limits;
    let workers = limits
        .workers
        .unwrap_or_else(|| std::thread::available_parallelism().map_or(1, NonZero::get));
    let outbound = &configuration.runtime.outbound_http;
    let max_outbound = outbound
        .max_connections
        .map_or(limits.max_outbound, |max| max.min(limits.max_outbound));
    let tls = match (&up.tls_cert, &up.tls_key) {
        (Some(certificate), Some(key)) => Some(tls::acceptor(certificate, key)?),
        _ => None,
    };
    Ok(Shared {
        metrics: Arc::new(Metrics::new(
            &telemetry.meter(),
            app.components.keys().cloned(),
        )),
        app,
        tracing: Tracing::new(
            telemetry.is_tracing_enabled().then(|| telemetry.tracer()),
            telemetry.propagator(),
        ),
        known_methods: telemetry.known_methods().clone(),
        limits: Arc::new(Limits {
            workers,
            max_connections: limits.max_connections,
            max_in_flight: limits.max_in_flight,
            max_queue: limits.max_queue,
            max_queue_wait: limits.max_queue_wait,
            max_body: limits.max_body,
        }),
        instances: Arc::new(InstanceSettings {
            max_reuse: limits.max_instance_reuse_count,
            max_concurrent_reuse: limits.max_instance_concurrent_reuse_count,
            idle_timeout: limits.idle_instance_timeout,
            request_timeout: limits.request_timeout,
            max_memory: max_memory(up, configuration),
        }),
        outbound: OutboundSettings {
            max_concurrent: max_outbound.div_ceil(workers),
            pooling: outbound.connection_pooling,
        },
        connection: ConnectionSettings {
            header_timeout: limits.header_timeout,
            handshake_timeout: limits.header_timeout,
        },
        stop: StopSettings {
            grace: up.stop.grace,
            drain_timeout: up.stop.drain_timeout,
            flush_timeout: up.stop.flush_timeout,
        },
        lifecycle: Lifecycle::default(),
        tls,
        outbound_tls: tls::client()?,
    })
}

/// Bytes of memory for one instance: the runtime configuration knows the machine, so it may only lower the flag's value.
fn max_memory(up: &Up, configuration: &Configuration) -> usize {
    let flag = usize::try_from(up.limits.max_memory).unwrap_or(usize::MAX);
    configuration
        .runtime
        .max_instance_memory
        .map_or(flag, |configured| configured.min(flag))
}

async fn bind(up: &Up) -> anyhow::Result<TcpListener> {
    let mut address = up.listen;
    let mut tries = if up.find_free_port {
        FREE_PORT_TRIES
    } else {
        1
    };
    loop {
        tries -= 1;
        match TcpListener::bind(address).await {
            Ok(listener) => return Ok(listener),
            Err(error)
                if error.kind() == std::io::ErrorKind::AddrInUse
                    && tries > 0
                    && address.port() < u16::MAX =>
            {
                address.set_port(address.port() + 1);
            }
            Err(error) if error.kind() == std::io::ErrorKind::AddrInUse => {
                anyhow::bail!(
                    "{} is in use; choose another with --listen, or let --find-free-port look for one",
                    up.listen
                )
            }
            Err(error) => return Err(error).with_context(|| format!("cannot listen on {address}")),
        }
    }
}

async fn bind_admin(address: AdminListen) -> anyhow::Result<Option<TcpListener>> {
    let AdminListen::On(address) = address else {
        return Ok(None);
    };
    let listener = TcpListener::bind(address)
        .await
        .with_context(|| format!("cannot listen on {address} for /livez, /readyz and /metrics; choose another address with --admin-listen, or off"))?;
    Ok(Some(listener))
}

/// Tells where the application is served. With port 0 nobody else knows.
fn announce(up: &Up, app: &App, address: SocketAddr, admin: Option<SocketAddr>) {
    let scheme = if up.tls_cert.is_some() {
        "https"
    } else {
        "http"
    };
    let admin = admin.map(tracing::field::display);
    tracing::info!(%address, admin, scheme, application = app.name, components = app.components.len(), "serving");
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
        say(format_args!(
            "  {}: {scheme}://{address}{path}{wildcard}",
            route.component
        ));
    }
}

/// Completes with the first SIGTERM or SIGINT. The second ends the process at once.
fn stop_signal() -> anyhow::Result<impl Future<Output = ()>> {
    let mut signals = Signals::listen().context("cannot listen for signals")?;
    Ok(async move {
        let name = signals.next().await;
        tracing::info!(
            signal = name,
            "stopping: finishing what is under way; a second signal ends at once"
        );
        tokio::spawn(async move {
            signals.next().await;
            std::process::exit(EXIT_INTERRUPTED);
        });
    })
}

/// 128 and the number of SIGINT, as shells have it.
const EXIT_INTERRUPTED: i32 = 130;

#[cfg(unix)]
struct Signals {
    terminate: tokio::signal::unix::Signal,
    interrupt: tokio::signal::unix::Signal,
}

#[cfg(unix)]
impl Signals {
    fn listen() -> std::io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
        })
    }

    async fn next(&mut self) -> &'static str {
        tokio::select! {
            _ = self.terminate.recv() => "SIGTERM",
            _ = self.interrupt.recv() => "SIGINT",
        }
    }
}

#[cfg(not(unix))]
struct Signals;

#[cfg(not(unix))]
impl Signals {
    fn listen() -> std::io::Result<Self> {
        Ok(Self)
    }

    async fn next(&mut self) -> &'static str {
        // Were it impossible to hear Ctrl-C, the system would end the process itself.
        let _ = tokio::signal::ctrl_c().await;
        "Ctrl-C"
    }
}

/// The admin listener's task, which ends with the command.
struct AbortOnDrop(AbortHandle);

impl Drop for AbortOnDrop {
    fn drop(&mut self) {
        self.0.abort();
    }
}
