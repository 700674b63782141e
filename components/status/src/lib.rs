//! A simulated state that every replica shows alike: for monitors, alerts and canaries to find.

mod change;
mod fault;
mod get;
mod put;
mod reset;
mod state;

use spinfo_guest::App;

/// The routes of the component.
pub fn app() -> App {
    App::new("status", env!("CARGO_PKG_VERSION"))
        .get("/status", get::show)
        .put("/status", put::set)
        .delete("/status", reset::reset)
        .post("/status/change", change::advance)
}

spinfo_guest::export!(app);
