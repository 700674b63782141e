//! Instances of one component on one worker thread: when they are made, reused and given up.
//!
//! The loop itself is wasmtime's `ProxyHandler`; this file answers its questions.

use std::collections::VecDeque;
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock, Weak};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use opentelemetry::trace::SpanContext;
use spinfo_names::values::TrapKind;
use tokio::sync::futures::OwnedNotified;
use tokio::time::Sleep;
use wasmtime::component::GuestTaskId;
use wasmtime::{PoolConcurrencyLimitError, Result, Store, StoreContextMut, UpdateDeadline};
use wasmtime_wasi_http::WasiHttpView as _;
use wasmtime_wasi_http::handler::{
    HandlerState, Instance, ProxyPre, ShouldAccept, WorkerExpiration, WorkerState, WorkerStatus,
};

use super::Passing;
use super::component::{Component, Kind};
use super::dispatcher::Dispatcher;
use super::guest::Guest;
use super::outbound::{Outbound, OutboundClient};
use super::tenure::{Stage, Tenure};
use crate::metrics::{ComponentMetrics, Metrics};

/// How long to wait before looking again for room in the pool.
const ROOM_INTERVAL: Duration = Duration::from_millis(5);

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
    /// How long an instance that finds no room during a reload waits for some.
    pub(crate) max_wait: Duration,
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
        kind: TrapKind,
        message: String,
    },
}

/// Makes instances of one component for one worker thread.
pub(crate) struct InstanceFactory {
    pub(crate) component: Arc<Component>,
    pub(crate) pre: ProxyPre<Guest>,
    pub(crate) outbound: OutboundClient,
    /// The components of the same version on the same thread.
    pub(crate) dispatcher: Weak<Dispatcher>,
    pub(crate) tenure: Arc<Tenure>,
    pub(crate) settings: Arc<InstanceSettings>,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) measured: Arc<ComponentMetrics>,
    pub(crate) passing: Passing,
}

/// A store for one instance, with the limits that hold for all.
pub(super) fn new_store(
    component: &Arc<Component>,
    outbound: Outbound,
    settings: &InstanceSettings,
) -> Result<Store<Guest>> {
    let guest = Guest::new(component.clone(), outbound, settings.max_memory)?;
    let mut store = Store::new(component.engine(), guest);
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
    Ok(store)
}

/// Makes an instance, and waits for one of another's place as long as `wait` says so.
pub(super) async fn with_room<T, F>(
    mut make: impl FnMut() -> F,
    wait: impl Fn() -> bool,
) -> Result<T>
where
    F: Future<Output = Result<T>>,
{
    loop {
        match make().await {
            Err(error) if error.is::<PoolConcurrencyLimitError>() && wait() => {
                tokio::time::sleep(ROOM_INTERVAL).await;
            }
            result => return result,
        }
    }
}

impl InstanceFactory {
    fn outbound(&self) -> Outbound {
        self.outbound.for_component(
            &self.component,
            self.measured.clone(),
            self.dispatcher.upgrade(),
        )
    }
}

impl HandlerState for InstanceFactory {
    type StoreData = Guest;
    type WorkerExpiration = Expiration;
    type WorkerState = InstanceState;

    async fn instantiate(&self) -> Result<Instance<Guest, Expiration, InstanceState>> {
        let begun = Instant::now();
        // Without a reload there would be room.
        let may_wait = || self.passing.count() > 0 && begun.elapsed() < self.settings.max_wait;
        let make = || async {
            let mut store = new_store(&self.component, self.outbound(), &self.settings)?;
            let proxy = self.pre.instantiate_async(&mut store).await?;
            Ok((store, proxy))
        };
        let (store, proxy) = with_room(make, may_wait).await?;
        self.metrics
            .instance_created(&self.measured, begun.elapsed());
        Ok(Instance {
            store,
            proxy,
            view: |guest| guest.http(),
            expiration: Expiration {
                settings: self.settings.clone(),
                timer: None,
                change: Box::pin(self.tenure.change()),
                tenure: self.tenure.clone(),
            },
            state: InstanceState {
                component: self.component.clone(),
                settings: self.settings.clone(),
                metrics: self.metrics.clone(),
                measured: self.measured.clone(),
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
    measured: Arc<ComponentMetrics>,
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
            self.metrics.instance_reused(&self.measured);
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
            .instance_dropped(&self.measured, guest.memory.high_water);
        let Err(error) = result else { return };
        let failure = classify(&error);
        if let Failure::Trapped { kind, message } = &failure {
            let span = guest.current.span_context();
            self.metrics.trapped(&self.measured, *kind, &span);
            let _attached = crate::trace::attach(span);
            tracing::error!(
                wasm.component = &*self.component.id,
                wasm.trap.kind = kind.as_str(),
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
        Some(Trap::UnreachableCodeReached) => TrapKind::Unreachable,
        Some(Trap::MemoryOutOfBounds) => TrapKind::MemoryOutOfBounds,
        Some(Trap::StackOverflow) => TrapKind::StackOverflow,
        Some(Trap::IntegerDivisionByZero) => TrapKind::DivisionByZero,
        Some(_) => TrapKind::Other,
        None if error.to_string().contains("guest timed out") => return Failure::TimedOut,
        None => TrapKind::HostError,
    };
    Failure::Trapped {
        kind,
        message: format!("{error:#}"),
    }
}

/// Ends an instance that idles, that is stuck, or whose version is no longer wanted.
///
/// wasmtime polls it from outside the guest, so a guest that only computes is ended too: it yields at each tick of
/// the engine's epoch.
pub(crate) struct Expiration {
    settings: Arc<InstanceSettings>,
    timer: Option<Pin<Box<Sleep>>>,
    tenure: Arc<Tenure>,
    change: Pin<Box<OwnedNotified>>,
}

impl Expiration {
    /// Whether an instance in this status is to go now. Else `cx` is woken when its version's stage changes.
    fn is_dismissed(&mut self, cx: &mut Context<'_>, status: WorkerStatus) -> bool {
        loop {
            match self.tenure.stage() {
                Stage::Over => return true,
                Stage::Retired if status == WorkerStatus::Idle => return true,
                _ => {}
            }
            if self.change.as_mut().poll(cx).is_pending() {
                return false;
            }
            self.change.set(self.tenure.change());
        }
    }
}

impl WorkerExpiration for Expiration {
    fn poll(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        status: WorkerStatus,
        start: Instant,
    ) -> Poll<()> {
        if self.is_dismissed(cx, status) {
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
            Failure::Trapped { kind, .. } => kind.as_str(),
            Failure::TimedOut => "timed out",
        };
        assert_eq!(kind(Trap::UnreachableCodeReached.into()), "unreachable");
        assert_eq!(kind(Trap::StackOverflow.into()), "stack_overflow");
        assert_eq!(kind(Trap::BadSignature.into()), "other");
        assert_eq!(kind(wasmtime::format_err!("no such table")), "host_error");
        assert_eq!(kind(wasmtime::format_err!("guest timed out")), "timed out");
    }
}
