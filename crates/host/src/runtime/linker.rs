//! What components may import.

use anyhow::Context as _;
use wasmtime::Engine;
use wasmtime::component::Linker;

use super::guest::Guest;
use crate::bindings;
use crate::{key_value, variables};

/// A linker with WASI 0.2 and 0.3, `spin:key-value@3.0.0` and `spin:variables@3.0.0`.
pub(crate) fn new_linker(engine: &Engine) -> anyhow::Result<Linker<Guest>> {
    let mut linker = Linker::new(engine);
    add_all(&mut linker)
        .map_err(anyhow::Error::from)
        .context("cannot set up the host's interfaces")?;
    Ok(linker)
}

fn add_all(linker: &mut Linker<Guest>) -> wasmtime::Result<()> {
    wasmtime_wasi::p2::add_to_linker_async(linker)?;
    wasmtime_wasi::p3::add_to_linker(linker)?;
    wasmtime_wasi_http::p2::add_only_http_to_linker_async(linker)?;
    wasmtime_wasi_http::p3::add_to_linker(linker)?;
    bindings::spin::key_value::key_value::add_to_linker::<_, key_value::KeyValue>(
        linker,
        |guest| guest,
    )?;
    bindings::spin::variables::variables::add_to_linker::<_, variables::Variables>(
        linker,
        |guest| guest,
    )?;
    Ok(())
}
