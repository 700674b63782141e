//! The component's part of spin.toml.

use std::path::Path;

use crate::app::App;

/// Checks that spin.toml sends the component exactly the routes of its table, in the same order and spelling: the
/// template is what telemetry shows as `http.route`.
///
/// # Panics
/// When they differ, or when spin.toml can't be read.
pub fn assert_routes_are_triggers(app: &App) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../spin.toml");
    let text = std::fs::read_to_string(&path).expect("spin.toml is readable");
    let manifest: toml::Table = text.parse().expect("spin.toml is TOML");
    let triggers = manifest["trigger"]["http"]
        .as_array()
        .expect("spin.toml has [[trigger.http]]");
    let routes: Vec<_> = triggers
        .iter()
        .filter(|trigger| trigger["component"].as_str() == Some(app.name()))
        .filter_map(|trigger| trigger["route"].as_str())
        .collect();
    assert_eq!(
        routes,
        app.templates(),
        "the triggers of {} in spin.toml",
        app.name()
    );
}
