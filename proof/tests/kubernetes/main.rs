//! deploy/kubernetes, read by the programs that will read it: kustomize within kubectl, kube-score, and a cluster of etcd, API
//! server, controllers, scheduler and SpinKube's operator. There are no machines in it, so no container runs: what containers do
//! is tested elsewhere, with compose.yaml and the images.

mod cluster;
mod environment;
mod kubectl;
mod manifests;
mod nodes;
mod policy;
mod process;
mod programs;
mod readme;
mod refused;
mod repository;
mod running;
mod settings;
mod spinkube;
mod stopping;
mod upgrade;
mod wiring;

use cluster::Cluster;
use manifests::{Manifests, OVERLAYS, folder};
use nodes::Kubelets;

#[test]
#[ignore = "needs the programs of proof/backends/install kubernetes"]
fn manifests_agree_with_the_repository() {
    for manifests in OVERLAYS.map(Manifests::of) {
        repository::telemetry_is_configured_by_the_files_of_otel(&manifests);
        repository::variables_are_those_of_the_application(&manifests);
        environment::the_collector_knows_its_backends(&manifests);
    }
    repository::backends_are_configured_by_the_files_of_otel(&Manifests::of("dev"));
}

#[test]
#[ignore = "needs the programs of proof/backends/install kubernetes"]
fn manifests_agree_with_each_other() {
    for manifests in OVERLAYS.map(Manifests::of) {
        wiring::selectors_find_pods_and_ports(&manifests);
        wiring::references_lead_somewhere(&manifests);
    }
}

#[test]
#[ignore = "needs the programs of proof/backends/install kubernetes"]
fn manifests_agree_with_the_host() {
    for manifests in ["dev", "production"].map(Manifests::of) {
        stopping::a_pod_has_longer_than_the_host_takes(&manifests);
        stopping::probes_ask_the_admin_port(&manifests);
        environment::the_host_knows_its_settings(&manifests);
    }
}

#[test]
#[ignore = "needs the programs of proof/backends/install kubernetes"]
fn policies_have_nothing_against_them() {
    for manifests in OVERLAYS.map(Manifests::of) {
        policy::has_nothing_against(&manifests);
    }
    policy::finds_what_is_wrong(&Manifests::of("production"));
}

#[test]
#[ignore = "needs the programs of proof/backends/install kubernetes, and a minute"]
fn a_cluster_runs_them() {
    let cluster = Cluster::start();
    let kubectl = &cluster.kubectl;
    nodes::add(kubectl);
    let _kubelets = Kubelets::start(kubectl.clone());
    let [dev, production, spinkube] = OVERLAYS.map(|overlay| {
        kubectl.apply_overlay(&folder(overlay));
        // To apply it once more changes nothing, and is no error.
        kubectl.apply_overlay(&folder(overlay));
        Manifests::of(overlay)
    });
    for manifests in [&dev, &production, &spinkube] {
        running::pods_are_made_and_placed(kubectl, manifests);
        let namespace = manifests.namespace();
        running::a_service_leads_to(kubectl, namespace, "valkey", 6379);
        running::a_service_leads_to(kubectl, namespace, "collector", 4318);
    }
    running::a_service_leads_to(kubectl, dev.namespace(), "spinfo", 3000);
    running::a_service_leads_to(kubectl, production.namespace(), "spinfo", 3000);
    running::the_autoscaler_scales(kubectl, production.namespace());
    running::replicas_are_spread(kubectl, production.namespace());

    spinkube::the_operator_runs_spin_in_a_container(kubectl, &spinkube);
    running::the_autoscaler_scales(kubectl, spinkube.namespace());
    running::a_service_leads_to(kubectl, spinkube.namespace(), "spinfo", 80);
    let (there, elsewhere) = (spinkube.namespace(), dev.namespace());
    spinkube::its_pods_would_be_refused_by_restricted(kubectl, there, elsewhere);
    spinkube::the_operator_runs_the_shim(kubectl, &spinkube);

    refused::what_is_wrong_is_refused(kubectl, &production);
    readme::settings_are_known(kubectl);
    upgrade::replicas_are_replaced_one_by_one(kubectl, &production);
    upgrade::a_node_can_be_emptied(kubectl, production.namespace());
}
