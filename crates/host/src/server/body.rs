//! Bodies of requests and responses, with the limits and guards around them.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use wasmtime_wasi_http::{Error, WasiBody};

/// A request body that ends with an error past a limit, and that counts what was read.
pub(crate) struct Limited {
    body: Incoming,
    limit: u64,
    read: Arc<RequestBytes>,
}

/// Bytes that a guest has read of a request's body.
#[derive(Debug, Default)]
pub(crate) struct RequestBytes {
    read: AtomicU64,
    /// One when the limit was passed.
    exceeded: AtomicU64,
}

impl RequestBytes {
    pub(crate) fn read(&self) -> u64 {
        self.read.load(Ordering::Relaxed)
    }

    pub(crate) fn exceeded(&self) -> bool {
        self.exceeded.load(Ordering::Relaxed) > 0
    }
}

/// Puts a limit of `limit` bytes on a body. The second value tells what was read of it.
pub(crate) fn limited(body: Incoming, limit: u64) -> (WasiBody, Option<Arc<RequestBytes>>) {
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
            body,
            limit,
            read: read.clone(),
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
        let frame = match ready!(Pin::new(&mut self.body).poll_frame(cx)) {
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
                self.read.exceeded.store(1, Ordering::Relaxed);
                return Poll::Ready(Some(Err(Error::HttpRequestBodySize(Some(self.limit)))));
            }
        }
        Poll::Ready(Some(Ok(frame)))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// The body of an answer to a client: a component's, which is observed while it is sent, or the host's own.
pub(crate) enum ResponseBody {
    Component {
        body: WasiBody,
        exchange: super::exchange::Exchange,
    },
    Host {
        body: Full<Bytes>,
        _exchange: Option<super::exchange::Exchange>,
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
            Self::Component { body, exchange } => {
                let frame = ready!(Pin::new(&mut *body).poll_frame(cx));
                match &frame {
                    None => exchange.body_sent(),
                    Some(Err(error)) => exchange.body_failed(error),
                    Some(Ok(frame)) => {
                        exchange.sending(frame.data_ref().map_or(0, Bytes::len));
                        if body.is_end_stream() {
                            exchange.body_sent();
                        }
                    }
                }
                Poll::Ready(frame)
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Component { body, .. } => body.is_end_stream(),
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
