//! A host for native tests: it routes like Spin, has variables from a map, stores in memory, a clock that only sleeping moves,
//! and a receiver that keeps what is exported.

use std::rc::Rc;
use std::sync::PoisonError;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use futures::StreamExt;
use futures::executor::block_on;
use spinfo_manifest::Router;

use crate::app::App;
use crate::handle::Service;
use crate::response::Body;

mod host;
mod message;
mod routes;
mod store;

use host::TestHost;

pub use message::{TestRequest, TestResponse};
pub use routes::assert_routes_are_triggers;
pub(crate) use routes::router;
pub use store::MemoryStore;

/// 2026-01-02T03:04:05Z, when every test begins.
pub fn start() -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(1_767_323_045)
}

/// A component under test: one instance that stays between requests.
pub struct TestApp {
    router: Router,
    service: Service,
    host: Rc<TestHost>,
}

/// A component that is about to be tested: its variables.
pub struct TestAppBuilder {
    app: App,
    host: TestHost,
}

impl TestApp {
    /// The component without variables, with an empty store for every label.
    pub fn builder(app: App) -> TestAppBuilder {
        TestAppBuilder {
            app,
            host: TestHost::default(),
        }
    }

    /// Like [`TestApp::builder`] where no variables are needed.
    pub fn new(app: App) -> Self {
        Self::builder(app).build()
    }

    /// Answers a request to its last byte, and then runs what the component left in the background.
    pub fn call(&self, request: TestRequest) -> TestResponse {
        let response = self.answer(request);
        self.run_background();
        response
    }

    /// Answers a request to its last byte; what the component left in the background waits.
    pub fn answer(&self, request: TestRequest) -> TestResponse {
        let request = request.routed(&self.router);
        block_on(async {
            let response = self.service.handle(request.into_request()).await;
            let chunks = match response.body {
                Body::Full(bytes) => vec![bytes],
                Body::Stream(chunks) => chunks.collect().await,
            };
            TestResponse {
                status: response.status,
                headers: response.headers,
                chunks,
            }
        })
    }

    /// Runs what the component left in the background; says how many tasks there were.
    pub fn run_background(&self) -> usize {
        let mut tasks = 0;
        loop {
            let Some(task) = self.host.background.borrow_mut().pop_front() else {
                return tasks;
            };
            block_on(task);
            tasks += 1;
        }
    }

    /// The store with this label, to look into or to break.
    pub fn store(&self, label: &'static str) -> Rc<MemoryStore> {
        self.host.store(label)
    }

    /// Sets the clock forward.
    pub fn advance(&self, duration: Duration) {
        self.host.elapsed.set(self.host.elapsed.get() + duration);
    }

    /// Time on the clock since [`start`].
    pub fn elapsed(&self) -> Duration {
        self.host.elapsed.get()
    }

    /// The bodies that the receiver was sent, by path; taken out.
    pub fn exported(&self) -> Vec<(String, Bytes)> {
        std::mem::take(
            &mut *self
                .host
                .receiver
                .exports
                .lock()
                .unwrap_or_else(PoisonError::into_inner),
        )
    }

    /// The log lines on standard error, taken out; there are none when a receiver is set.
    pub fn log_lines(&self) -> Vec<String> {
        self.host.lines.take()
    }

    /// Whether the receiver answers from now on.
    pub fn set_receiver_reachable(&self, reachable: bool) {
        *self
            .host
            .receiver
            .reachable
            .lock()
            .unwrap_or_else(PoisonError::into_inner) = reachable;
    }
}

impl TestAppBuilder {
    /// Sets a component variable.
    #[must_use]
    pub fn variable(mut self, name: &'static str, value: &str) -> Self {
        self.host.variables.insert(name, value.to_owned());
        self
    }

    /// Starts the instance.
    pub fn build(self) -> TestApp {
        let host = Rc::new(self.host);
        TestApp {
            router: router(&self.app),
            service: Service::new(self.app, Rc::<TestHost>::clone(&host)),
            host,
        }
    }
}
