//! The images that deploy/Dockerfile makes, as `proof/compose/images` has loaded them into the engine.
//!
//! Where that script does nothing, because the registry answers, `docker compose build` makes them.

mod contents;
mod docker;
mod provenance;
mod running;

use docker::Image;

const NEEDS: &str =
    "needs a Docker engine and the images; see proof/compose/engine and proof/compose/images";

#[test]
#[ignore = "needs a Docker engine and the images; see proof/compose/engine and proof/compose/images"]
fn images_hold_static_programs_and_no_system() {
    contents::are(
        &Image::of("spinfo"),
        &["spinfo", "spinfo-probe"],
        &[
            "app/spin.toml",
            "app/target/",
            "var/cache/",
            "var/lib/",
            "tmp/",
        ],
    );
    contents::are(
        &Image::of("spinfo-monitor"),
        &["spinfo-monitor", "spinfo-probe"],
        &[],
    );
}

#[test]
#[ignore = "needs a Docker engine and the images; see proof/compose/engine and proof/compose/images"]
fn images_say_what_they_are() {
    for (name, user) in [
        ("spinfo", "65532:65532"),
        ("spinfo-monitor", "65532:65532"),
        // Caddy's own image has none; compose.yaml takes its rights away.
        ("edge", ""),
    ] {
        let image = Image::of(name);
        image.has_labels();
        image.is_run_by(user);
        image.asks_the_probe_for_its_health();
    }
}

#[test]
#[ignore = "needs a Docker engine and the images; see proof/compose/engine and proof/compose/images"]
fn the_service_runs_confined_and_the_monitor_sees_it() {
    running::confined();
}

#[test]
#[ignore = "needs BuildKit and a build; see proof/backends/install and proof/compose/images"]
fn a_build_leaves_its_provenance() {
    provenance::names_the_image_and_what_went_into_it();
}
