//! The time, exact enough to check a clock against.

mod now;

use spinfo_guest::App;

/// The routes of the component.
pub fn app() -> App {
    App::new("now", env!("CARGO_PKG_VERSION")).get("/now", now::show)
}

spinfo_guest::export!(app);
