//! What the host keeps for one instance of a component: the data of its store.

use std::sync::{Arc, Mutex};

use opentelemetry::trace::SpanContext;
use wasmtime::component::ResourceTable;
use wasmtime::{ResourceLimiter, Result};
use wasmtime_wasi::{WasiCtx, WasiCtxView, WasiView};
use wasmtime_wasi_http::{WasiHttpCtx, WasiHttpCtxView, WasiHttpView};

use super::component::Component;
use super::outbound::Outbound;
use super::stdio::{GuestOutput, Stream};

/// The data of one instance's store.
pub(crate) struct Guest {
    pub(crate) component: Arc<Component>,
    pub(crate) table: ResourceTable,
    pub(crate) memory: MemoryLimit,
    pub(crate) current: Arc<CurrentRequest>,
    pub(crate) open_stores: usize,
    wasi: WasiCtx,
    http: WasiHttpCtx,
    outbound: Outbound,
}

impl Guest {
    pub(crate) fn new(
        component: Arc<Component>,
        outbound: Outbound,
        max_memory: usize,
    ) -> Result<Self> {
        let current = outbound.current.clone();
        let mut wasi = WasiCtx::builder();
        wasi.stdout(GuestOutput::new(
            Stream::Stdout,
            component.id.clone(),
            current.clone(),
        ))
        .stderr(GuestOutput::new(
            Stream::Stderr,
            component.id.clone(),
            current.clone(),
        ))
        .envs(&component.grants.environment);
        component.grants.mounts.preopen(&mut wasi)?;
        Ok(Self {
            wasi: wasi.build(),
            http: WasiHttpCtx::new(),
            table: ResourceTable::new(),
            memory: MemoryLimit {
                max: max_memory,
                high_water: 0,
                refused: None,
            },
            current,
            open_stores: 0,
            outbound,
            component,
        })
    }
}

impl WasiView for Guest {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView {
            ctx: &mut self.wasi,
            table: &mut self.table,
        }
    }
}

impl WasiHttpView for Guest {
    fn http(&mut self) -> WasiHttpCtxView<'_> {
        WasiHttpCtxView {
            ctx: &mut self.http,
            table: &mut self.table,
            hooks: &mut self.outbound,
        }
    }
}

/// The request that an instance works on, shared with what reports on the guest's behalf.
///
/// With more than one request at a time in an instance it is the one that started last: WASI does not tell which
/// of them wrote a line.
#[derive(Debug)]
pub(crate) struct CurrentRequest(Mutex<(SpanContext, u8)>);

impl Default for CurrentRequest {
    fn default() -> Self {
        Self(Mutex::new((SpanContext::NONE, 0)))
    }
}

impl CurrentRequest {
    pub(crate) fn set(&self, span: SpanContext, depth: u8) {
        *self.lock() = (span, depth);
    }

    pub(crate) fn span_context(&self) -> SpanContext {
        self.lock().0.clone()
    }

    /// How many components called one another to get here.
    pub(crate) fn depth(&self) -> u8 {
        self.lock().1
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, (SpanContext, u8)> {
        self.0
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

/// Refuses growth of linear memory past a limit and remembers the most that was used.
#[derive(Debug)]
pub(crate) struct MemoryLimit {
    pub(super) max: usize,
    pub(super) high_water: usize,
    /// What the current request asked for and did not get.
    pub(super) refused: Option<usize>,
}

impl ResourceLimiter for MemoryLimit {
    fn memory_growing(
        &mut self,
        _current: usize,
        desired: usize,
        _maximum: Option<usize>,
    ) -> Result<bool> {
        if desired > self.max {
            self.refused = Some(desired);
            return Ok(false);
        }
        self.high_water = self.high_water.max(desired);
        Ok(true)
    }

    fn table_growing(
        &mut self,
        _current: usize,
        desired: usize,
        _maximum: Option<usize>,
    ) -> Result<bool> {
        Ok(desired <= MAX_TABLE_ELEMENTS)
    }
}

/// Elements of one table: function pointers, of which a large component has some ten thousand.
const MAX_TABLE_ELEMENTS: usize = 100_000;
