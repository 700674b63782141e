//! A guest's stdout and stderr, turned into log lines that carry its component and the request's trace.

use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use opentelemetry::trace::TraceContextExt as _;
use tokio::io::AsyncWrite;
use wasmtime_wasi::cli::{IsTerminal, StdoutStream};

use super::guest::CurrentRequest;

/// A line longer than this is cut into pieces, so that a guest without newlines can't fill the host's memory.
const MAX_LINE: usize = 16 * 1024;

#[derive(Debug, Clone, Copy)]
pub(crate) enum Stream {
    Stdout,
    Stderr,
}

/// One of a guest's two output streams.
#[derive(Clone)]
pub(crate) struct GuestOutput {
    stream: Stream,
    component: Arc<str>,
    current: Arc<CurrentRequest>,
    lines: Arc<Mutex<Lines>>,
}

impl GuestOutput {
    pub(crate) fn new(stream: Stream, component: Arc<str>, current: Arc<CurrentRequest>) -> Self {
        Self {
            stream,
            component,
            current,
            lines: Arc::default(),
        }
    }

    fn write(&self, bytes: &[u8]) {
        let mut lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        lines.push(bytes, |line| self.emit(line));
    }

    fn emit(&self, line: &[u8]) {
        let text = String::from_utf8_lossy(line);
        let text = text.trim_end();
        if text.is_empty() {
            return;
        }
        let context =
            opentelemetry::Context::new().with_remote_span_context(self.current.span_context());
        let _attached = context.attach();
        match self.stream {
            Stream::Stdout => {
                tracing::info!(target: "guest", { wasm.component = &*self.component, stream = "stdout" }, "{text}")
            }
            Stream::Stderr => {
                tracing::warn!(target: "guest", { wasm.component = &*self.component, stream = "stderr" }, "{text}")
            }
        }
    }
}

impl Drop for GuestOutput {
    fn drop(&mut self) {
        if Arc::strong_count(&self.lines) == 1 {
            let lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
            self.emit(&lines.unfinished);
        }
    }
}

/// Cuts a stream of bytes into lines.
#[derive(Default)]
struct Lines {
    unfinished: Vec<u8>,
}

impl Lines {
    fn push(&mut self, mut bytes: &[u8], mut emit: impl FnMut(&[u8])) {
        while let Some(end) = bytes.iter().position(|&byte| byte == b'\n') {
            self.unfinished.extend_from_slice(&bytes[..end]);
            emit(&self.unfinished);
            self.unfinished.clear();
            bytes = &bytes[end + 1..];
        }
        self.unfinished.extend_from_slice(bytes);
        while self.unfinished.len() > MAX_LINE {
            emit(&self.unfinished[..MAX_LINE]);
            self.unfinished.drain(..MAX_LINE);
        }
    }
}

impl IsTerminal for GuestOutput {
    fn is_terminal(&self) -> bool {
        false
    }
}

impl StdoutStream for GuestOutput {
    fn async_stream(&self) -> Box<dyn AsyncWrite + Send + Sync> {
        Box::new(self.clone())
    }
}

impl AsyncWrite for GuestOutput {
    fn poll_write(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.write(bytes);
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_whole_however_they_arrive_and_bounded_when_they_do_not_end() {
        let mut lines = Lines::default();
        let mut seen = Vec::new();
        for piece in ["one\ntw", "o\n", "\nthr", "ee"] {
            lines.push(piece.as_bytes(), |line| seen.push(line.to_vec()));
        }
        assert_eq!(seen, [&b"one"[..], b"two", b""]);
        assert_eq!(lines.unfinished, b"three");

        let mut lengths = Vec::new();
        lines.push(&vec![b'x'; 2 * MAX_LINE], |line| lengths.push(line.len()));
        assert_eq!(lengths, [MAX_LINE, MAX_LINE]);
        assert_eq!(lines.unfinished.len(), 5);
    }
}
