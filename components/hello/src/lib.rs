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

#[cfg(target_family = "wasm")]
spinfo_guest::export!(app);

#[cfg(test)]
mod tests {
    use spinfo_guest::testing::assert_routes_are_triggers;

    #[test]
    fn the_routes_are_the_triggers_of_the_manifest() {
        assert_routes_are_triggers(&super::app());
    }
}
