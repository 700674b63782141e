//! Instances of one component on one worker thread: when they are made, reused and given up.
//!
//! The loop itself is wasmtime's `ProxyHandler`; this file answers its questions.

use std::collections::VecDeque;
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use opentelemetry::trace::SpanContext;
use tokio::time::Sleep;
use wasmtime::component::GuestTaskId;
use wasmtime::{Result, Store, StoreContextMut, UpdateDeadline};
use wasmtime_wasi_http::WasiHttpView as _;
use wasmtime_wasi_http::handler::{
    HandlerState, Instance, ProxyPre, ShouldAccept, WorkerExpiration, WorkerState, WorkerStatus,
};

use super::component::{Component, Kind};
use super::guest::Guest;
use super::outbound::OutboundClient;
use crate::lifecycle::{Lifecycle, Phase};
use crate::metrics::Metrics;

/// How long instances live and what they may take on. The first two default to Spin's values.
#[derive(Debug, Clone)]
pub(crate) struct InstanceSettings {
    /// Requests that one instance serves before a fresh one takes its place.
    pub(crate) max_reuse: usize,
    /// Requests that one instance works on at the same time. Spin's default is 16; ours is 1, so that a trap costs
    /// the request that caused it and no other.
    pub(crate) max_concurrent_reuse: usize,
    /// How long an instance without work is kept for the next request.
    pub(crate) idle_timeout: Duration,
    /// How long a guest may take to begin its answer, computing or waiting, and as long again to finish it.
    pub(crate) request_timeout: Duration,
    /// Bytes of linear memory that one instance may grow to.
    pub(crate) max_memory: usize,
}

/// What the server tells an instance about a request, and what it wants to hear back.
pub(crate) struct RequestData {
    /// The host's span that the guest's spans are children of.
    pub(crate) span: SpanContext,
    /// How many components called one another to get here.
    pub(crate) depth: u8,
    /// Why the instance that had this request ended, if it did.
    pub(crate) failure: Arc<OnceLock<Failure>>,
}

/// Why an instance ended before its time.
#[derive(Debug, Clone)]
pub(crate) enum Failure {
    TimedOut,
    /// The trap's name and the whole message.
    Trapped {
        kind: &'static str,
        message: String,
    },
}

/// Makes instances of one component for one worker thread.
pub(crate) struct InstanceFactory {
    pub(crate) component: Arc<Component>,
    pub(crate) pre: ProxyPre<Guest>,
    pub(crate) outbound: OutboundClient,
    pub(crate) settings: Arc<InstanceSettings>,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) lifecycle: Lifecycle,
}

impl HandlerState for InstanceFactory {
    type StoreData = Guest;
    type WorkerExpiration = Expiration;
    type WorkerState = InstanceState;

    async fn instantiate(&self) -> Result<Instance<Guest, Expiration, InstanceState>> {
        let begun = Instant::now();
        let guest = Guest::new(
            self.component.clone(),
            self.outbound.for_component(&self.component),
            self.settings.max_memory,
        )?;
        let mut store = Store::new(self.component.engine(), guest);
        store.limiter(|guest| &mut guest.memory);
        store.set_epoch_deadline(1);
        // tokio's own way to yield lets the runtime look for new events before the guest goes on. wasmtime's does not: beside
        // a guest that only computes, a worker would look at its sockets once in 61 turns.
        store.epoch_deadline_callback(|_| {
            Ok(UpdateDeadline::YieldCustom(
                1,
                Box::pin(tokio::task::yield_now()),
            ))
        });
        let proxy = self.pre.instantiate_async(&mut store).await?;
        self.metrics
            .instance_created(&self.component.id, begun.elapsed());
        Ok(Instance {
            store,
            proxy,
            view: |guest| guest.http(),
            expiration: Expiration {
                settings: self.settings.clone(),
                timer: None,
                draining: Box::pin(self.lifecycle.reached(Phase::Draining)),
            },
            state: InstanceState {
                component: self.component.clone(),
                settings: self.settings.clone(),
                metrics: self.metrics.clone(),
                requests: Mutex::default(),
                served: AtomicUsize::new(0),
            },
        })
    }
}

/// One instance's bookkeeping.
pub(crate) struct InstanceState {
    component: Arc<Component>,
    settings: Arc<InstanceSettings>,
    metrics: Arc<Metrics>,
    /// Where to report why the instance ended: its latest requests, as many as may be under way at once.
    requests: Mutex<VecDeque<Arc<OnceLock<Failure>>>>,
    served: AtomicUsize,
}

impl WorkerState for InstanceState {
    type StoreData = Guest;
    type RequestData = RequestData;

    fn should_accept_request(&self, concurrent: usize, total: usize) -> ShouldAccept {
        // A WASI 0.2 component may rely on an instance of its own for every request, which Spin gives it too.
        let max_reuse = match self.component.kind() {
            Kind::Wasi02 => 1,
            Kind::Wasi03 => self.settings.max_reuse,
        };
        if total >= max_reuse {
            ShouldAccept::Never
        } else if concurrent >= self.settings.max_concurrent_reuse {
            ShouldAccept::No
        } else {
            ShouldAccept::Yes
        }
    }

    fn on_request_start(
        &self,
        store: StoreContextMut<'_, Guest>,
        request: RequestData,
        _task: GuestTaskId,
    ) -> Pin<Box<dyn Future<Output = ()> + 'static + Send + Sync>> {
        store.data().current.set(request.span, request.depth);
        if self.served.fetch_add(1, Ordering::Relaxed) > 0 {
            self.metrics.instance_reused(&self.component.id);
        }
        let mut requests = self
            .requests
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        if requests.len() >= self.settings.max_concurrent_reuse {
            requests.pop_front();
        }
        requests.push_back(request.failure);
        Box::pin(tokio::time::sleep(self.settings.request_timeout))
    }

    fn drop(&self, store: Store<Guest>, result: Result<()>) {
        let guest = store.data();
        self.metrics
            .instance_dropped(&self.component.id, guest.memory.high_water);
        let Err(error) = result else { return };
        let failure = classify(&error);
        if let Failure::Trapped { kind, message } = &failure {
            let span = guest.current.span_context();
            self.metrics.trapped(&self.component.id, kind, &span);
            let _attached = crate::trace::attach(span);
            tracing::error!(
                wasm.component = &*self.component.id,
                wasm.trap.kind = kind,
                "the component trapped: {message}"
            );
        }
        let requests = self
            .requests
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        for slot in requests.iter() {
            // A slot that is already filled belongs to a request that has been answered.
            let _ = slot.set(failure.clone());
        }
    }
}

/// Names what ended an instance.
pub(crate) fn classify(error: &wasmtime::Error) -> Failure {
    use wasmtime::Trap;
    let kind = match error.downcast_ref::<Trap>() {
        Some(Trap::UnreachableCodeReached) => "unreachable",
        Some(Trap::MemoryOutOfBounds) => "memory_out_of_bounds",
        Some(Trap::StackOverflow) => "stack_overflow",
        Some(Trap::IntegerDivisionByZero) => "division_by_zero",
        Some(Trap::OutOfFuel | Trap::Interrupt) => "interrupt",
        Some(_) => "other",
        None if error.to_string().contains("guest timed out") => return Failure::TimedOut,
        None => "host_error",
    };
    Failure::Trapped {
        kind,
        message: format!("{error:#}"),
    }
}

/// Ends an instance that idles or that is stuck.
///
/// wasmtime polls it from outside the guest, so a guest that only computes is ended too: it yields at each tick of
/// the engine's epoch.
pub(crate) struct Expiration {
    settings: Arc<InstanceSettings>,
    timer: Option<Pin<Box<Sleep>>>,
    /// A stop does not wait for instances that have nothing to do.
    draining: Pin<Box<dyn Future<Output = ()> + Send + Sync>>,
}

impl WorkerExpiration for Expiration {
    fn poll(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        status: WorkerStatus,
        start: Instant,
    ) -> Poll<()> {
        if status == WorkerStatus::Idle && self.draining.as_mut().poll(cx).is_ready() {
            return Poll::Ready(());
        }
        let allowed = match status {
            WorkerStatus::Idle => self.settings.idle_timeout,
            WorkerStatus::Requests | WorkerStatus::PostReturn => self.settings.request_timeout,
        };
        let deadline = start + allowed;
        // A timer that rings early asks again, one that rings late would keep an instance too long: so a deadline that
        // moved further away, as it does with each request, costs nothing here.
        let timer = self
            .timer
            .get_or_insert_with(|| Box::pin(tokio::time::sleep_until(deadline.into())));
        if timer.deadline() > deadline.into() {
            timer.as_mut().reset(deadline.into());
        }
        while timer.as_mut().poll(cx).is_ready() {
            if Instant::now() >= deadline {
                return Poll::Ready(());
            }
            timer.as_mut().reset(deadline.into());
        }
        Poll::Pending
    }
}

#[cfg(test)]
mod tests {
    use wasmtime::Trap;

    use super::*;

    #[test]
    fn what_ended_an_instance_has_a_name_of_low_cardinality() {
        let kind = |error: wasmtime::Error| match classify(&error) {
            Failure::Trapped { kind, .. } => kind,
            Failure::TimedOut => "timed out",
        };
        assert_eq!(kind(Trap::UnreachableCodeReached.into()), "unreachable");
        assert_eq!(kind(Trap::StackOverflow.into()), "stack_overflow");
        assert_eq!(kind(Trap::BadSignature.into()), "other");
        assert_eq!(kind(wasmtime::format_err!("no such table")), "host_error");
        assert_eq!(kind(wasmtime::format_err!("guest timed out")), "timed out");
    }
}
