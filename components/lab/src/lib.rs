//! Diagnostics with podinfo's meaning: health, echo, delays and faults on demand, all bounded.

mod chunked;
mod delay;
mod echo;
mod headers;
mod healthz;
mod panic;
mod readyz;
mod seconds;
mod status;

use spinfo_guest::App;

/// The routes of the component.
pub fn app() -> App {
    App::new("lab", env!("CARGO_PKG_VERSION"))
        .get("/healthz", healthz::show)
        .get("/readyz", readyz::show)
        .post("/readyz/enable", readyz::enable)
        .post("/readyz/disable", readyz::disable)
        .get("/headers", headers::show)
        .post("/headers", headers::show)
        .post("/echo", echo::repeat)
        .get("/delay/:seconds", delay::wait)
        .get("/status/:code", status::show)
        .post("/status/:code", status::show)
        .put("/status/:code", status::show)
        .get("/chunked/:seconds", chunked::show)
        .get("/panic", panic::trap)
}

spinfo_guest::export!(app);
