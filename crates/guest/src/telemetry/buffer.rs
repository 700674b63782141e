//! Where ended spans and log records wait for the next export: bounded, with a count of what found no place.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use opentelemetry::{Context, InstrumentationScope};
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::logs::{LogProcessor, SdkLogRecord};
use opentelemetry_sdk::trace::{Span, SpanData, SpanProcessor};

/// The default queue size of OpenTelemetry's batch processors; about 2 MiB of spans in the worst case, and at 50 ms
/// between exports enough for 40 000 spans a second from one instance.
pub(crate) const CAPACITY: usize = 2048;

/// A bounded buffer that is cheap to clone; the clones share the items.
#[derive(Debug)]
pub(crate) struct Buffer<T> {
    shared: Arc<Shared<T>>,
}

#[derive(Debug)]
struct Shared<T> {
    items: Mutex<Vec<T>>,
    dropped: AtomicU64,
}

impl<T> Clone for Buffer<T> {
    fn clone(&self) -> Self {
        Self {
            shared: Arc::clone(&self.shared),
        }
    }
}

impl<T> Default for Buffer<T> {
    fn default() -> Self {
        Self {
            shared: Arc::new(Shared {
                items: Mutex::new(Vec::new()),
                dropped: AtomicU64::new(0),
            }),
        }
    }
}

impl<T> Buffer<T> {
    pub(crate) fn push(&self, item: T) {
        let mut items = self
            .shared
            .items
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if items.len() < CAPACITY {
            items.push(item);
        } else {
            drop(items);
            self.count_dropped(1);
        }
    }

    /// Everything that waits, in order.
    pub(crate) fn take(&self) -> Vec<T> {
        std::mem::take(
            &mut *self
                .shared
                .items
                .lock()
                .unwrap_or_else(PoisonError::into_inner),
        )
    }

    pub(crate) fn count_dropped(&self, items: u64) {
        self.shared.dropped.fetch_add(items, Ordering::Relaxed);
    }

    /// The items lost since the last call.
    pub(crate) fn take_dropped(&self) -> u64 {
        self.shared.dropped.swap(0, Ordering::Relaxed)
    }
}

impl SpanProcessor for Buffer<SpanData> {
    fn on_start(&self, _span: &mut Span, _cx: &Context) {}

    fn on_end(&self, span: SpanData) {
        self.push(span);
    }

    fn force_flush(&self) -> OTelSdkResult {
        Ok(())
    }

    fn shutdown_with_timeout(&self, _timeout: Duration) -> OTelSdkResult {
        Ok(())
    }
}

pub(crate) type LogItem = (SdkLogRecord, InstrumentationScope);

impl LogProcessor for Buffer<LogItem> {
    fn emit(&self, record: &mut SdkLogRecord, scope: &InstrumentationScope) {
        self.push((record.clone(), scope.clone()));
    }

    fn force_flush(&self) -> OTelSdkResult {
        Ok(())
    }

    fn shutdown_with_timeout(&self, _timeout: Duration) -> OTelSdkResult {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_finds_no_place_is_counted_once() {
        let buffer = Buffer::default();
        for item in 0..CAPACITY + 3 {
            buffer.clone().push(item);
        }
        assert_eq!(buffer.take_dropped(), 3);
        assert_eq!(buffer.take_dropped(), 0);
        let items = buffer.take();
        assert_eq!((items.len(), items[0]), (CAPACITY, 0));
        assert!(buffer.take().is_empty());
    }
}
