//! Bodies of requests and responses, with the limits and guards around them.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use http::header;
use http::request::Parts;
use http_body::{Body, Frame, SizeHint};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use tokio::runtime::Handle;
use wasmtime_wasi_http::{Error, WasiBody};

use super::server_request::ServerRequest;

/// How much of a body that nobody reads is taken in all the same, and for how long: a client that is still sending when
/// its connection closes loses the answer (RFC 9112 section 9.6).
const LINGER: (u64, Duration) = (64 << 20, Duration::from_secs(5));

/// A request body that ends with an error past a limit, and that counts what was read.
pub(crate) struct Limited {
    /// Taken when it lingers.
    body: Option<Incoming>,
    limit: u64,
    read: Arc<RequestBytes>,
    /// The client waits for a word before it sends, and an answer is one.
    expects_continue: bool,
}

/// Bytes that a guest has read of a request's body.
#[derive(Debug, Default)]
pub(crate) struct RequestBytes {
    read: AtomicU64,
    /// Whether that was more than the limit.
    exceeded: AtomicBool,
}

impl RequestBytes {
    pub(crate) fn read(&self) -> u64 {
        self.read.load(Ordering::Relaxed)
    }

    pub(crate) fn exceeded(&self) -> bool {
        self.exceeded.load(Ordering::Relaxed)
    }
}

/// Puts a limit of `limit` bytes on the body of a request with this head. The second value tells what was read of it.
pub(crate) fn limited(
    head: &Parts,
    body: Incoming,
    limit: u64,
) -> (WasiBody, Option<Arc<RequestBytes>>) {
    if body.is_end_stream() {
        return (
            http_body_util::Empty::new()
                .map_err(|never| match never {})
                .boxed_unsync(),
            None,
        );
    }
    let read = Arc::<RequestBytes>::default();
    (
        Limited {
            body: Some(body),
            limit,
            read: read.clone(),
            expects_continue: head.headers.contains_key(header::EXPECT),
        }
        .boxed_unsync(),
        Some(read),
    )
}

impl Body for Limited {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        let Some(body) = &mut self.body else {
            return Poll::Ready(None);
        };
        let frame = match ready!(Pin::new(body).poll_frame(cx)) {
            None => return Poll::Ready(None),
            Some(Err(error)) => return Poll::Ready(Some(Err(Error::Hyper(error)))),
            Some(Ok(frame)) => frame,
        };
        if let Some(data) = frame.data_ref() {
            let read = self
                .read
                .read
                .fetch_add(data.len() as u64, Ordering::Relaxed)
                + data.len() as u64;
            if read > self.limit {
                self.read.exceeded.store(true, Ordering::Relaxed);
                return Poll::Ready(Some(Err(Error::HttpRequestBodySize(Some(self.limit)))));
            }
        }
        Poll::Ready(Some(Ok(frame)))
    }

    fn is_end_stream(&self) -> bool {
        self.body.as_ref().is_none_or(Body::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        self.body
            .as_ref()
            .map_or_else(|| SizeHint::with_exact(0), Body::size_hint)
    }
}

impl Drop for Limited {
    fn drop(&mut self) {
        let Some(body) = self.body.take().filter(|body| !body.is_end_stream()) else {
            return;
        };
        let begun = !self.expects_continue || self.read.read() > 0;
        // Without a runtime the process is at its end.
        if let (true, Ok(runtime)) = (begun, Handle::try_current()) {
            runtime.spawn(tokio::time::timeout(LINGER.1, discard(body)));
        }
    }
}

async fn discard(mut body: Incoming) {
    let mut left = LINGER.0;
    while let Some(Ok(frame)) = body.frame().await {
        let length = frame.data_ref().map_or(0, Bytes::len) as u64;
        let Some(rest) = left.checked_sub(length) else {
            return;
        };
        left = rest;
    }
}

/// The body of an answer to a client: a component's, which is observed while it is sent, or the host's own.
pub(crate) enum ResponseBody {
    Component {
        body: WasiBody,
        server_request: ServerRequest,
    },
    Host {
        body: Full<Bytes>,
        _server_request: Option<ServerRequest>,
    },
}

impl Body for ResponseBody {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        match self.get_mut() {
            Self::Host { body, .. } => Pin::new(body)
                .poll_frame(cx)
                .map_err(|never| match never {}),
            Self::Component {
                body,
                server_request,
            } => {
                let mut frame = ready!(Pin::new(&mut *body).poll_frame(cx));
                if frame.is_none() {
                    frame = server_request.end_of_body().err().map(Err);
                }
                match &frame {
                    None => server_request.body_sent(),
                    Some(Err(error)) => server_request.body_failed(error),
                    Some(Ok(frame)) => {
                        server_request.sending(frame.data_ref().map_or(0, Bytes::len));
                        if body.is_end_stream() {
                            server_request.body_sent();
                        }
                    }
                }
                Poll::Ready(frame)
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Component {
                body,
                server_request,
            } => body.is_end_stream() && server_request.end_of_body().is_ok(),
            Self::Host { body, .. } => body.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Component { body, .. } => body.size_hint(),
            Self::Host { body, .. } => body.size_hint(),
        }
    }
}
