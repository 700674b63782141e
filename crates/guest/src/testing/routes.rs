//! The component's routes as a host has them: in spin.toml.

use std::collections::BTreeSet;
use std::path::Path;

use spinfo_manifest::{Application, MANIFEST_FILE, Router};

use crate::app::App;

/// The router of a host that has a trigger for each route of `app` and for nothing else.
pub(crate) fn router(app: &App) -> Router {
    let mut manifest = "spin_manifest_version = 2\napplication = { name = 'test' }\n".to_owned();
    for route in app.routes.templates().collect::<BTreeSet<_>>() {
        manifest += &format!("[[trigger.http]]\nroute = '{route}'\ncomponent = 'test'\n");
    }
    manifest += "[component.test]\nsource = 'test.wasm'\n";
    let application = Application::parse(&manifest, Path::new(""), Path::new(MANIFEST_FILE));
    Router::new(&application.expect("the routes are Spin's too"))
}

/// Checks that spin.toml sends the component exactly the routes of its table: another it would answer 404, and one more would
/// never get a request.
///
/// # Panics
/// When they differ, or when spin.toml can't be read.
pub fn assert_routes_are_triggers(app: &App) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../spin.toml");
    let application = Application::load(&path).expect("spin.toml is valid");
    let router = Router::new(&application);
    let triggers = router.routes().iter();
    let triggers = triggers.filter(|route| route.component == app.name);
    assert_eq!(
        triggers
            .map(|route| route.template())
            .collect::<BTreeSet<_>>(),
        app.routes.templates().collect(),
        "the triggers of {} in spin.toml, and its routes",
        app.name
    );
}
