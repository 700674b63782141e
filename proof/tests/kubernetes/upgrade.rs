//! An upgrade, its way back, and a node that is emptied: never with fewer replicas than there should be.

use std::process::Stdio;

use crate::kubectl::{Kubectl, until};
use crate::manifests::{Manifests, container, text};
use crate::programs;
use crate::running::{ready, replicas};

/// A version that there will never be.
const NEXT: &str = "ghcr.io/spinfo/spinfo:0.1.0-test";

/// A new image comes one by one and goes as it came, as README.md says.
pub(crate) fn replicas_are_replaced_one_by_one(kubectl: &Kubectl, manifests: &Manifests) {
    let namespace = manifests.namespace();
    let before = text(container(manifests.get("Deployment", "spinfo")), "/image");
    let upgraded = manifests
        .text
        .replace(&format!("image: {before}\n"), &format!("image: {NEXT}\n"));
    assert!(upgraded != manifests.text, "{before} isn't there");
    kubectl.apply(&upgraded);
    roll(kubectl, namespace, NEXT);
    let back = [
        "rollout",
        "undo",
        "deployment/spinfo",
        "--namespace",
        namespace,
    ];
    kubectl.text(&back);
    roll(kubectl, namespace, before);
    // What went back at once goes back in the manifests too, and the next upgrade is like the first.
    for (manifests, image) in [
        (&manifests.text, before),
        (&upgraded, NEXT),
        (&manifests.text, before),
    ] {
        kubectl.apply(manifests);
        roll(kubectl, namespace, image);
    }
}

/// The budget lets a node be emptied, replica by replica, and the others go on.
pub(crate) fn a_node_can_be_emptied(kubectl: &Kubectl, namespace: &str) {
    let mut drain = kubectl
        .command(["drain", "a", "--delete-emptydir-data", "--timeout=180s"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("kubectl can be run");
    let least = kubectl.json(&["get", "pdb", "spinfo", "--namespace", namespace]);
    let least = least["status"]["desiredHealthy"]
        .as_u64()
        .expect("it is counted");
    while drain
        .try_wait()
        .expect("kubectl can be waited for")
        .is_none()
    {
        let now = ready(kubectl, namespace);
        assert!(now >= least, "{now} replicas are fewer than {least}");
    }
    let output = drain.wait_with_output().expect("kubectl has ended");
    assert!(output.status.success(), "{}", programs::said(&output));
    until("replicas elsewhere", || {
        let now = ready(kubectl, namespace);
        (now > least).then_some(()).ok_or_else(|| now.to_string())
    });
    kubectl.text(&["uncordon", "a"]);
}

/// Waits until all replicas are of an image, and watches that there are always enough.
fn roll(kubectl: &Kubectl, namespace: &str, image: &str) {
    let least = kubectl.json(&["get", "deployment", "spinfo", "--namespace", namespace]);
    let least = least["spec"]["replicas"]
        .as_u64()
        .expect("the autoscaler set it");
    until(image, || {
        let now = ready(kubectl, namespace);
        assert!(now >= least, "{now} replicas are fewer than {least}");
        let pods = replicas(kubectl, namespace);
        let images: Vec<_> = pods
            .iter()
            .map(|pod| text(pod, "/spec/containers/0/image"))
            .collect();
        let done = pods.len() as u64 == least && images.iter().all(|it| *it == image);
        done.then_some(()).ok_or_else(|| format!("{images:?}"))
    });
}
