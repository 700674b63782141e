//! The application: its configuration turned into compiled, linked components and a route table.

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;
use spinfo_manifest::{Component as Declared, RouteMatch, Router, Secret};
use wasmtime::component::Linker;

use super::component::{Component, Grants};
use super::files::Mounts;
use super::guest::Guest;
use crate::configuration::{Configuration, Environment};
use crate::key_value::Stores;
use crate::revision::AppDigest;

/// An application that is ready to serve.
pub(crate) struct App {
    pub(crate) name: String,
    /// As the manifest says it.
    pub(crate) version: String,
    pub(crate) router: Router,
    pub(crate) components: BTreeMap<Arc<str>, Arc<Component>>,
    /// The stores that components may open, by label.
    pub(crate) stores: Stores,
    pub(crate) digest: AppDigest,
    /// `http.route` of each public route, by its index.
    route_names: Vec<Arc<str>>,
    info: Bytes,
}

impl App {
    /// Opens the stores, then compiles and links every component. Stores that `before` has open are shared with it.
    ///
    /// # Errors
    /// Names the store or component that stands in the way.
    pub(crate) fn prepare(
        configuration: &Configuration,
        linker: &Linker<Guest>,
        environment: &Environment,
        before: Option<&Self>,
    ) -> anyhow::Result<Self> {
        let application = &configuration.application;
        let stores = Stores::open(
            configuration
                .runtime
                .stores_for(application, configuration.state_dir.as_deref())?,
            before.map(|app| &app.stores),
        )?;
        let mut components: BTreeMap<Arc<str>, Arc<Component>> = BTreeMap::new();
        for declared in application.components.values() {
            let grants = grants(configuration, declared, &stores, environment)?;
            let component = Component::compile(linker, declared, grants)?;
            components.insert(component.id.clone(), Arc::new(component));
        }
        let router = Router::new(application);
        let route_names = router
            .routes()
            .iter()
            .map(|route| Arc::from(route.template()))
            .collect();
        let info = serde_json::json!({ "name": application.name, "version": application.version });
        let digests = components
            .values()
            .map(|component| (component.id.clone(), component.digest))
            .collect();
        Ok(Self {
            digest: AppDigest::new(&configuration.manifest, &digests),
            name: application.name.clone(),
            version: application.version.clone(),
            router,
            components,
            stores,
            route_names,
            info: info.to_string().into(),
        })
    }

    /// The route that a request matched, as `http.route` has it: the template, not the path.
    pub(crate) fn route_name(&self, route: &RouteMatch<'_>) -> Arc<str> {
        match route
            .route_index()
            .and_then(|index| self.route_names.get(index))
        {
            Some(name) => name.clone(),
            None => route.template().into(),
        }
    }

    /// The answer to `/.well-known/spin/info`.
    pub(crate) fn info(&self) -> Bytes {
        self.info.clone()
    }
}

/// What the manifest and the flags grant to a component.
fn grants(
    configuration: &Configuration,
    declared: &Declared,
    stores: &Stores,
    env: &Environment,
) -> anyhow::Result<Grants> {
    let mut environment = env.host.clone();
    environment.extend(declared.environment.clone());
    environment.extend(env.flags.clone());
    let variables = configuration
        .variables
        .of(declared)?
        .into_iter()
        .map(|(name, value)| (name, Secret::new(value.expose())))
        .collect();
    let granted = declared
        .key_value_stores
        .iter()
        .filter_map(|label| Some((label.clone(), stores.get(label)?.clone())));
    let files = configuration.application.files(declared)?;
    for warning in &files.warnings {
        tracing::warn!("{warning}");
    }
    Ok(Grants {
        environment: environment.into_iter().collect(),
        variables,
        stores: granted.collect(),
        allowed_hosts: configuration.variables.allowed_hosts(declared)?,
        mounts: Mounts::copy(&files.files)?,
    })
}
