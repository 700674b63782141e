//! Names and labels by which objects find each other.

use serde_json::Value;

use crate::manifests::{Manifests, container, containers, list, name, selects, text};

/// What SpinKube's operator calls the port of its pods.
const SPINKUBE_PORT: &str = "http-app";

/// Services, budgets and policies select pods that are there, and name ports that these have.
pub(crate) fn selectors_find_pods_and_ports(manifests: &Manifests) {
    let pods = pods(manifests);
    for service in manifests.all("Service") {
        let found = found(&pods, &service["spec"]["selector"], service);
        for port in list(service, "/spec/ports") {
            has_port(&found, &port["targetPort"], service);
        }
    }
    for budget in manifests.all("PodDisruptionBudget") {
        found(&pods, &budget["spec"]["selector"]["matchLabels"], budget);
    }
    for monitor in manifests.all("PodMonitor") {
        let found = found(&pods, &monitor["spec"]["selector"]["matchLabels"], monitor);
        for endpoint in list(monitor, "/spec/podMetricsEndpoints") {
            has_port(&found, &endpoint["port"], monitor);
        }
    }
    for policy in manifests.all("NetworkPolicy") {
        // The pods of cert-manager's challenges come and go.
        if name(policy) == "acme-solver" {
            continue;
        }
        let selected = found(&pods, &policy["spec"]["podSelector"]["matchLabels"], policy);
        for rule in list(policy, "/spec/ingress") {
            for port in list(rule, "/ports") {
                has_port(&selected, &port["port"], policy);
            }
        }
        for rule in list(policy, "/spec/egress") {
            for peer in list(rule, "/to") {
                // Who isn't of this namespace is not known here.
                if peer.get("podSelector").is_none() || peer.get("namespaceSelector").is_some() {
                    continue;
                }
                let there = found(&pods, &peer["podSelector"]["matchLabels"], policy);
                for port in list(rule, "/ports") {
                    has_port(&there, &port["port"], policy);
                }
            }
        }
    }
}

/// Autoscalers and routes point at what is there.
pub(crate) fn references_lead_somewhere(manifests: &Manifests) {
    for scaler in manifests.all("HorizontalPodAutoscaler") {
        let target = &scaler["spec"]["scaleTargetRef"];
        // The operator's Deployment has the name of the SpinApp.
        let there = manifests.all("Deployment").chain(manifests.all("SpinApp"));
        let found = there.filter(|object| object["metadata"]["name"] == target["name"]);
        assert_eq!(found.count(), 1, "{} scales nothing", name(scaler));
    }
    for route in manifests.all("HTTPRoute") {
        for parent in list(route, "/spec/parentRefs") {
            let gateway = manifests.get("Gateway", text(parent, "/name"));
            let listeners = list(gateway, "/spec/listeners");
            let section = &parent["sectionName"];
            assert!(
                listeners.iter().any(|it| &it["name"] == section),
                "{section} isn't there"
            );
        }
        for rule in list(route, "/spec/rules") {
            for backend in list(rule, "/backendRefs") {
                let service = manifests.get("Service", text(backend, "/name"));
                let ports = list(service, "/spec/ports");
                assert!(
                    ports.iter().any(|it| it["port"] == backend["port"]),
                    "{backend}"
                );
            }
        }
    }
    for gateway in manifests.all("Gateway") {
        let issuer = "/metadata/annotations/cert-manager.io~1issuer";
        manifests.get("Issuer", text(gateway, issuer));
        // The probe takes the way that users take.
        let listeners = list(gateway, "/spec/listeners").iter();
        let hosts: Vec<_> = listeners.filter_map(|it| it["hostname"].as_str()).collect();
        let probe = container(manifests.get("Deployment", "probe"));
        assert_eq!(text(probe, "/args/0"), format!("https://{}/", hosts[0]));
    }
}

/// Labels and ports of every pod that the objects lead to.
fn pods(manifests: &Manifests) -> Vec<(Value, Vec<Value>)> {
    let of_workload = |workload: &Value| {
        let labels = workload.pointer("/spec/template/metadata/labels").cloned();
        let ports = containers(workload)
            .iter()
            .flat_map(|it| list(it, "/ports").to_vec());
        (labels.expect("a pod has labels"), ports.collect())
    };
    let of_app = |app: &Value| {
        let port = serde_json::json!({ "name": SPINKUBE_PORT, "containerPort": 80 });
        (app["spec"]["podLabels"].clone(), vec![port])
    };
    let workloads = manifests.workloads().map(of_workload);
    workloads
        .chain(manifests.all("SpinApp").map(of_app))
        .collect()
}

fn found<'a>(
    pods: &'a [(Value, Vec<Value>)],
    selector: &Value,
    by: &Value,
) -> Vec<&'a (Value, Vec<Value>)> {
    let found: Vec<_> = pods
        .iter()
        .filter(|(labels, _)| selects(selector, labels))
        .collect();
    assert!(
        !found.is_empty(),
        "{} {} selects no pod",
        by["kind"],
        name(by)
    );
    found
}

fn has_port(pods: &[&(Value, Vec<Value>)], port: &Value, by: &Value) {
    let has = |ports: &[Value]| {
        let mut ports = ports.iter();
        ports.any(|it| &it["name"] == port || &it["containerPort"] == port)
    };
    let any = pods.iter().any(|(_, ports)| has(ports));
    assert!(any, "{} {}: no pod has port {port}", by["kind"], name(by));
}
