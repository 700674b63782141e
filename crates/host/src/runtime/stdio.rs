//! A guest's stdout and stderr, turned into log lines that carry its component and the request's trace.

use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
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
    line: Arc<Mutex<Vec<u8>>>,
}

impl GuestOutput {
    pub(crate) fn new(stream: Stream, component: Arc<str>, current: Arc<CurrentRequest>) -> Self {
        Self {
            stream,
            component,
            current,
            line: Arc::default(),
        }
    }

    fn write(&self, mut bytes: &[u8]) {
        let mut line = self
            .line
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        while let Some(end) = bytes.iter().position(|&b| b == b'\n') {
            line.extend_from_slice(&bytes[..end]);
            self.emit(&line);
            line.clear();
            bytes = &bytes[end + 1..];
        }
        line.extend_from_slice(bytes);
        while line.len() > MAX_LINE {
            self.emit(&line[..MAX_LINE]);
            line.drain(..MAX_LINE);
        }
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
                tracing::info!(target: "guest", component = &*self.component, stream = "stdout", "{text}")
            }
            Stream::Stderr => {
                tracing::warn!(target: "guest", component = &*self.component, stream = "stderr", "{text}")
            }
        }
    }
}

impl Drop for GuestOutput {
    fn drop(&mut self) {
        if Arc::strong_count(&self.line) == 1 {
            let rest = std::mem::take(
                &mut *self
                    .line
                    .lock()
                    .unwrap_or_else(std::sync::PoisonError::into_inner),
            );
            self.emit(&rest);
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
