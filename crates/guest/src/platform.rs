//! What the host gives a component: variables, stores, clocks, background work, outgoing HTTP.
//!
//! Two implementations: the Spin host (`platform::spin`, WebAssembly only) and [`crate::testing`], natively.

use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use futures::future::LocalBoxFuture;
use opentelemetry_http::HttpClient;

use crate::store::{Backend, StoreError};

#[cfg(target_family = "wasm")]
pub(crate) mod spin;

/// The seam between the components' logic and their host.
pub(crate) trait Platform: 'static {
    /// A component variable, `None` when there is none of that name; `Err` has the host's words.
    fn variable(&self, name: &'static str) -> LocalBoxFuture<'_, Result<Option<String>, String>>;

    /// Opens a key-value store by its label in `key_value_stores`.
    fn open_store(
        &self,
        label: &'static str,
    ) -> LocalBoxFuture<'_, Result<Rc<dyn Backend>, StoreError>>;

    /// The wall clock.
    fn now(&self) -> SystemTime;

    /// A clock that never steps, from an arbitrary start.
    fn monotonic(&self) -> Duration;

    /// Ends after `duration`.
    fn sleep(&self, duration: Duration) -> LocalBoxFuture<'static, ()>;

    /// Runs `task` beside the current request; it may outlive the answer.
    fn spawn(&self, task: LocalBoxFuture<'static, ()>);

    /// Writes one line where the host looks for the component's logs.
    fn log_line(&self, line: &str);

    /// Sends requests out, as far as `allowed_outbound_hosts` lets it.
    fn http_client(&self) -> Arc<dyn HttpClient>;
}
