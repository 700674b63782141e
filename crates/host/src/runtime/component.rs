//! A component of the application, compiled and linked: what its instances share.

use std::collections::BTreeMap;
use std::sync::Arc;

use anyhow::{Context as _, bail};
use sha2::{Digest as _, Sha256};
use spinfo_manifest::{AllowedHosts, Component as Declared};
use wasmtime::Engine;
use wasmtime::component::{Component as Compiled, InstancePre, Linker};
use wasmtime_wasi_http::handler::ProxyPre;
use wasmtime_wasi_http::{p2, p3};

use super::files::Mounts;
use super::guest::Guest;
use crate::key_value::store::Store;
use crate::revision::{FileDigest, component_digest, hex};

/// A component that can be instantiated.
pub(crate) struct Component {
    pub(crate) id: Arc<str>,
    pub(crate) grants: Grants,
    /// Over its code and its files.
    pub(crate) digest: FileDigest,
    kind: Kind,
    pre: InstancePre<Guest>,
}

/// Which of the two interfaces for HTTP a component exports.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// `wasi:http/incoming-handler@0.2`
    Wasi02,
    /// `wasi:http/handler@0.3`
    Wasi03,
}

/// What a component may use, beside its code.
pub(crate) struct Grants {
    pub(crate) environment: Vec<(String, String)>,
    pub(crate) variables: BTreeMap<String, spinfo_manifest::Secret>,
    pub(crate) stores: BTreeMap<String, Arc<dyn Store>>,
    pub(crate) allowed_hosts: AllowedHosts,
    pub(crate) mounts: Mounts,
}

impl Component {
    /// Compiles a component, or takes it from the cache, and links it.
    ///
    /// # Errors
    /// Names the component when its file can't be read or has another digest, when it isn't a WebAssembly component
    /// that serves HTTP, or when it imports what this host does not offer.
    pub(crate) fn compile(
        linker: &Linker<Guest>,
        declared: &Declared,
        grants: Grants,
    ) -> anyhow::Result<Self> {
        let source = &declared.source;
        let context = || format!("component {:?}, source {}", declared.id, source.display());
        let wasm = std::fs::read(source).with_context(context)?;
        if let Some(expected) = &declared.digest {
            check_digest(&wasm, expected)
                .with_context(|| format!("component {:?}, key `digest`", declared.id))?;
        }
        let compiled = compile(linker.engine(), &wasm).with_context(context)?;
        let kind = kind(linker.engine(), &compiled).with_context(context)?;
        let pre = linker
            .instantiate_pre(&compiled)
            .map_err(anyhow::Error::from)
            .with_context(context)
            .context("an import that this host does not offer")?;
        let component = Self {
            id: declared.id.as_str().into(),
            digest: component_digest(&wasm, grants.mounts.files()).with_context(context)?,
            grants,
            kind,
            pre,
        };
        component.proxy_pre().with_context(context)?;
        Ok(component)
    }

    pub(crate) fn engine(&self) -> &Engine {
        self.pre.engine()
    }

    pub(crate) fn kind(&self) -> Kind {
        self.kind
    }

    /// The component's HTTP handler, ready to be instantiated.
    pub(crate) fn proxy_pre(&self) -> anyhow::Result<ProxyPre<Guest>> {
        let pre = self.pre.clone();
        Ok(match self.kind {
            Kind::Wasi02 => ProxyPre::P2(p2::bindings::ProxyPre::new(pre)?),
            Kind::Wasi03 => ProxyPre::P3(p3::bindings::ServicePre::new(pre)?),
        })
    }
}

fn compile(engine: &Engine, wasm: &[u8]) -> anyhow::Result<Compiled> {
    match wasm.get(..8) {
        Some(b"\0asm\x0d\0\x01\0") => {}
        Some(b"\0asm\x01\0\0\0") => bail!(
            "is a WebAssembly module, not a component; build it for the target wasm32-wasip2 or turn it into one with `wasm-tools component new`"
        ),
        _ => bail!("is not a WebAssembly component"),
    }
    Compiled::new(engine, wasm)
        .map_err(anyhow::Error::from)
        .context("cannot be compiled (its memory has to fit into --max-memory)")
}

fn kind(engine: &Engine, compiled: &Compiled) -> anyhow::Result<Kind> {
    let mut exports = Vec::new();
    for (name, _) in compiled.component_type().exports(engine) {
        if name.starts_with("wasi:http/handler@0.3") {
            return Ok(Kind::Wasi03);
        }
        if name.starts_with("wasi:http/incoming-handler@0.2") {
            return Ok(Kind::Wasi02);
        }
        exports.push(name.to_owned());
    }
    bail!(
        "exports neither wasi:http/handler@0.3 nor wasi:http/incoming-handler@0.2, so it cannot serve HTTP (it exports: {})",
        if exports.is_empty() {
            "nothing".to_owned()
        } else {
            exports.join(", ")
        }
    )
}

fn check_digest(wasm: &[u8], expected: &str) -> anyhow::Result<()> {
    let actual = hex(&Sha256::digest(wasm));
    if expected
        .strip_prefix("sha256:")
        .unwrap_or(expected)
        .eq_ignore_ascii_case(&actual)
    {
        Ok(())
    } else {
        bail!("the file's digest is sha256:{actual}, the manifest says {expected}")
    }
}
