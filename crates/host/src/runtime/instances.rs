//! Instances of one component on one worker thread: when they are made, reused and given up.
//!
//! The loop itself is wasmtime's `ProxyHandler`; this file answers its questions.

use std::collections::VecDeque;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock, Weak};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use opentelemetry::trace::SpanContext;
use spinfo_names::values::TrapKind;
use tokio::sync::futures::OwnedNotified;
use tokio::time::Sleep;
use wasmtime::component::GuestTaskId;
use wasmtime::{PoolConcurrencyLimitError, Result, Store, StoreContextMut, Trap, UpdateDeadline};
use wasmtime_wasi_http::WasiHttpView as _;
use wasmtime_wasi_http::handler::{
    HandlerState, Instance, ProxyPre, ShouldAccept, WorkerExpiration, WorkerState, WorkerStatus,
};

use super::Transient;
use super::component::{Component, Kind};
use super::dispatcher::Dispatcher;
use super::guest::{Guest, MemoryLimit};
use super::lifecycle::{Stage, VersionLifecycle};
use super::network::Network;
use super::outbound::Outbound;
use crate::limits::Limits;
use crate::metrics::{ComponentMetrics, Metrics};

/// How long to wait before looking again for room in the pool.
const ROOM_INTERVAL: Duration = Duration::from_millis(5);

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
    /// With the whole message.
    Trapped {
        kind: TrapKind,
        message: String,
    },
}

/// Makes instances of one component for one worker thread.
pub(crate) struct InstanceFactory {
    pub(crate) component: Arc<Component>,
    pub(crate) pre: ProxyPre<Guest>,
    pub(crate) network: Network,
    /// The components of the same version on the same thread.
    pub(crate) dispatcher: Weak<Dispatcher>,
    pub(crate) lifecycle: Arc<VersionLifecycle>,
    pub(crate) limits: Arc<Limits>,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) measured: Arc<ComponentMetrics>,
    pub(crate) transient: Transient,
}

/// A store for one instance, with the limits that hold for all.
pub(super) fn new_store(
    component: &Arc<Component>,
    outbound: Outbound,
    limits: &Limits,
) -> Result<Store<Guest>> {
    let guest = Guest::new(component.clone(), outbound, limits.max_memory)?;
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
        Outbound {
            network: self.network.clone(),
            metrics: self.metrics.clone(),
            component: self.component.clone(),
            measured: self.measured.clone(),
            dispatcher: self.dispatcher.upgrade(),
            current: Arc::default(),
        }
    }
}

impl HandlerState for InstanceFactory {
    type StoreData = Guest;
    type WorkerExpiration = Expiration;
    type WorkerState = InstanceState;

    async fn instantiate(&self) -> Result<Instance<Guest, Expiration, InstanceState>> {
        let begun = Instant::now();
        // Without a reload there would be room.
        let may_wait =
            || self.transient.count() > 0 && begun.elapsed() < self.limits.max_queue_wait;
        let make = || async {
            let mut store = new_store(&self.component, self.outbound(), &self.limits)?;
            let proxy = self.pre.instantiate_async(&mut store).await?;
            Ok((store, proxy))
        };
        let (store, proxy) = with_room(make, may_wait).await?;
        self.metrics
            .instance_created(&self.measured, begun.elapsed());
        let timed_out = Arc::<AtomicBool>::default();
        Ok(Instance {
            store,
            proxy,
            view: |guest| guest.http(),
            expiration: Expiration {
                limits: self.limits.clone(),
                timed_out: timed_out.clone(),
                timer: None,
                change: Box::pin(self.lifecycle.change()),
                lifecycle: self.lifecycle.clone(),
            },
            state: InstanceState {
                component: self.component.clone(),
                limits: self.limits.clone(),
                timed_out,
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
    limits: Arc<Limits>,
    /// Set by its [`Expiration`].
    timed_out: Arc<AtomicBool>,
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
            Kind::Wasi03 => self.limits.max_instance_reuse_count,
        };
        if total >= max_reuse {
            ShouldAccept::Never
        } else if concurrent >= self.limits.max_instance_concurrent_reuse_count {
            ShouldAccept::No
        } else {
            ShouldAccept::Yes
        }
    }

    fn on_request_start(
        &self,
        mut store: StoreContextMut<'_, Guest>,
        request: RequestData,
        _task: GuestTaskId,
    ) -> Pin<Box<dyn Future<Output = ()> + 'static + Send + Sync>> {
        let guest = store.data_mut();
        guest.current.set(request.span, request.depth);
        guest.memory.refused = None;
        if self.served.fetch_add(1, Ordering::Relaxed) > 0 {
            self.metrics.instance_reused(&self.measured);
        }
        let mut requests = self
            .requests
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        if requests.len() >= self.limits.max_instance_concurrent_reuse_count {
            requests.pop_front();
        }
        requests.push_back(request.failure);
        Box::pin(tokio::time::sleep(self.limits.request_timeout))
    }

    fn drop(&self, store: Store<Guest>, result: Result<()>) {
        let guest = store.data();
        self.metrics
            .instance_dropped(&self.measured, guest.memory.high_water);
        let Err(error) = result else { return };
        let failure = if self.timed_out.load(Ordering::Relaxed) {
            Failure::TimedOut
        } else {
            classify(&error, Some(&guest.memory))
        };
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

/// Names what ended an instance with this memory.
pub(crate) fn classify(error: &wasmtime::Error, memory: Option<&MemoryLimit>) -> Failure {
    let refused = memory.and_then(|memory| Some((memory.max, memory.refused?)));
    let kind = match (error.downcast_ref::<Trap>(), refused) {
        // A program that is refused memory and has no use for what it has gives up, as on a panic.
        (Some(Trap::UnreachableCodeReached), Some((max, wanted))) => {
            return Failure::Trapped {
                kind: TrapKind::MemoryLimit,
                message: format!(
                    "it needed {wanted} bytes of memory, and --max-memory allows {max}: {error:#}"
                ),
            };
        }
        (Some(Trap::UnreachableCodeReached), None) => TrapKind::Unreachable,
        (Some(Trap::MemoryOutOfBounds), _) => TrapKind::MemoryOutOfBounds,
        (Some(Trap::StackOverflow), _) => TrapKind::StackOverflow,
        (Some(Trap::IntegerDivisionByZero), _) => TrapKind::DivisionByZero,
        (Some(_), _) => TrapKind::Other,
        (None, _) => TrapKind::HostError,
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
    limits: Arc<Limits>,
    timed_out: Arc<AtomicBool>,
    timer: Option<Pin<Box<Sleep>>>,
    lifecycle: Arc<VersionLifecycle>,
    change: Pin<Box<OwnedNotified>>,
}

impl Expiration {
    /// Whether an instance in this status is to go now. Else `cx` is woken when its version's stage changes.
    fn is_dismissed(&mut self, cx: &mut Context<'_>, status: WorkerStatus) -> bool {
        loop {
            match self.lifecycle.stage() {
                Stage::Over => return true,
                Stage::Retired if status == WorkerStatus::Idle => return true,
                _ => {}
            }
            if self.change.as_mut().poll(cx).is_pending() {
                return false;
            }
            self.change.set(self.lifecycle.change());
        }
    }

    /// Whether the deadline has passed. Else `cx` is woken when it does.
    fn is_past(&mut self, cx: &mut Context<'_>, deadline: Instant) -> bool {
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
                return true;
            }
            timer.as_mut().reset(deadline.into());
        }
        false
    }
}

impl WorkerExpiration for Expiration {
    fn poll(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        status: WorkerStatus,
        start: Instant,
    ) -> Poll<()> {
        let idle = status == WorkerStatus::Idle;
        let allowed = if idle {
            self.limits.idle_instance_timeout
        } else {
            self.limits.request_timeout
        };
        if !self.is_dismissed(cx, status) && !self.is_past(cx, start + allowed) {
            return Poll::Pending;
        }
        // wasmtime's own error for this has no type to tell it by.
        self.timed_out.store(!idle, Ordering::Relaxed);
        Poll::Ready(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_ended_an_instance_has_a_name_of_low_cardinality() {
        let end = |error: wasmtime::Error, refused| {
            let memory = MemoryLimit {
                max: 1000,
                high_water: 0,
                refused,
            };
            match classify(&error, Some(&memory)) {
                Failure::Trapped { kind, message } => (kind, message),
                Failure::TimedOut => panic!("only an expiration says so"),
            }
        };
        let kinds = [
            end(Trap::UnreachableCodeReached.into(), None).0,
            end(Trap::UnreachableCodeReached.into(), Some(2000)).0,
            end(Trap::MemoryOutOfBounds.into(), None).0,
            end(Trap::StackOverflow.into(), None).0,
            end(Trap::IntegerDivisionByZero.into(), None).0,
            end(Trap::BadSignature.into(), None).0,
            end(wasmtime::format_err!("no such table"), None).0,
        ];
        assert_eq!(kinds, TrapKind::ALL, "what is listed can happen");
        let (kind, message) = end(Trap::UnreachableCodeReached.into(), Some(2000));
        assert_eq!(kind, TrapKind::MemoryLimit);
        assert!(message.contains("--max-memory allows 1000"), "{message}");
        // What comes of an address that is wrong does not come of the memory that it did not get.
        assert_eq!(
            end(Trap::MemoryOutOfBounds.into(), Some(2000)).0,
            TrapKind::MemoryOutOfBounds
        );
    }
}
