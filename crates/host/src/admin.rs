//! The admin listener: liveness, readiness, metrics and the version that is served, apart from the application's own port.

use std::sync::Arc;
use std::time::Duration;

use http::StatusCode;
use spinfo_program::server::{JSON, Routes, TEXT, response};
use spinfo_telemetry::MetricsPage;

use crate::lifecycle::Lifecycle;
use crate::reload::Outcomes;
use crate::runtime::version::Versions;

/// A store that does not answer within this time makes the process not ready.
const STORE_TIMEOUT: Duration = Duration::from_secs(1);
/// The query of `/readyz` that leaves the stores out. For a load balancer: replicas share their stores, so without this it would
/// take all of them out of service when a store is gone, and with them everything that needs none.
const WITHOUT_STORES: &str = "exclude=stores";

/// What the admin listener reports on.
pub(crate) struct Admin {
    pub(crate) versions: Arc<Versions>,
    pub(crate) reloads: Arc<Outcomes>,
    pub(crate) lifecycle: Lifecycle,
}

impl Admin {
    /// What the admin listener answers.
    pub(crate) fn routes(self, metrics: MetricsPage) -> Routes {
        let admin = Arc::new(self);
        let (ready, revision) = (admin.clone(), admin);
        Routes::new()
            .get("/livez", |_| {
                std::future::ready(response(StatusCode::OK, TEXT, "ok\n"))
            })
            .get("/readyz", move |head| {
                let admin = ready.clone();
                async move {
                    match admin.not_ready(head.uri.query()).await {
                        None => response(StatusCode::OK, TEXT, "ok\n"),
                        Some(reason) => response(
                            StatusCode::SERVICE_UNAVAILABLE,
                            TEXT,
                            format!("not ready: {reason}\n"),
                        ),
                    }
                }
            })
            .get("/revision", move |_| {
                std::future::ready(response(StatusCode::OK, JSON, revision.revision()))
            })
            .metrics(metrics)
    }

    /// What is served, and what became of the last reload, for people and for scripts that wait for one.
    fn revision(&self) -> String {
        let (version, reloads) = (self.versions.current(), self.reloads.so_far());
        let shown = serde_json::json!({
            "application": version.app.name,
            "version": version.app.version,
            "generation": version.revision.generation,
            "revision": &*version.revision.short,
            "digest": version.revision.digest,
            "reloads": { "ok": reloads.ok, "refused": reloads.refused },
            "problem": reloads.problem,
            "draining": self.versions.draining(),
        });
        format!("{shown}\n")
    }

    async fn not_ready(&self, query: Option<&str>) -> Option<String> {
        if self.lifecycle.is_leaving() {
            return Some("stopping".into());
        }
        if query == Some(WITHOUT_STORES) {
            return None;
        }
        for (name, store) in self.versions.current().app.stores.iter() {
            match tokio::time::timeout(STORE_TIMEOUT, store.ping()).await {
                Ok(Ok(())) => {}
                Ok(Err(error)) => return Some(format!("key-value store {name:?}: {error}")),
                Err(_) => return Some(format!("key-value store {name:?} does not answer")),
            }
        }
        None
    }
}
