//! The wasmtime engine: pooling allocator, compile cache, and the clock that interrupts guests.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use anyhow::Context as _;
use wasmtime::{
    Cache, CacheConfig, Config, Engine, InstanceAllocationStrategy, PoolingAllocationConfig,
};

use crate::limits::Limits;

/// A guest yields to its neighbours on the same thread at every tick, so a busy loop delays others by this at most.
/// Shorter ticks cost throughput: each one makes every running guest return to the host.
const EPOCH_TICK: Duration = Duration::from_millis(10);

/// Core instances of one component: the program and the shims that adapt it to the component model.
const CORE_INSTANCES_PER_COMPONENT: u32 = 20;

/// Virtual memory that the pool reserves for one linear memory. With 4 GiB and a guard region behind it no access
/// needs an explicit bounds check; none of it is resident until touched.
const LINEAR_MEMORY_RESERVATION: u64 = 4 << 30;

/// Makes the engine that all components share, and its compile cache if there is a folder for one.
///
/// Falls back to allocating on demand, with a warning, where the address space that the pool reserves is refused
/// (`ulimit -v`, some containers).
pub(crate) fn new_engine(
    limits: &Limits,
    cache_dir: Option<&Path>,
) -> anyhow::Result<(Engine, Option<Cache>)> {
    let cache = cache_dir.and_then(open_cache);
    let pooled = configure(limits, cache.clone(), true);
    let engine = match Engine::new(&pooled) {
        Ok(engine) => engine,
        Err(error) => {
            tracing::warn!(
                error = format!("{error:#}"),
                "no address space for the instance pool; instances are allocated on demand"
            );
            Engine::new(&configure(limits, cache.clone(), false))
                .map_err(anyhow::Error::from)
                .context("cannot make a WebAssembly engine on this machine")?
        }
    };
    Ok((engine, cache))
}

fn configure(limits: &Limits, cache: Option<Cache>, pooled: bool) -> Config {
    let mut config = Config::new();
    config
        .wasm_component_model(true)
        .wasm_component_model_async(true)
        .epoch_interruption(true)
        .cache(cache);
    if pooled {
        let instances = limits.max_instances;
        let mut pool = PoolingAllocationConfig::new();
        pool.total_component_instances(instances)
            .total_core_instances(instances.saturating_mul(CORE_INSTANCES_PER_COMPONENT))
            .max_core_instances_per_component(CORE_INSTANCES_PER_COMPONENT)
            .total_memories(instances)
            .total_tables(instances.saturating_mul(4))
            .max_tables_per_component(CORE_INSTANCES_PER_COMPONENT)
            .total_stacks(instances.saturating_mul(2))
            .max_memory_size(limits.max_memory);
        config
            .memory_reservation(LINEAR_MEMORY_RESERVATION)
            .allocation_strategy(InstanceAllocationStrategy::Pooling(pool));
    }
    config
}

/// The cache cleans up after itself: from time to time it deletes all that it doesn't know in its folder. So the folder is
/// one that nobody else uses, below the one that the operator named.
const COMPILED: &str = "compiled";

/// Of zstd: its default.
const COMPRESSION: i32 = 3;

/// A cache that can't be opened only costs time, so it is not an error.
fn open_cache(dir: &Path) -> Option<Cache> {
    let dir = dir.join(COMPILED);
    let mut config = CacheConfig::new();
    config.with_directory(&dir);
    // What is used often would be compressed again, as tightly as can be. That takes 180 MB of memory, once and at any time,
    // for files that are small as they are.
    config.with_optimized_compression_level(COMPRESSION);
    config.with_baseline_compression_level(COMPRESSION);
    Cache::new(config)
        .inspect_err(|error| {
            tracing::warn!(directory = %dir.display(), error = format!("{error:#}"), "components are compiled at every start: no compile cache");
        })
        .ok()
}

/// Advances the engine's epoch until it is dropped.
pub(crate) struct EpochClock {
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl EpochClock {
    pub(crate) fn start(engine: &Engine) -> anyhow::Result<Self> {
        let stop = Arc::new(AtomicBool::new(false));
        let engine = engine.weak();
        let thread = std::thread::Builder::new()
            .name("epoch".into())
            .spawn({
                let stop = stop.clone();
                move || {
                    while !stop.load(Ordering::Relaxed) {
                        std::thread::park_timeout(EPOCH_TICK);
                        let Some(engine) = engine.upgrade() else {
                            return;
                        };
                        engine.increment_epoch();
                    }
                }
            })
            .context("cannot start the thread that interrupts guests")?;
        Ok(Self {
            stop,
            thread: Some(thread),
        })
    }
}

impl Drop for EpochClock {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            thread.thread().unpark();
            // The thread cannot panic and a join error would have nobody to tell.
            let _ = thread.join();
        }
    }
}
