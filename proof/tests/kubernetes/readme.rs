//! The settings that README.md gives for a Prometheus that is in the cluster before.

use serde_json::Value;

use crate::kubectl::Kubectl;
use crate::manifests::{list, read, yaml};
use crate::programs;

/// The `Prometheus` of README.md is one that the operator's definition takes, and has the settings of otel/prometheus.
pub(crate) fn settings_are_known(kubectl: &Kubectl) {
    let readme = read("deploy/kubernetes/README.md");
    let (_, after) = readme.split_once("```yaml\n").expect("it has a manifest");
    let manifest = after.split("```").next().expect("it ends");
    kubectl.apply("{ apiVersion: v1, kind: Namespace, metadata: { name: monitoring } }");
    let args = [
        "apply",
        "--server-side",
        "--dry-run=server",
        "--filename",
        "-",
    ];
    let output = kubectl.with_input(&args, manifest);
    assert!(
        output.status.success(),
        "{manifest}\n{}",
        programs::said(&output)
    );

    let spec = &yaml("README.md", manifest)["spec"];
    let ours = yaml("prometheus.yml", &read("otel/prometheus/prometheus.yml"));
    for (theirs, ours) in [
        (
            "/otlp/promoteResourceAttributes",
            ours.pointer("/otlp/promote_resource_attributes"),
        ),
        (
            "/tsdb/outOfOrderTimeWindow",
            ours.pointer("/storage/tsdb/out_of_order_time_window"),
        ),
        (
            "/exemplars/maxSize",
            ours.pointer("/storage/exemplars/max_exemplars"),
        ),
    ] {
        assert!(
            ours.is_some() && spec.pointer(theirs) == ours,
            "{theirs} is not {ours:?}"
        );
    }
    let compose = yaml("compose.yaml", &read("compose.yaml"));
    let flags = list(&compose, "/services/prometheus/command");
    let flag = |name: &str| {
        flags
            .iter()
            .filter_map(Value::as_str)
            .find_map(|it| it.strip_prefix(name))
    };
    let features = list(spec, "/enableFeatures")
        .iter()
        .filter_map(Value::as_str);
    let features = features.collect::<Vec<_>>().join(",");
    assert_eq!(flag("--enable-feature="), Some(features.as_str()));
    assert_eq!(
        flag("--storage.tsdb.retention.time="),
        spec["retention"].as_str()
    );
}
