//! WebAssembly: the engine, the linked components and their instances. Only this folder, `key_value` and
//! `variables` know wasmtime.

pub(crate) mod component;
pub(crate) mod engine;
pub(crate) mod files;
mod guest;
pub(crate) mod instances;
pub(crate) mod linker;
pub(crate) mod outbound;
mod stdio;

pub(crate) use guest::Guest;
