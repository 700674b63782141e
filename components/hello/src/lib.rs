//! The greeting, for machines and browsers, and what runs here.

mod index;
mod info;
mod version;

use spinfo_guest::App;

/// The routes of the component.
pub fn app() -> App {
    App::new("hello", env!("CARGO_PKG_VERSION"))
        .get("/", index::show)
        .get("/api/info", info::show)
        .get("/version", version::show)
}

spinfo_guest::export!(app);
