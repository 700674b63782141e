//! What SpinKube's operator makes of the SpinApp.

use serde_json::{Value, json};

use crate::kubectl::{Kubectl, until};
use crate::manifests::{Manifests, container, list, read, text};
use crate::running::replicas;

/// The operator makes a Deployment that runs the application with Spin in a container, and replicas of it are ready.
pub(crate) fn the_operator_runs_spin_in_a_container(kubectl: &Kubectl, manifests: &Manifests) {
    let spin = text(
        manifests.get("SpinAppExecutor", "spinfo-container"),
        "/spec/deploymentConfig/spinImage",
    );
    let dockerfile = read("deploy/Dockerfile");
    assert!(
        dockerfile.contains(&format!("FROM {spin} ")),
        "{spin} is not that of deploy/Dockerfile"
    );
    let deployment = deployment_with(kubectl, manifests, spin);
    let args = list(container(&deployment), "/args");
    let app = &manifests.only("SpinApp")["spec"]["image"];
    assert!(args.contains(app), "{args:?}");
    is_configured(manifests, &deployment);
}

/// The same application on the shim of the nodes, when the SpinApp names the other executor.
pub(crate) fn the_operator_runs_the_shim(kubectl: &Kubectl, manifests: &Manifests) {
    let namespace = manifests.namespace();
    let executor = json!({ "spec": { "executor": "spinfo-shim" } }).to_string();
    kubectl.text(&[
        "patch",
        "spinapp",
        "spinfo",
        "--namespace",
        namespace,
        "--type=merge",
        "--patch",
        &executor,
    ]);
    let app = manifests.only("SpinApp");
    let deployment = deployment_with(kubectl, manifests, text(app, "/spec/image"));
    let class = deployment.pointer("/spec/template/spec/runtimeClassName");
    assert_eq!(class, Some(&json!("wasmtime-spin-v2")));
    is_configured(manifests, &deployment);
}

/// The pods of the operator have no security context: this is why the namespace asks for `baseline` and not for more. When this
/// fails, it may ask for `restricted` like the others.
pub(crate) fn its_pods_would_be_refused_by_restricted(
    kubectl: &Kubectl,
    spinkube: &str,
    restricted: &str,
) {
    let mut pod = replicas(kubectl, spinkube).remove(0);
    pod["metadata"] = json!({ "name": "spinfo" });
    pod["status"] = Value::Null;
    pod["spec"]["nodeName"] = Value::Null;
    let said = kubectl.refusal(restricted, &pod.to_string());
    assert!(said.contains("violates PodSecurity \"restricted"), "{said}");
}

/// The operator's Deployment, once it runs an image and has been rolled out.
fn deployment_with(kubectl: &Kubectl, manifests: &Manifests, image: &str) -> Value {
    let namespace = manifests.namespace();
    let get = ["get", "deployment", "--namespace", namespace];
    let deployment = until("the operator", || {
        let all = kubectl.items(&get);
        let found = all
            .iter()
            .find(|it| it["metadata"]["name"] == "spinfo" && container(it)["image"] == image);
        found.cloned().ok_or_else(|| format!("{all:?}"))
    });
    kubectl.text(&[
        "rollout",
        "status",
        "deployment/spinfo",
        "--namespace",
        namespace,
        "--timeout=180s",
    ]);
    deployment
}

/// Health checks, variables and the runtime configuration by the name that kustomize gave it.
fn is_configured(manifests: &Manifests, deployment: &Value) {
    let made = container(deployment);
    assert_eq!(made["readinessProbe"]["httpGet"]["path"], "/healthz");
    assert_eq!(
        made["livenessProbe"]["httpGet"]["path"],
        "/.well-known/spin/health"
    );
    for variable in ["SPIN_VARIABLE_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT"] {
        let found = list(made, "/env").iter().find(|it| it["name"] == variable);
        let value = found.map(|it| &it["value"]);
        assert_eq!(value, Some(&json!("http://collector:4318")), "{variable}");
    }
    let volumes = list(deployment, "/spec/template/spec/volumes");
    let volume = volumes
        .iter()
        .find(|it| it["name"] == "spin-runtime-config");
    let secret = text(volume.expect("there is one"), "/secret/secretName");
    let secret = manifests.get("Secret", secret);
    assert!(
        secret["data"]["runtime-config.toml"].is_string(),
        "{secret}"
    );
}
