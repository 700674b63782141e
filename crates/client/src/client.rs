//! From options and a URL to a connection that requests can be sent on.

use std::fmt;
use std::sync::Arc;
use std::time::Instant;

use http::HeaderValue;

use crate::certificate::Certificate;
use crate::connection::{Connection, Parts, Phases, Route};
use crate::dial::dial;
use crate::failure::{Failure, FailureKind, Phase};
use crate::options::Options;
use crate::stamped::{Stamped, Stamps, Stream};
use crate::target::Target;
use crate::tls::{Tls, TrustError};
use crate::tunnel::tunnel;

/// Opens connections. Clones share one configuration.
#[derive(Clone)]
pub struct Client(Arc<Inner>);

struct Inner {
    options: Options,
    tls: Tls,
}

/// Why a client can't be set up.
#[derive(Debug, thiserror::Error)]
pub enum SetupError {
    /// The certificates of authorities can't be used.
    #[error(transparent)]
    Trust(#[from] TrustError),
}

impl Client {
    /// Reads the files that the options name.
    ///
    /// # Errors
    /// When one can't be used.
    pub fn new(options: Options) -> Result<Self, SetupError> {
        Ok(Self(Arc::new(Inner {
            tls: Tls::new(&options.trust)?,
            options,
        })))
    }

    /// `User-Agent` of requests that have none.
    pub(crate) fn user_agent(&self) -> Option<&HeaderValue> {
        self.0.options.user_agent.as_ref()
    }

    /// Opens a connection to the target's host: look-up, TCP, the proxy's tunnel, TLS, HTTP. Nothing is sent of a request yet.
    ///
    /// # Errors
    /// The step that failed, or the one at which the deadline passed.
    pub async fn connect(&self, target: &Target, deadline: Instant) -> Result<Connection, Failure> {
        let began = Instant::now();
        self.open(target, deadline)
            .await
            .map_err(|failure| failure.since(began))
    }

    async fn open(&self, target: &Target, deadline: Instant) -> Result<Connection, Failure> {
        let Inner { options, tls } = &*self.0;
        let proxy = options.proxy.for_target(target)?;
        let first = proxy.unwrap_or(target);
        let dialled = dial(first.host(), first.port(), options, deadline)
            .await
            .map_err(|failure| through(proxy, failure))?;
        let stamps = Arc::new(Stamps::new());
        let mut phases = Phases {
            dns: dialled.dns,
            connect: dialled.connect,
            tls: None,
        };
        let mut stream: Box<dyn Stream> = Box::new(Stamped::new(dialled.stream, stamps.clone()));

        if let Some(proxy) = proxy {
            let began = Instant::now();
            if proxy.is_tls() {
                let session = tls
                    .handshake(proxy.host(), stream, &[b"http/1.1"], deadline)
                    .await;
                stream = Box::new(session.map_err(|failure| through(Some(proxy), failure))?);
            }
            if target.is_tls() {
                stream =
                    Box::new(tunnel(stream, proxy, target, self.user_agent(), deadline).await?);
            }
            phases.connect += began.elapsed();
        }

        let mut certificate = None;
        let mut http2 = false;
        if target.is_tls() {
            let began = Instant::now();
            let alpn: &[&[u8]] = if options.http2 {
                &[b"h2", b"http/1.1"]
            } else {
                &[b"http/1.1"]
            };
            let session = tls.handshake(target.host(), stream, alpn, deadline).await?;
            let (_, state) = session.get_ref();
            certificate = state.peer_certificates().and_then(Certificate::of);
            http2 = state.alpn_protocol() == Some(b"h2");
            stream = Box::new(session);
            phases.tls = Some(began.elapsed());
        }

        let route = Route {
            origin: target.clone(),
            proxy: proxy.filter(|_| !target.is_tls()).cloned(),
            peer: dialled.peer,
            user_agent: self.user_agent().cloned(),
        };
        Connection::open(Parts {
            stream,
            stamps,
            route,
            phases,
            certificate,
            http2,
        })
        .await
    }
}

/// A failure on the way to a proxy is the proxy's; a deadline stays one.
fn through(proxy: Option<&Target>, mut failure: Failure) -> Failure {
    if let Some(proxy) = proxy {
        failure.message = format!("the proxy {proxy} can't be used: {}", failure.message);
        failure.kind = match failure.kind {
            FailureKind::Timeout(_) => FailureKind::Timeout(Phase::Proxy),
            _ => FailureKind::Proxy,
        };
    }
    failure
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client")
            .field("options", &self.0.options)
            .finish_non_exhaustive()
    }
}
