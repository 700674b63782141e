//! What configures an application: its manifest, the runtime configuration and the variables. Its code is not read here.

use std::collections::BTreeMap;
use std::path::PathBuf;

use anyhow::Context as _;
use spinfo_manifest::{
    Application, RuntimeConfig, VariableOverride, VariableSources, Variables, Warning,
};
use spinfo_program::environment;

use crate::cli::Source;

/// Manifest, runtime configuration and variables: everything but the code.
pub(crate) struct Configuration {
    pub(crate) application: Application,
    pub(crate) runtime: RuntimeConfig,
    pub(crate) variables: Variables,
    pub(crate) state_dir: Option<PathBuf>,
    /// The manifest's text, for the digest.
    pub(crate) manifest: Vec<u8>,
}

impl Configuration {
    /// Reads and checks everything that configures an application.
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
                environment: &environment::variable,
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

    /// What works but is probably not meant that way.
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
}

/// Environment variables for all components. Those of the manifest come between the two; later ones win.
#[derive(Debug, Default)]
pub(crate) struct Environment {
    pub(crate) host: BTreeMap<String, String>,
    pub(crate) flags: BTreeMap<String, String>,
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use spinfo_manifest::{StateDir, VariablesProvider};

    use super::*;

    #[test]
    fn the_runtime_configuration_of_this_repository_says_what_holds_without_it() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        let application = Application::load(&root.join("spin.toml")).unwrap();
        let configured = RuntimeConfig::load(&root.join("runtime-config.toml")).unwrap();
        let default = RuntimeConfig::default();
        let stores = |config: &RuntimeConfig| {
            let folder = config.state_dir.resolve(&application);
            config.stores_for(&application, folder.as_deref()).unwrap()
        };
        assert_eq!(stores(&configured), stores(&default));
        let [VariablesProvider::Environment { prefix, dotenv }] =
            &configured.variables_providers[..]
        else {
            panic!("variables come from elsewhere than the environment")
        };
        assert_eq!((&**prefix, dotenv), ("SPIN_VARIABLE", &None));
        assert_eq!(configured.state_dir, StateDir::Default);
        assert_eq!(configured.outbound_http, default.outbound_http);
        assert_eq!(configured.max_instance_memory, None);
    }
}
