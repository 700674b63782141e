//! The service as its users see it: the real host and the real components, over real sockets. By file:
//!
//! - [`contract`]: every row of the HTTP contract, here and on the real Spin
//! - [`parity`], [`manifests`]: what the real Spin was seen to do
//! - [`imports`], [`wasi02`]: what components may be
//! - [`panics`], [`bad_answers`], [`uploads`], [`stores`]: what must not be lost
//! - [`telemetry`]: traces, metrics and logs at a receiver
//! - [`lifecycle`], [`reload`], [`limits`], [`connections`], [`tls`]: the process and its bounds
//! - [`outside`]: the probe and the monitor
//! - [`building`], [`configuration`], [`outbound`]: what a manifest and flags give to a component

mod bad_answers;
mod building;
mod configuration;
mod connections;
mod contract;
mod imports;
mod lifecycle;
mod limits;
mod manifests;
mod outbound;
mod outside;
mod panics;
mod parity;
mod reload;
mod stores;
mod telemetry;
mod tls;
mod uploads;
mod wasi02;
