//! Replaces the running version of the application by another while requests go on.
//!
//! - [`Loader`]: from files to components that passed their smoke test, at the start and at every reload
//! - [`restart_only`]: settings that a reload can't change
//! - [`Outcomes`]: what became of the reloads so far
//! - [`watch`]: files whose change asks for a reload

mod loader;
mod outcomes;
mod restart_only;
pub(crate) mod watch;

use std::sync::Arc;
use std::time::Instant;

use anyhow::Context as _;
use tokio::sync::Notify;
use tokio::task::JoinSet;

pub(crate) use self::loader::Loader;
pub(crate) use self::outcomes::Outcomes;
use self::restart_only::RestartOnly;
use crate::configuration::Configuration;
use crate::runtime::app::App;
use crate::runtime::version::{Leaving, Version, Versions};
use crate::tls::{Certificate, Renewed};

/// Replaces the application whenever it is asked to, one reload after the other.
pub(crate) struct Reloader {
    pub(crate) outcomes: Arc<Outcomes>,
    loader: Arc<Loader>,
    versions: Arc<Versions>,
    certificate: Option<Arc<Certificate>>,
    restart_only: RestartOnly,
}

/// A new version that nobody knows yet.
struct Ready {
    configuration: Configuration,
    app: App,
    certificate: Option<Renewed>,
}

impl Reloader {
    pub(crate) fn new(
        loader: Arc<Loader>,
        versions: Arc<Versions>,
        certificate: Option<Arc<Certificate>>,
        started_with: &Configuration,
    ) -> Self {
        Self {
            outcomes: Arc::new(Outcomes::new(loader.runtime.metrics.clone())),
            loader,
            versions,
            certificate,
            restart_only: RestartOnly::of(started_with),
        }
    }

    /// Reloads at every notification, until the future is dropped. Those that come during a reload are one.
    pub(crate) async fn run(self, asked: Arc<Notify>) {
        let mut draining = JoinSet::new();
        loop {
            asked.notified().await;
            while draining.try_join_next().is_some() {}
            if let Some(old) = self.reload().await {
                draining.spawn(old.drained(self.loader.runtime.limits.drain_timeout));
            }
        }
    }

    /// The version that was replaced, if one was.
    async fn reload(&self) -> Option<Leaving> {
        let begun = Instant::now();
        match self.prepare().await.and_then(|ready| self.swap(ready)) {
            Ok(old) => {
                let now = self.versions.current();
                self.outcomes.ok();
                tracing::info!(
                    generation = now.revision.generation,
                    revision = &*now.revision.short,
                    digest = now.revision.digest,
                    components = now.app.components.len(),
                    took = ?begun.elapsed(),
                    "reloaded"
                );
                Some(old)
            }
            Err(error) => {
                let error = format!("{error:#}");
                let now = self.versions.current();
                tracing::error!(
                    error,
                    generation = now.revision.generation,
                    revision = &*now.revision.short,
                    "reload refused: the running version goes on"
                );
                self.outcomes.refused(error);
                None
            }
        }
    }

    /// All that takes time, on a thread that serves nobody.
    async fn prepare(&self) -> anyhow::Result<Ready> {
        let (loader, before) = (self.loader.clone(), self.versions.current().app.clone());
        let certificate = self.certificate.clone();
        let prepared = tokio::task::spawn_blocking(move || {
            let configuration = Configuration::load(&loader.source)?;
            let app = loader.prepare(&configuration, Some(&before))?;
            let certificate = certificate.map(|files| files.read_again()).transpose()?;
            Ok(Ready {
                configuration,
                app,
                certificate,
            })
        });
        prepared
            .await
            .context("the new version made the host panic")?
    }

    fn swap(&self, ready: Ready) -> anyhow::Result<Leaving> {
        let generation = self.versions.current().revision.generation + 1;
        let next = Version::new(&self.loader.runtime, Arc::new(ready.app), generation)?;
        // Nothing can fail from here on.
        ready.configuration.warn();
        self.restart_only.warn_of_changes(&ready.configuration);
        self.loader.runtime.metrics.serves(&next.revision);
        let old = self.versions.replace(next);
        if let (Some(files), Some(renewed)) = (&self.certificate, ready.certificate)
            && files.renew(renewed)
        {
            tracing::info!("the next TLS handshakes use the new certificate");
        }
        Ok(old)
    }
}
