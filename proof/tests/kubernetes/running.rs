//! What the controllers and the scheduler make of the manifests.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::kubectl::{Kubectl, until};
use crate::manifests::{Manifests, list, name, text};
use crate::nodes::NODES;

/// Every workload has its pods: no admission refused them, the scheduler found room and disks, and they are ready.
pub(crate) fn pods_are_made_and_placed(kubectl: &Kubectl, manifests: &Manifests) {
    let namespace = manifests.namespace();
    for workload in manifests.workloads() {
        let kind = text(workload, "/kind").to_lowercase();
        let which = format!("{kind}/{}", name(workload));
        kubectl.text(&[
            "rollout",
            "status",
            &which,
            "--namespace",
            namespace,
            "--timeout=180s",
        ]);
    }
    for pod in kubectl.items(&["get", "pods", "--namespace", namespace]) {
        let node = pod.pointer("/spec/nodeName");
        assert!(node.is_some(), "{} is nowhere", name(&pod));
    }
}

/// An autoscaler finds what it scales, and has made as many as it should have at least.
pub(crate) fn the_autoscaler_scales(kubectl: &Kubectl, namespace: &str) {
    until("the autoscaler", || {
        let scaler = kubectl.json(&["get", "hpa", "spinfo", "--namespace", namespace]);
        let conditions = list(&scaler, "/status/conditions");
        let able = conditions
            .iter()
            .any(|it| it["type"] == "AbleToScale" && it["status"] == "True");
        let enough = scaler["status"]["currentReplicas"] == scaler["spec"]["minReplicas"];
        (able && enough)
            .then_some(())
            .ok_or_else(|| scaler.to_string())
    });
    until("all replicas", || {
        let ready = ready(kubectl, namespace);
        let least = kubectl.json(&["get", "hpa", "spinfo", "--namespace", namespace]);
        let least = least["spec"]["minReplicas"].as_u64();
        (Some(ready) == least)
            .then_some(())
            .ok_or_else(|| format!("{ready} of {least:?}"))
    });
}

/// Replicas are spread over nodes, which are zones here.
pub(crate) fn replicas_are_spread(kubectl: &Kubectl, namespace: &str) {
    let pods = replicas(kubectl, namespace);
    let nodes: BTreeSet<_> = pods.iter().map(|pod| text(pod, "/spec/nodeName")).collect();
    assert_eq!(pods.len(), NODES.len());
    assert_eq!(nodes, BTreeSet::from(NODES), "not one in each zone");
}

/// A service leads to the ready pods, at the port that their containers listen on.
pub(crate) fn a_service_leads_to(kubectl: &Kubectl, namespace: &str, service: &str, port: u64) {
    let selector = format!("kubernetes.io/service-name={service}");
    until("endpoints", || {
        let args = [
            "get",
            "endpointslices",
            "--namespace",
            namespace,
            "--selector",
        ];
        let slices = kubectl.items(&[args.as_slice(), &[&selector]].concat());
        let ready = |slice: &&Value| {
            let endpoints = list(slice, "/endpoints");
            endpoints.iter().any(|it| it["conditions"]["ready"] == true)
        };
        let ports: BTreeSet<_> = slices
            .iter()
            .filter(ready)
            .flat_map(|slice| list(slice, "/ports"))
            .filter_map(|it| it["port"].as_u64())
            .collect();
        ports
            .contains(&port)
            .then_some(())
            .ok_or_else(|| format!("{service}: {slices:?}"))
    });
}

/// The running replicas of spinfo.
pub(crate) fn replicas(kubectl: &Kubectl, namespace: &str) -> Vec<Value> {
    kubectl.items(&[
        "get",
        "pods",
        "--namespace",
        namespace,
        "--selector",
        "app.kubernetes.io/name=spinfo",
    ])
}

/// How many replicas of spinfo serve.
pub(crate) fn ready(kubectl: &Kubectl, namespace: &str) -> u64 {
    let deployment = kubectl.json(&["get", "deployment", "spinfo", "--namespace", namespace]);
    deployment["status"]["readyReplicas"].as_u64().unwrap_or(0)
}
