//! A receiver that runs, and the test's side of it.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustls::ServerConfig;
use tokio::net::TcpListener;
use tokio::runtime::{Builder, Runtime};
use tokio_rustls::TlsAcceptor;

use crate::received::Received;
use crate::serve::serve;
use crate::shared::{Answer, Shared};

/// How long a test waits before it fails. Far more than anything takes on a slow machine, and less than the minute between two exports
/// of metrics that is OTLP's default, so that no test passes because of that one.
pub const PATIENCE: Duration = Duration::from_secs(50);

/// A receiver on a port of its own of 127.0.0.1, with a runtime of its own. Dropping it closes the port and all connections; like
/// any runtime it must not be dropped within asynchronous code.
pub struct Receiver {
    address: SocketAddr,
    scheme: &'static str,
    shared: Shared,
    _runtime: Runtime,
}

impl Receiver {
    /// Starts one without TLS; HTTP/2 is spoken without asking first (RFC 9113 section 3.3).
    ///
    /// # Panics
    /// When there is no free port, or within asynchronous code.
    pub fn start() -> Self {
        Self::start_on("http", None)
    }

    /// Starts one behind TLS. The protocols that `config` offers (ALPN) must be among `h2` and `http/1.1`.
    ///
    /// # Panics
    /// When there is no free port, or within asynchronous code.
    pub fn start_with_tls(config: ServerConfig) -> Self {
        Self::start_on("https", Some(TlsAcceptor::from(Arc::new(config))))
    }

    fn start_on(scheme: &'static str, tls: Option<TlsAcceptor>) -> Self {
        let runtime = Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .expect("a runtime can be made");
        let listener = runtime
            .block_on(TcpListener::bind("127.0.0.1:0"))
            .expect("a free port");
        let address = listener
            .local_addr()
            .expect("a bound listener has an address");
        let shared = Shared::default();
        runtime.spawn(serve(listener, tls, shared.clone()));
        Self {
            address,
            scheme,
            shared,
            _runtime: runtime,
        }
    }

    /// The base URL, for all of OTLP's transports.
    pub fn url(&self) -> String {
        format!("{}://{}", self.scheme, self.address)
    }

    /// Gives these answers to the next requests, one each and the first first. After them all is taken again.
    pub fn answer(&self, answers: &[Answer]) {
        self.shared.change(|state| state.answers.extend(answers));
    }

    /// Looks at what has arrived so far.
    ///
    /// # Panics
    /// When something has arrived that no exporter should send.
    pub fn look<T>(&self, look: impl FnOnce(&Received) -> T) -> T {
        look(self.shared.lock().sound())
    }

    /// Waits until `ready` holds for what has arrived so far.
    ///
    /// # Panics
    /// When it does not within [`PATIENCE`], or when something has arrived that no exporter should send.
    pub fn wait(&self, what: &str, ready: impl Fn(&Received) -> bool) {
        self.wait_for(what, |received| ready(received).then_some(()));
    }

    /// Waits until `look` finds something in what has arrived so far.
    ///
    /// # Panics
    /// When it does not within [`PATIENCE`], or when something has arrived that no exporter should send.
    pub fn wait_for<T>(&self, what: &str, look: impl Fn(&Received) -> Option<T>) -> T {
        let end = Instant::now() + PATIENCE;
        let mut state = self.shared.lock();
        loop {
            let received = state.sound();
            if let Some(found) = look(received) {
                return found;
            }
            let left = end.saturating_duration_since(Instant::now());
            assert!(
                !left.is_zero(),
                "still waiting for {what}; there are {received:#?}"
            );
            state = self.shared.wait(state, left);
        }
    }
}
