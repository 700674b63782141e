//! kube-score, which knows what manifests that every API server takes may still do wrong.

use std::io::Write as _;
use std::process::{Command, Output, Stdio};

use crate::manifests::Manifests;
use crate::programs;

/// Tags are never moved, so a node needn't ask the registry at every start.
const EVERYWHERE: &[&str] = &["container-image-pull-policy"];
/// kube-score doesn't know that the operator makes pods of a SpinApp; [`crate::wiring`] does.
const SPINKUBE: &[&str] = &[
    "networkpolicy-targets-pod",
    "horizontalpodautoscaler-has-target",
];

/// Nothing critical is found.
pub(crate) fn has_nothing_against(manifests: &Manifests) {
    let more: &[_] = if manifests.overlay == "spinkube" {
        SPINKUBE
    } else {
        &[]
    };
    let ignored: Vec<_> = EVERYWHERE.iter().chain(more).copied().collect();
    let output = score(&manifests.text, &ignored);
    assert!(
        output.status.success(),
        "{}: {}",
        manifests.overlay,
        programs::said(&output)
    );
}

/// The judge finds what is wrong on purpose: a root that can be written to.
pub(crate) fn finds_what_is_wrong(manifests: &Manifests) {
    let hardened = "readOnlyRootFilesystem: true";
    assert!(manifests.text.contains(hardened));
    let text = manifests
        .text
        .replace(hardened, "readOnlyRootFilesystem: false");
    let output = score(&text, EVERYWHERE);
    let said = programs::said(&output);
    assert!(
        !output.status.success() && said.contains("writable root"),
        "{said}"
    );
}

fn score(manifests: &str, ignored: &[&str]) -> Output {
    let mut command = Command::new(programs::program("kube-score"));
    command.args([
        "score",
        "--kubernetes-version",
        "v1.36",
        "--color",
        "never",
        "-o",
        "ci",
    ]);
    for test in ignored {
        command.args(["--ignore-test", test]);
    }
    let mut child = command
        .arg("-")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("kube-score can be run");
    let mut stdin = child.stdin.take().expect("it is piped");
    stdin
        .write_all(manifests.as_bytes())
        .expect("kube-score reads");
    drop(stdin);
    child.wait_with_output().expect("kube-score ends")
}
