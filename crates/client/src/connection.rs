//! One connection: a request goes out, a whole answer or a [`Failure`] comes back.

use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::{Bytes, BytesMut};
use http::{HeaderValue, Version};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::client::conn::{http1, http2};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::task::AbortHandle;
use tokio::time::timeout_at;

use crate::certificate::Certificate;
use crate::classify;
use crate::failure::{Failure, FailureKind, Phase};
use crate::message::{self, Answer, Form, Limits, Request};
use crate::stamped::{Stamps, Stream};
use crate::target::Target;

/// Fields of a head. hyper's own limit of 100 is a server's; curl stops at 5000.
const MAX_HEADERS: usize = 1000;

/// What the steps to a connection took.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Phases {
    /// Finding the host's addresses; next to nothing for an address.
    pub dns: Duration,
    /// Opening the TCP connection, and with a proxy: reaching the host through it.
    pub connect: Duration,
    /// The TLS handshake, where there is one.
    pub tls: Option<Duration>,
}

/// Where a connection leads.
pub(crate) struct Route {
    pub(crate) origin: Target,
    /// A proxy that answers requests itself, as it does for http: it is sent whole URLs.
    pub(crate) proxy: Option<Target>,
    pub(crate) peer: SocketAddr,
    pub(crate) user_agent: Option<HeaderValue>,
}

/// A connection to a server. Dropping it closes it.
pub struct Connection {
    sender: Sender,
    _driver: Driver,
    stamps: Arc<Stamps>,
    route: Route,
    phases: Phases,
    certificate: Option<Certificate>,
    /// After a failure nobody knows what is still to come on the connection.
    failed: bool,
    requests: u64,
}

/// What a new connection is made of.
pub(crate) struct Parts {
    pub(crate) stream: Box<dyn Stream>,
    pub(crate) stamps: Arc<Stamps>,
    pub(crate) route: Route,
    pub(crate) phases: Phases,
    pub(crate) certificate: Option<Certificate>,
    pub(crate) http2: bool,
}

enum Sender {
    Http1(http1::SendRequest<Full<Bytes>>),
    Http2(http2::SendRequest<Full<Bytes>>),
}

/// The task that moves a connection's bytes. It ends with this value.
pub(crate) struct Driver(AbortHandle);

impl Driver {
    pub(crate) fn spawn<F>(connection: F) -> Self
    where
        F: Future<Output = hyper::Result<()>> + Send + 'static,
    {
        // The connection's error reaches whoever waits for an answer on it.
        Self(tokio::spawn(async move { drop(connection.await) }).abort_handle())
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl Connection {
    /// Begins to speak HTTP.
    pub(crate) async fn open(parts: Parts) -> Result<Self, Failure> {
        let Parts {
            stream,
            stamps,
            route,
            phases,
            certificate,
            http2,
        } = parts;
        let stream = TokioIo::new(stream);
        let (sender, driver) = if http2 {
            let (sender, connection) = http2::handshake(TokioExecutor::new(), stream)
                .await
                .map_err(|error| classify::head(&error))?;
            (Sender::Http2(sender), Driver::spawn(connection))
        } else {
            // What browsers and curl read is no failure (RFC 9112, section 5.2, for a folded line).
            let (sender, connection) = http1::Builder::new()
                .allow_obsolete_multiline_headers_in_responses(true)
                .allow_spaces_after_header_name_in_responses(true)
                .max_headers(MAX_HEADERS)
                .handshake(stream)
                .await
                .map_err(|error| classify::head(&error))?;
            (Sender::Http1(sender), Driver::spawn(connection))
        };
        Ok(Self {
            sender,
            _driver: driver,
            stamps,
            route,
            phases,
            certificate,
            failed: false,
            requests: 0,
        })
    }

    /// What the steps to this connection took.
    #[must_use]
    pub fn phases(&self) -> Phases {
        self.phases
    }

    /// The address at the other end: the server's, or the proxy's.
    #[must_use]
    pub fn peer(&self) -> SocketAddr {
        self.route.peer
    }

    /// The server's certificate, where TLS is spoken.
    #[must_use]
    pub fn certificate(&self) -> Option<&Certificate> {
        self.certificate.as_ref()
    }

    /// The version of HTTP that requests are sent with.
    #[must_use]
    pub fn version(&self) -> Version {
        match self.sender {
            Sender::Http1(_) => Version::HTTP_11,
            Sender::Http2(_) => Version::HTTP_2,
        }
    }

    /// How many requests were sent on this connection.
    #[must_use]
    pub fn requests(&self) -> u64 {
        self.requests
    }

    /// Whether nothing of the last request has left this machine.
    pub(crate) fn unsent(&self) -> bool {
        self.stamps.first_write().is_none()
    }

    /// Whether the connection leads to this target.
    #[must_use]
    pub fn serves(&self, target: &Target) -> bool {
        self.route.origin.same_origin(target)
    }

    /// Whether another request can be sent, as far as is known: a server's closing shows only when the connection is looked at, as
    /// [`Connection::ready`] does.
    #[must_use]
    pub fn is_open(&self) -> bool {
        !self.failed
            && match &self.sender {
                Sender::Http1(sender) => !sender.is_closed(),
                Sender::Http2(sender) => !sender.is_closed(),
            }
    }

    /// Waits until another request can be sent; false when none can any more.
    pub async fn ready(&mut self) -> bool {
        // The task that reads the connection must run to see that the server has closed it.
        tokio::task::yield_now().await;
        let ready = match &mut self.sender {
            Sender::Http1(sender) => sender.ready().await,
            Sender::Http2(sender) => sender.ready().await,
        };
        ready.is_ok() && self.is_open()
    }

    /// Sends a request and reads the whole answer.
    ///
    /// # Errors
    /// When no whole answer comes within the limits. The connection can't be used any more then.
    pub async fn send(&mut self, request: Request<'_>, limits: Limits) -> Result<Answer, Failure> {
        let began = Instant::now();
        self.requests += 1;
        let answer = self
            .exchange(request, limits, began)
            .await
            .map_err(|failure| failure.since(began));
        self.failed |= answer.is_err();
        answer
    }

    async fn exchange(
        &mut self,
        request: Request<'_>,
        limits: Limits,
        began: Instant,
    ) -> Result<Answer, Failure> {
        let form = match (&self.sender, &self.route.proxy) {
            (Sender::Http2(_), _) => Form::Http2,
            (Sender::Http1(_), None) => Form::Origin,
            (Sender::Http1(_), Some(proxy)) => Form::Absolute(proxy),
        };
        let request = message::build(request, form, self.route.user_agent.as_ref())?;
        self.stamps.arm();
        let asked = async {
            match &mut self.sender {
                Sender::Http1(sender) => {
                    sender.ready().await?;
                    sender.send_request(request).await
                }
                Sender::Http2(sender) => {
                    sender.ready().await?;
                    sender.send_request(request).await
                }
            }
        };
        let answered = timeout_at(limits.deadline.into(), asked)
            .await
            .map_err(|_| Failure::timeout(Phase::Head, began))?;
        let (head, body) = answered
            .map_err(|error| classify::head(&error))?
            .into_parts();
        // A server may answer before it is asked, such as 408 on an idle connection.
        let sent_at = self.stamps.first_write().unwrap_or(began);
        let head_at = self.stamps.last_read().max(sent_at);
        let read = timeout_at(limits.deadline.into(), read(body, limits.body_bytes));
        let body = read
            .await
            .map_err(|_| Failure::timeout(Phase::Body, began))??;
        let finished_at = self.stamps.last_read().max(head_at);
        Ok(Answer {
            status: head.status,
            version: head.version,
            headers: head.headers,
            body,
            sent_at,
            head_at,
            finished_at,
        })
    }
}

async fn read(mut body: Incoming, limit: usize) -> Result<Bytes, Failure> {
    let mut received = BytesMut::new();
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|error| classify::body(&error, received.len()))?;
        let Ok(data) = frame.into_data() else {
            continue;
        };
        if data.len() > limit - received.len() {
            return Err(Failure::new(
                FailureKind::Body,
                format!("the answer's body is longer than the limit of {limit} bytes"),
            ));
        }
        received.extend_from_slice(&data);
    }
    Ok(received.freeze())
}

impl fmt::Debug for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connection")
            .field("origin", &self.route.origin)
            .field("peer", &self.route.peer)
            .field("version", &self.version())
            .finish_non_exhaustive()
    }
}
