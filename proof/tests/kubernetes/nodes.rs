//! Three nodes in three zones, and what their kubelets would report: containers that start at once and are ready, and pods that
//! end when they are told to.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use serde_json::{Value, json};

use crate::kubectl::Kubectl;

pub(crate) const NODES: [&str; 3] = ["a", "b", "c"];

/// Claims of both stateful sets in three namespaces.
const VOLUMES: usize = 6;

/// Makes nodes, and disks for whoever claims one.
pub(crate) fn add(kubectl: &Kubectl) {
    let mut objects = Vec::new();
    for name in NODES {
        objects.push(json!({
            "apiVersion": "v1",
            "kind": "Node",
            "metadata": { "name": name, "labels": {
                "kubernetes.io/hostname": name,
                "topology.kubernetes.io/zone": format!("zone-{name}"),
            } },
        }));
    }
    for number in 0..VOLUMES {
        objects.push(json!({
            "apiVersion": "v1",
            "kind": "PersistentVolume",
            "metadata": { "name": format!("disk-{number}") },
            "spec": {
                "capacity": { "storage": "4Gi" },
                "accessModes": ["ReadWriteOnce"],
                "hostPath": { "path": format!("/disk-{number}") },
            },
        }));
    }
    kubectl.apply(&json!({ "apiVersion": "v1", "kind": "List", "items": objects }).to_string());
    let resources =
        json!({ "cpu": "8", "memory": "16Gi", "ephemeral-storage": "64Gi", "pods": "110" });
    let ready = json!({ "status": {
        "capacity": resources,
        "allocatable": resources,
        "conditions": [{ "type": "Ready", "status": "True", "reason": "Test" }],
    } });
    for name in NODES {
        patch_status(kubectl, "node", &["node", name], &ready);
    }
}

/// The kubelets of all nodes. They run until this is dropped.
pub(crate) struct Kubelets {
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Kubelets {
    pub(crate) fn start(kubectl: Kubectl) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = Arc::clone(&stop);
        let thread = std::thread::spawn(move || {
            let mut addresses = HashMap::new();
            while !stopped.load(Ordering::Relaxed) {
                for pod in kubectl.items(&["get", "pods", "--all-namespaces"]) {
                    look_after(&kubectl, &pod, &mut addresses);
                }
                std::thread::sleep(Duration::from_millis(100));
            }
        });
        Self {
            stop,
            thread: Some(thread),
        }
    }
}

impl Drop for Kubelets {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            // A panic of it is on stderr, and what waits for it has failed too.
            let _ = thread.join();
        }
    }
}

fn look_after(kubectl: &Kubectl, pod: &Value, addresses: &mut HashMap<String, usize>) {
    let text = |pointer: &str| pod.pointer(pointer).and_then(Value::as_str);
    let (Some(name), Some(namespace), Some(_node)) = (
        text("/metadata/name"),
        text("/metadata/namespace"),
        text("/spec/nodeName"),
    ) else {
        return;
    };
    if text("/metadata/deletionTimestamp").is_some() {
        // It may be gone by now.
        let args = [
            "delete",
            "pod",
            name,
            "--namespace",
            namespace,
            "--force",
            "--grace-period=0",
            "--wait=false",
            "--ignore-not-found",
        ];
        let _ = kubectl.command(args).output();
        return;
    }
    if text("/status/phase") == Some("Running") {
        return;
    }
    let next = addresses.len() + 1;
    let number = addresses
        .entry(format!("{namespace}/{name}"))
        .or_insert(next);
    let address = format!("10.1.{}.{}", *number / 250, *number % 250 + 1);
    let condition = |kind: &str| json!({ "type": kind, "status": "True" });
    let conditions = ["Initialized", "ContainersReady", "Ready"].map(condition);
    let status = json!({ "status": {
        "phase": "Running",
        "podIP": address,
        "podIPs": [{ "ip": address }],
        "conditions": conditions,
    } });
    patch_status(
        kubectl,
        "pod",
        &["pod", name, "--namespace", namespace],
        &status,
    );
}

/// What it is about may be gone by now.
fn patch_status(kubectl: &Kubectl, kind: &str, which: &[&str], status: &Value) {
    let mut command = kubectl.command(["patch", "--subresource=status", "--type=merge"]);
    command.args(which).args(["--patch", &status.to_string()]);
    let output = command.output().expect("kubectl can be run");
    assert!(
        output.status.success() || kind == "pod",
        "{}",
        crate::programs::said(&output)
    );
}
