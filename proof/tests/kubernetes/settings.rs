//! How the programs of a [`crate::cluster::Cluster`] find and trust each other.

use std::fs;
use std::net::TcpListener;
use std::path::Path;

use rcgen::KeyPair;
use serde_json::json;

/// Who holds this may do anything; it is good for one cluster on loopback.
const TOKEN: &str = "of-a-test";

/// Ports that nobody uses.
///
/// # Panics
/// When there are none.
pub(crate) fn ports<const N: usize>() -> [u16; N] {
    // All at a time, so that they differ.
    let listeners = [(); N].map(|()| TcpListener::bind("127.0.0.1:0").expect("a port is free"));
    listeners.map(|listener| listener.local_addr().expect("it is bound").port())
}

/// Writes the files that the arguments name.
///
/// # Panics
/// When the folder can't be written to.
pub(crate) fn write(folder: &Path, api: u16) {
    let key = KeyPair::generate().expect("a key can be made");
    let kubeconfig = json!({
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{ "name": "test", "cluster": {
            "server": format!("https://127.0.0.1:{api}"),
            // The API server makes it at its start.
            "certificate-authority": folder.join("certificates/apiserver.crt"),
        } }],
        "users": [{ "name": "test", "user": { "token": TOKEN } }],
        "contexts": [{ "name": "test", "context": { "cluster": "test", "user": "test" } }],
        "current-context": "test",
    });
    for (name, text) in [
        ("accounts.key", key.serialize_pem()),
        ("accounts.pub", key.public_key_pem()),
        ("tokens.csv", format!("{TOKEN},test,test,system:masters\n")),
        ("kubeconfig", kubeconfig.to_string()),
    ] {
        fs::write(folder.join(name), text).expect("a temporary folder can be written to");
    }
}

pub(crate) fn etcd(clients: u16, peers: u16) -> Vec<String> {
    vec![
        "--data-dir=etcd".into(),
        format!("--listen-client-urls=http://127.0.0.1:{clients}"),
        format!("--advertise-client-urls=http://127.0.0.1:{clients}"),
        format!("--listen-peer-urls=http://127.0.0.1:{peers}"),
        // Nothing of it outlives the test.
        "--unsafe-no-fsync".into(),
    ]
}

pub(crate) fn api_server(etcd: u16, port: u16) -> Vec<String> {
    vec![
        format!("--etcd-servers=http://127.0.0.1:{etcd}"),
        "--bind-address=127.0.0.1".into(),
        format!("--secure-port={port}"),
        "--cert-dir=certificates".into(),
        "--service-account-issuer=https://kubernetes.default.svc".into(),
        "--service-account-key-file=accounts.pub".into(),
        "--service-account-signing-key-file=accounts.key".into(),
        "--token-auth-file=tokens.csv".into(),
        "--authorization-mode=RBAC".into(),
        "--service-cluster-ip-range=10.0.0.0/24".into(),
        // An address of loopback is none that pods could use.
        "--endpoint-reconciler-type=none".into(),
        // As any cluster: it is the namespaces that say no.
        "--allow-privileged=true".into(),
        // Nodes of the test are ready from the start.
        "--disable-admission-plugins=TaintNodesByCondition".into(),
    ]
}

pub(crate) fn controllers() -> Vec<String> {
    [
        "--kubeconfig=kubeconfig",
        "--bind-address=127.0.0.1",
        // It serves nothing.
        "--secure-port=0",
        "--leader-elect=false",
        "--service-account-private-key-file=accounts.key",
        // All but those that would miss a sign of life of the nodes.
        "--controllers=*,-node-lifecycle-controller,-taint-eviction-controller",
        "--horizontal-pod-autoscaler-sync-period=1s",
    ]
    .map(String::from)
    .to_vec()
}

pub(crate) fn scheduler() -> Vec<String> {
    [
        "--kubeconfig=kubeconfig",
        "--bind-address=127.0.0.1",
        "--secure-port=0",
        "--leader-elect=false",
    ]
    .map(String::from)
    .to_vec()
}

pub(crate) fn operator() -> Vec<String> {
    [
        "--kubeconfig=kubeconfig",
        "--metrics-bind-address=0",
        "--health-probe-bind-address=0",
    ]
    .map(String::from)
    .to_vec()
}
