//! `spin.toml` and `runtime-config.toml` as a typed, validated application, by the rules of Spin 4.1.
//!
//! The crate reads files and nothing else: no sockets, no environment, no WebAssembly. Everything that can be wrong with an
//! application's configuration is found here, before a port is bound.
//!
//! - [`Application`]: the manifest, with its [`Component`]s, [`HttpTrigger`]s and [`Variable`]s
//! - [`Router`]: which component answers a path, and the `spin-*` headers it gets
//! - [`Template`]: `{{ name }}` in values
//! - [`Variables`]: where the values come from
//! - [`AllowedHosts`]: where a component may send requests
//! - [`RuntimeConfig`]: stores and variables providers of one machine
//! - [`Error`] and [`Warning`]
//!
//! Where Spin starts and this crate refuses, the error is [`Error::Unsupported`]: SQLite, AI models, other triggers than HTTP,
//! static responses, middleware, component dependencies, components from URLs and registries, the Wagi executor, and of
//! the runtime configuration what belongs to them. It is stricter in two more points: an unknown key in a table of the runtime
//! configuration is an error, and so is a variable's value that makes a pattern of `allowed_outbound_hosts` unusable. Where
//! Spin is lax, so is this crate, with a [`Warning`].

mod application;
mod component;
mod declaration;
mod document;
mod dotenv;
mod error;
mod files;
mod inline_table;
mod load;
mod name;
mod outbound;
mod provider;
mod route;
mod router;
mod runtime_config;
mod secret;
mod section;
mod template;
mod trigger;
mod v1;
mod variable_override;
mod variables;

pub use application::Application;
pub use component::{Build, Component};
pub use declaration::Variable;
pub use error::{Error, Place, Problem, Warning};
pub use files::{FileMount, Files};
pub use load::MANIFEST_FILE;
pub use name::is_variable_name;
pub use outbound::{AllowedHosts, CHAINING_SUFFIX, HostPattern};
pub use provider::{DEFAULT_DOTENV_FILE, DEFAULT_ENVIRONMENT_PREFIX, VariablesProvider};
pub use route::RoutePattern;
pub use router::{PublicRoute, RouteMatch, Router};
pub use runtime_config::{
    DEFAULT_STORE, DEFAULT_STORE_FILE, OutboundHttp, RuntimeConfig, StateDir, StoreConfig,
};
pub use secret::{Secret, Value};
pub use template::Template;
pub use trigger::{HttpTrigger, Route, WELL_KNOWN_PREFIX};
pub use variable_override::VariableOverride;
pub use variables::{VariableSources, Variables};
