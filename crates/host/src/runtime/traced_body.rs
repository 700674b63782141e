//! The body of a response that one component gives to another.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use wasmtime_wasi_http::{Error, WasiBody};

use super::dispatcher::Run;

/// A body that keeps the span of the component that sends it until it is done or given up.
pub(crate) struct TracedBody {
    body: WasiBody,
    run: Option<Run>,
}

impl TracedBody {
    pub(crate) fn new(body: WasiBody, run: Run) -> Self {
        Self {
            body,
            run: Some(run),
        }
    }
}

impl Body for TracedBody {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        let frame = ready!(Pin::new(&mut self.body).poll_frame(cx));
        if frame.is_some() {
            return Poll::Ready(frame);
        }
        let end = self.run.take().map_or(Ok(()), |run| run.end());
        Poll::Ready(end.err().map(Err))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream() && self.run.as_ref().is_none_or(|run| run.end().is_ok())
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
