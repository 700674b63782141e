//! The time, exact enough to check a clock against.

mod now;

use spinfo_guest::App;

/// The routes of the component.
pub fn app() -> App {
    App::new("now", env!("CARGO_PKG_VERSION")).get("/now", now::show)
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
