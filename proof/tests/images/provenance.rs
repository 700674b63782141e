//! The attestation that BuildKit adds to an image: SLSA provenance, as in-toto statement.

use std::env;
use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

use spinfo_tests::artifacts::workspace;

/// Where `proof/compose/images` leaves what stands in for the first stage of deploy/Dockerfile.
fn built() -> String {
    let target =
        env::var_os("CARGO_TARGET_DIR").map_or_else(|| workspace().join("target"), Into::into);
    let folder = target.join("images");
    assert!(
        folder.join("out/bin/spinfo").exists(),
        "{} holds no build; run proof/compose/images",
        folder.display()
    );
    folder.display().to_string()
}

pub(crate) fn names_the_image_and_what_went_into_it() {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let archive = folder.path().join("image.tar");
    let build = Command::new(workspace().join("proof/compose/buildkit"))
        .args(["spinfo", "ghcr.io/spinfo/spinfo:attested"])
        .arg(format!("build={}", built()))
        .env("BUILD_ATTESTATIONS", &archive)
        .output()
        .expect("the script can be run");
    assert!(
        build.status.success(),
        "{}",
        String::from_utf8_lossy(&build.stderr)
    );
    let unpack = Command::new("tar")
        .arg("-xf")
        .arg(&archive)
        .arg("-C")
        .arg(folder.path())
        .status();
    assert!(unpack.expect("tar can be run").success());

    let index = json(&folder.path().join("index.json"));
    let index = blob(folder.path(), &index["manifests"][0]);
    let manifests = index["manifests"].as_array().expect("manifests");
    let attestation = manifests
        .iter()
        .find(|manifest| {
            manifest["annotations"]["vnd.docker.reference.type"] == "attestation-manifest"
        })
        .unwrap_or_else(|| panic!("no attestation: {index}"));
    let image = &attestation["annotations"]["vnd.docker.reference.digest"];
    assert!(
        manifests
            .iter()
            .any(|manifest| manifest["digest"] == *image),
        "the attestation is about {image}, which isn't there"
    );
    let statement = blob(folder.path(), attestation);
    let statement = blob(folder.path(), &statement["layers"][0]);
    let kind = statement["predicateType"].as_str().unwrap_or_default();
    assert!(kind.starts_with("https://slsa.dev/provenance/"), "{kind}");
    let subject = format!(
        "sha256:{}",
        statement["subject"][0]["digest"]["sha256"]
            .as_str()
            .unwrap_or_default()
    );
    assert_eq!(*image, subject);
    assert!(
        statement.to_string().contains("FROM scratch AS spinfo")
            || statement["predicate"].to_string().contains("Dockerfile"),
        "the provenance does not say how it was built: {statement}"
    );
}

fn json(path: &Path) -> Value {
    let text = fs::read(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    serde_json::from_slice(&text).expect("JSON")
}

/// What a descriptor of the OCI layout points at.
fn blob(folder: &Path, descriptor: &Value) -> Value {
    let digest = descriptor["digest"].as_str().expect("a digest");
    json(&folder.join("blobs").join(digest.replace(':', "/")))
}
