//! `spinfo check`: everything that `spinfo up` does before it listens, then a description of what would run.

use std::time::Duration;

use anyhow::Context as _;
use serde_json::json;
use spinfo_manifest::Route;
use spinfo_program::environment;
use spinfo_telemetry::{Settings, Telemetry};

use super::prepare::{self, Prepared, prepare, service};
use super::say;
use crate::cli::Check;
use crate::configuration::Configuration;
use crate::runtime::app::App;
use crate::runtime::component::Kind;

/// Validates an application.
///
/// # Errors
/// Those of `spinfo up`.
pub(crate) fn run(check: &Check) -> anyhow::Result<()> {
    let configuration = Configuration::load(&check.setup.source)?;
    let mut settings = Settings::from_env(&environment::variable, service(&configuration))?;
    // This reads certificates; nothing has been measured, so nothing is sent.
    Telemetry::start(&settings)?.shutdown(Duration::ZERO);
    (settings.traces, settings.metrics, settings.logs) = (None, None, None);
    let telemetry = Telemetry::start(&settings)?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .context("cannot start the main runtime")?;
    let Prepared {
        configuration, app, ..
    } = runtime.block_on(prepare(
        &check.setup,
        configuration,
        prepare::environment(&check.setup, &settings),
        &telemetry,
    ))?;
    let of_configuration = configuration.warnings().map(ToString::to_string);
    let warnings: Vec<_> = settings
        .warnings
        .into_iter()
        .chain(of_configuration)
        .collect();
    if check.json {
        say(format_args!(
            "{:#}",
            describe(&configuration, &app, &warnings)
        ));
        return Ok(());
    }
    let application = &configuration.application;
    say(format_args!(
        "{} is a valid application: {} {}",
        application.file.display(),
        application.name,
        application.version
    ));
    for trigger in &application.triggers {
        let route = match &trigger.route {
            Route::Path(route) => route.as_str(),
            Route::Private => "(private)",
        };
        say(format_args!("  {route} -> {}", trigger.component));
    }
    for component in app.components.values() {
        say(format_args!(
            "component {}: {}",
            component.id,
            interface(component.kind())
        ));
        for pattern in component.grants.allowed_hosts.patterns() {
            say(format_args!("  may send requests to {}", pattern.as_str()));
        }
        for store in component.grants.stores.keys() {
            say(format_args!("  may open the key-value store {store}"));
        }
    }
    for warning in &warnings {
        say(format_args!("warning: {warning}"));
    }
    Ok(())
}

fn interface(kind: Kind) -> &'static str {
    match kind {
        Kind::Wasi02 => "wasi:http/incoming-handler@0.2",
        Kind::Wasi03 => "wasi:http/handler@0.3",
    }
}

fn describe(configuration: &Configuration, app: &App, warnings: &[String]) -> serde_json::Value {
    let application = &configuration.application;
    let triggers: Vec<_> = application
        .triggers
        .iter()
        .map(|trigger| match &trigger.route {
            Route::Path(route) => {
                json!({ "route": route.as_str(), "component": trigger.component })
            }
            Route::Private => json!({ "private": true, "component": trigger.component }),
        })
        .collect();
    let components: serde_json::Map<_, _> = app
        .components
        .values()
        .map(|component| {
            let hosts: Vec<_> = component
                .grants
                .allowed_hosts
                .patterns()
                .iter()
                .map(|pattern| pattern.as_str())
                .collect();
            let stores: Vec<_> = component.grants.stores.keys().collect();
            let value = json!({
                "interface": interface(component.kind()),
                "source": application.components[&*component.id].source,
                "allowed_outbound_hosts": hosts,
                "key_value_stores": stores,
            });
            (component.id.to_string(), value)
        })
        .collect();
    json!({
        "name": application.name,
        "version": application.version,
        "triggers": triggers,
        "components": components,
        "warnings": warnings,
    })
}
