//! The way out: bounded queues that any thread fills, and one background thread that empties them.
//!
//! The thread has a small runtime of its own, so that exports neither run on the caller's runtimes nor need one. Whatever it does
//! itself is kept out of telemetry: its own requests make no spans, and its log lines reach stderr only.

mod logs;
mod metrics;
mod queue;
mod report;
mod spans;

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::sync::mpsc;
use std::thread::JoinHandle;
use std::time::Duration;

use opentelemetry::Context;
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::SpanData;
use tokio::runtime::{Builder, Runtime};
use tokio::sync::watch;
use tokio::task;
use tokio::time::{Instant, timeout_at};

use crate::Error;
use crate::exporter::Exporter;
use crate::settings::Signal;

pub(crate) use logs::{LogSink, ScopedRecord};
pub(crate) use metrics::MetricPush;
pub(crate) use queue::{Losses, Queue};
pub(crate) use spans::SpanSink;

/// How much longer than its deadline a flush may take before the thread is left to itself.
const GRACE: Duration = Duration::from_millis(100);

/// What the background thread works on.
#[derive(Default)]
pub(crate) struct Work {
    pub(crate) spans: Option<(Exporter, Arc<Queue<SpanData>>)>,
    pub(crate) logs: Option<(Exporter, Arc<Queue<Box<ScopedRecord>>>)>,
    pub(crate) metrics: Option<MetricPush>,
}

impl Work {
    fn is_empty(&self) -> bool {
        self.spans.is_none() && self.logs.is_none() && self.metrics.is_none()
    }
}

/// The background thread. Dropping it ends the thread without a flush; [`flush_and_stop`](Self::flush_and_stop) is the good way.
pub(crate) struct Background {
    /// When to be done with flushing, once somebody asks for it.
    deadline: watch::Sender<Option<Instant>>,
    done: mpsc::Receiver<()>,
    thread: Option<JoinHandle<()>>,
}

impl Background {
    /// Starts the thread, or none when nothing is exported.
    ///
    /// # Errors
    ///
    /// [`Error::Thread`] when the system gives no thread or no event queue.
    pub(crate) fn start(work: Work, resource: &Resource) -> Result<Option<Self>, Error> {
        if work.is_empty() {
            return Ok(None);
        }
        let runtime = Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(Error::Thread)?;
        let (deadline, asked) = watch::channel(None);
        let (finished, done) = mpsc::sync_channel(1);
        let resource = resource.clone();
        let thread = std::thread::Builder::new()
            .name("telemetry".to_owned())
            .spawn(move || {
                run(runtime, work, &resource, asked);
                // Nobody listens any more when the flush took longer than its deadline.
                let _ = finished.send(());
            })
            .map_err(Error::Thread)?;
        Ok(Some(Self {
            deadline,
            done,
            thread: Some(thread),
        }))
    }

    /// Sends what waits, and ends the thread. Returns whether it ended in time; blocks the calling thread no longer than `limit` and a
    /// little.
    pub(crate) fn flush_and_stop(mut self, limit: Duration) -> bool {
        self.deadline.send_replace(Some(far(limit)));
        let in_time = self.done.recv_timeout(limit.saturating_add(GRACE)).is_ok();
        if in_time && let Some(thread) = self.thread.take() {
            // It has said that it is at its end; a panic in there has been reported by the panic hook.
            let _ = thread.join();
        }
        in_time
    }
}

/// A moment that may be too far away to be written down.
fn far(limit: Duration) -> Instant {
    const YEAR: Duration = Duration::from_secs(365 * 24 * 3600);
    Instant::now() + limit.min(YEAR)
}

fn run(
    runtime: Runtime,
    work: Work,
    resource: &Resource,
    mut asked: watch::Receiver<Option<Instant>>,
) {
    let _suppressed = Context::enter_telemetry_suppressed_scope();
    runtime.block_on(async {
        let mut jobs = Vec::new();
        if let Some((exporter, queue)) = work.spans {
            let encode = spans::encoder(resource);
            jobs.push(Job::spawn(|stop| {
                send_batches(Signal::Traces, exporter, queue, encode, stop)
            }));
        }
        if let Some((exporter, queue)) = work.logs {
            let encode = logs::encoder(resource);
            jobs.push(Job::spawn(|stop| {
                send_batches(Signal::Logs, exporter, queue, encode, stop)
            }));
        }
        // Last, so that the counts of what the others lost are in its final export.
        if let Some(push) = work.metrics {
            jobs.push(Job::spawn(|stop| push.run(stop)));
        }
        let deadline = match asked.wait_for(Option::is_some).await {
            Ok(deadline) => deadline.unwrap_or_else(Instant::now),
            Err(_) => return,
        };
        let mut left = u32::try_from(jobs.len()).unwrap_or(1);
        for job in jobs {
            // Each gets its share of the time that is left, so that a receiver of traces that hangs does not cost the logs.
            let now = Instant::now();
            let share = deadline.saturating_duration_since(now) / left;
            job.finish(now + share).await;
            left -= 1;
        }
    });
    // A look-up of a host name may hang in a thread of the runtime; do not wait for it.
    runtime.shutdown_background();
}

/// One signal's task and the flag that tells it to finish.
struct Job {
    stop: watch::Sender<bool>,
    task: task::JoinHandle<()>,
}

impl Job {
    fn spawn<F>(work: impl FnOnce(watch::Receiver<bool>) -> F) -> Self
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let (stop, stopped) = watch::channel(false);
        Self {
            stop,
            task: task::spawn(work(stopped)),
        }
    }

    async fn finish(mut self, deadline: Instant) {
        self.stop.send_replace(true);
        if timeout_at(deadline, &mut self.task).await.is_err() {
            self.task.abort();
        }
    }
}

/// Empties a queue into an exporter until it is told to stop and the queue is empty.
async fn send_batches<T>(
    signal: Signal,
    exporter: Exporter,
    queue: Arc<Queue<T>>,
    encode: impl Fn(Vec<T>) -> Vec<u8>,
    mut stop: watch::Receiver<bool>,
) {
    let mut report = report::Report::new(signal, exporter.receiver());
    let limit = queue.batch().export_timeout;
    while let Some(batch) = queue.next(&mut stop).await {
        let count = batch.len() as u64;
        match exporter.send(encode(batch), limit, &stop).await {
            Ok(rejected) if rejected.items == 0 => report.delivered(),
            Ok(rejected) => {
                queue
                    .losses()
                    .rejected
                    .fetch_add(rejected.items.min(count), Ordering::Relaxed);
                report.failed(&format!(
                    "the receiver refuses {} of {count}: {}",
                    rejected.items, rejected.message
                ));
            }
            Err(reason) => {
                queue
                    .losses()
                    .export_failed
                    .fetch_add(count, Ordering::Relaxed);
                report.failed(&reason);
            }
        }
    }
}
