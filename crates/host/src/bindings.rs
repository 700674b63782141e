//! Rust types for the interfaces in `wit/`.

wasmtime::component::bindgen!({
    path: "wit",
    world: "spinfo:host/imports",
    imports: { default: async | store | trappable },
    with: {
        "spin:key-value/key-value.store": crate::key_value::store::OpenStore,
    },
});
