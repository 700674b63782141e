//! The time where the bytes pass: a stream that remembers when it was last read and first written.
//!
//! It lies directly on TCP, so that neither encryption nor the scheduling of tasks comes between a stamp and its system call.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// A stream that HTTP is spoken over: TCP, TLS, or either through a proxy.
pub(crate) trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<S: AsyncRead + AsyncWrite + Send + Unpin> Stream for S {}

/// No write since the last [`Stamps::arm`].
const NOT_YET: u64 = u64::MAX;

/// When a stream was last read and first written, in nanoseconds since `base`.
#[derive(Debug)]
pub(crate) struct Stamps {
    base: Instant,
    first_write: AtomicU64,
    last_read: AtomicU64,
}

impl Stamps {
    pub(crate) fn new() -> Self {
        Self {
            base: Instant::now(),
            first_write: AtomicU64::new(NOT_YET),
            last_read: AtomicU64::new(0),
        }
    }

    /// The next write is the first of a request.
    pub(crate) fn arm(&self) {
        self.first_write.store(NOT_YET, Ordering::Relaxed);
    }

    /// Just before the first write since [`Stamps::arm`].
    pub(crate) fn first_write(&self) -> Option<Instant> {
        let nanos = self.first_write.load(Ordering::Relaxed);
        (nanos != NOT_YET).then(|| self.base + Duration::from_nanos(nanos))
    }

    /// Just after the last read that brought bytes.
    pub(crate) fn last_read(&self) -> Instant {
        self.base + Duration::from_nanos(self.last_read.load(Ordering::Relaxed))
    }

    fn now(&self) -> u64 {
        u64::try_from(self.base.elapsed().as_nanos()).unwrap_or(NOT_YET - 1)
    }
}

/// A stream whose reads and writes are stamped.
pub(crate) struct Stamped<S> {
    stream: S,
    stamps: Arc<Stamps>,
}

impl<S> Stamped<S> {
    pub(crate) fn new(stream: S, stamps: Arc<Stamps>) -> Self {
        Self { stream, stamps }
    }

    fn stamp_write(&self, before: u64, written: &Poll<io::Result<usize>>) {
        if matches!(written, Poll::Ready(Ok(1..))) {
            // Fails when an earlier write has stamped already, as it should.
            let _ = self.stamps.first_write.compare_exchange(
                NOT_YET,
                before,
                Ordering::Relaxed,
                Ordering::Relaxed,
            );
        }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Stamped<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let filled = buf.filled().len();
        let polled = Pin::new(&mut self.stream).poll_read(cx, buf);
        if buf.filled().len() > filled {
            self.stamps
                .last_read
                .store(self.stamps.now(), Ordering::Relaxed);
        }
        polled
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Stamped<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        let before = self.stamps.now();
        let written = Pin::new(&mut self.stream).poll_write(cx, buf);
        self.stamp_write(before, &written);
        written
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let before = self.stamps.now();
        let written = Pin::new(&mut self.stream).poll_write_vectored(cx, bufs);
        self.stamp_write(before, &written);
        written
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
