//! `spinfo check`: everything that `spinfo up` does before it listens, and a description of what would run.

use serde_json::json;
use spinfo_manifest::Route;

use super::say;
use crate::app::{App, Configuration, Environment};
use crate::cli::Check;
use crate::runtime::component::Kind;
use crate::runtime::engine::{EngineSettings, new_engine};
use crate::runtime::linker::new_linker;

/// Nothing is instantiated, so the pool need not be large.
const INSTANCES: u32 = 1;

/// Validates an application.
///
/// # Errors
/// Those of `spinfo up`.
pub(crate) fn run(check: &Check) -> anyhow::Result<()> {
    let configuration = Configuration::load(&check.source)?;
    let (engine, _) = new_engine(&EngineSettings {
        max_instances: INSTANCES,
        max_memory: 1 << 30,
        cache_dir: check.source.cache_folder(),
    })?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let app = runtime.block_on(async {
        App::prepare(
            &configuration,
            &new_linker(&engine)?,
            &Environment::default(),
            None,
        )
    })?;
    if check.json {
        say(format_args!("{:#}", describe(&configuration, &app)));
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
        for pattern in component.allowed_hosts.patterns() {
            say(format_args!("  may send requests to {}", pattern.as_str()));
        }
        for store in component.stores.keys() {
            say(format_args!("  may open the key-value store {store}"));
        }
    }
    for warning in configuration.warnings() {
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

fn describe(configuration: &Configuration, app: &App) -> serde_json::Value {
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
                .allowed_hosts
                .patterns()
                .iter()
                .map(|pattern| pattern.as_str())
                .collect();
            let stores: Vec<_> = component.stores.keys().collect();
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
        "warnings": configuration.warnings().map(ToString::to_string).collect::<Vec<_>>(),
    })
}
