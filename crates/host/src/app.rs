//! The application: its manifest and configuration turned into compiled, linked components and a route table.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use anyhow::Context as _;
use bytes::Bytes;
use spinfo_manifest::{
    Application, Component as Declared, RouteMatch, Router, RuntimeConfig, Secret,
    VariableOverride, VariableSources, Variables, Warning,
};
use wasmtime::component::Linker;

use crate::cli::{self, Source};
use crate::key_value::Stores;
use crate::revision::AppDigest;
use crate::runtime::Guest;
use crate::runtime::component::{Component, Grants};
use crate::runtime::files::Mounts;

/// Manifest, runtime configuration and variables: everything but the code.
pub(crate) struct Configuration {
    pub(crate) application: Application,
    pub(crate) runtime: RuntimeConfig,
    variables: Variables,
    state_dir: Option<PathBuf>,
    /// The manifest's text, for the digest.
    manifest: Vec<u8>,
}

impl Configuration {
    /// Reads and checks all that configures an application.
    ///
    /// # Errors
    /// Names the file, the key and what to do.
    pub(crate) fn load(source: &Source) -> anyhow::Result<Self> {
        let application = Application::load(&source.from)?;
        application.check_sources()?;
        let manifest = std::fs::read(&application.file)
            .with_context(|| application.file.display().to_string())?;
        let runtime = match &source.runtime_config_file {
            Some(file) => RuntimeConfig::load(file)?,
            None => RuntimeConfig::default(),
        };
        let overrides = source
            .variable
            .iter()
            .map(|argument| argument.parse())
            .collect::<Result<Vec<VariableOverride>, _>>()?;
        let variables = Variables::resolve(
            &application,
            &VariableSources {
                overrides: &overrides,
                providers: &runtime.variables_providers,
                environment: &cli::environment,
            },
        )?;
        let state_dir = match &source.state_dir {
            Some(folder) => Some(folder.clone()).filter(|folder| !folder.as_os_str().is_empty()),
            None => runtime.state_dir.resolve(&application),
        };
        Ok(Self {
            application,
            runtime,
            variables,
            state_dir,
            manifest,
        })
    }

    /// Everything that works but is probably not meant so.
    pub(crate) fn warnings(&self) -> impl Iterator<Item = &Warning> {
        self.application
            .warnings
            .iter()
            .chain(&self.runtime.warnings)
            .chain(self.variables.warnings())
    }

    pub(crate) fn warn(&self) {
        for warning in self.warnings() {
            tracing::warn!("{warning}");
        }
    }

    fn grants(
        &self,
        declared: &Declared,
        stores: &Stores,
        env: &Environment,
    ) -> anyhow::Result<Grants> {
        let mut environment = env.host.clone();
        environment.extend(declared.environment.clone());
        environment.extend(env.flags.clone());
        let variables = self
            .variables
            .of(declared)?
            .into_iter()
            .map(|(name, value)| (name, Secret::new(value.expose())))
            .collect();
        let granted = declared
            .key_value_stores
            .iter()
            .filter_map(|label| Some((label.clone(), stores.get(label)?.clone())));
        let files = self.application.files(declared)?;
        for warning in &files.warnings {
            tracing::warn!("{warning}");
        }
        Ok(Grants {
            environment: environment.into_iter().collect(),
            variables,
            stores: granted.collect(),
            allowed_hosts: self.variables.allowed_hosts(declared)?,
            mounts: Mounts::copy(&files.files)?,
        })
    }
}

/// Environment variables for all components. What the manifest says of one stands between the two: later ones win.
#[derive(Debug, Default)]
pub(crate) struct Environment {
    pub(crate) host: BTreeMap<String, String>,
    pub(crate) flags: BTreeMap<String, String>,
}

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
    /// Opens the stores, then compiles and links every component that a trigger names or another may call. Stores that
    /// `before` has open are shared with it.
    ///
    /// # Errors
    /// Names the store or component that stands in the way.
    pub(crate) fn prepare(
        configuration: &Configuration,
        linker: &Linker<Guest>,
        env: &Environment,
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
            let grants = configuration.grants(declared, &stores, env)?;
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
