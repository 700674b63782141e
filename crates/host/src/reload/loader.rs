//! From files to components that have passed their smoke test.

use std::sync::Arc;

use anyhow::Context as _;
use tokio::runtime::Handle;
use wasmtime::component::Linker;

use crate::cli::Source;
use crate::configuration::{Configuration, Environment};
use crate::runtime::app::App;
use crate::runtime::{Guest, Runtime, smoke_test};

/// What the versions of an application are loaded with: the same at the start and at every reload.
pub(crate) struct Loader {
    pub(crate) source: Source,
    pub(crate) environment: Environment,
    pub(crate) linker: Linker<Guest>,
    pub(crate) runtime: Runtime,
}

impl Loader {
    /// The version that the process starts with. The configuration comes back for those who report on it.
    ///
    /// # Errors
    /// Those of [`Loader::prepare`].
    pub(crate) async fn first(
        self: Arc<Self>,
        configuration: Configuration,
    ) -> anyhow::Result<(Configuration, App)> {
        let prepared = tokio::task::spawn_blocking(move || {
            let app = self.prepare(&configuration, None)?;
            Ok((configuration, app))
        });
        prepared
            .await
            .context("the host panicked while it started")?
    }

    /// Opens stores, compiles and links the components and instantiates each once; blocks the thread meanwhile. Stores that `before` has open are
    /// shared with it.
    ///
    /// # Errors
    /// Names what stands in the way.
    pub(crate) fn prepare(
        &self,
        configuration: &Configuration,
        before: Option<&App>,
    ) -> anyhow::Result<App> {
        let app = App::prepare(configuration, &self.linker, &self.environment, before)?;
        Handle::current().block_on(smoke_test(&app.components, &self.runtime))?;
        Ok(app)
    }
}
