//! A version of the application: what is loaded at one time, ready on every worker thread.

use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use tokio::sync::watch;
use tokio::time::timeout;

use super::app::App;
use super::dispatcher::Dispatcher;
use super::lifecycle::{Stage, VersionLifecycle};
use super::{Runtime, Transient, TransientGuard};
use crate::revision::Revision;

/// One version, with a dispatcher for each worker.
pub(crate) struct Version {
    pub(crate) app: Arc<App>,
    pub(crate) revision: Arc<Revision>,
    dispatchers: Vec<Arc<Dispatcher>>,
    /// Closed when the last dispatcher is dropped, and with it the last request and the last instance.
    in_use: watch::Receiver<()>,
}

impl Version {
    /// Makes the dispatchers of all workers, as the `generation`th version of this process.
    ///
    /// # Errors
    /// When a component does not have the interface that it was linked for.
    pub(crate) fn new(runtime: &Runtime, app: Arc<App>, generation: u64) -> anyhow::Result<Self> {
        let revision = Arc::new(Revision::new(generation, app.digest));
        let (use_by, in_use) = watch::channel(());
        let use_by = Arc::new(use_by);
        let dispatchers = runtime
            .networks
            .iter()
            .map(|network| Dispatcher::new(runtime, &app, &revision, network, &use_by))
            .collect::<anyhow::Result<_>>()?;
        Ok(Self {
            app,
            revision,
            dispatchers,
            in_use,
        })
    }

    /// Lets instances without work go. Requests under way go on.
    pub(crate) fn retire(&self) {
        for dispatcher in &self.dispatchers {
            dispatcher.lifecycle.enter(Stage::Retired);
        }
    }
}

/// Which version is current, and how many others are still at work.
pub(crate) struct Versions {
    current: ArcSwap<Version>,
    /// Old versions alone.
    draining: Transient,
    transient: Transient,
}

impl Versions {
    pub(crate) fn new(runtime: &Runtime, first: Version) -> Self {
        Self {
            current: ArcSwap::from_pointee(first),
            draining: Transient::default(),
            transient: runtime.transient.clone(),
        }
    }

    pub(crate) fn current(&self) -> Arc<Version> {
        self.current.load_full()
    }

    /// The current version's components on one worker thread: one atomic load, and a count that only this thread changes.
    pub(crate) fn dispatcher(&self, worker: usize) -> Arc<Dispatcher> {
        self.current.load().dispatchers[worker].clone()
    }

    /// Versions that still finish something.
    pub(crate) fn draining(&self) -> usize {
        self.draining.count()
    }

    /// Serves `next` from the next request on, and retires the version before it.
    pub(crate) fn replace(&self, next: Version) -> Leaving {
        // Before anybody looks for room for an instance of the new version.
        let counted = [self.transient.enter(), self.draining.enter()];
        let old = self.current.swap(Arc::new(next));
        old.retire();
        Leaving {
            revision: old.revision.clone(),
            app: old.app.clone(),
            lifecycles: old
                .dispatchers
                .iter()
                .map(|dispatcher| dispatcher.lifecycle.clone())
                .collect(),
            in_use: old.in_use.clone(),
            _counted: counted,
        }
    }
}

/// A version that is no longer current. Dropped, it leaves what it has under way to itself.
pub(crate) struct Leaving {
    pub(crate) revision: Arc<Revision>,
    app: Arc<App>,
    lifecycles: Vec<Arc<VersionLifecycle>>,
    in_use: watch::Receiver<()>,
    _counted: [TransientGuard; 2],
}

impl Leaving {
    /// Waits until the version has finished what it had under way, and ends what is left after `limit`.
    pub(crate) async fn drained(mut self, limit: Duration) {
        if timeout(limit, unused(&mut self.in_use)).await.is_err() {
            tracing::warn!(
                timeout = ?limit, generation = self.revision.generation, revision = &*self.revision.short,
                "requests to a replaced version were still under way when the time to drain was over"
            );
            for lifecycle in &self.lifecycles {
                lifecycle.enter(Stage::Over);
            }
            unused(&mut self.in_use).await;
        }
        tracing::info!(
            generation = self.revision.generation,
            revision = &*self.revision.short,
            "a replaced version is gone"
        );
        // Compiled code is unmapped and copies of files are deleted: not on a thread that serves.
        let app = self.app;
        // It cannot panic, and nobody waits for its end.
        let _ = tokio::task::spawn_blocking(move || drop(app)).await;
    }
}

/// Nothing is ever sent: the channel closes with its last sender.
async fn unused(in_use: &mut watch::Receiver<()>) {
    while in_use.changed().await.is_ok() {}
}
