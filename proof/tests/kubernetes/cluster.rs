//! A cluster without machines: etcd, the API server, the controllers, the scheduler and SpinKube's operator, on loopback. What
//! a kubelet would do is in [`crate::nodes`].

use std::path::Path;

use tempfile::TempDir;

use crate::kubectl::{Kubectl, until};
use crate::process::Process;
use crate::{programs, settings};

/// What SpinKube's installation brings beside its definitions.
const RUNTIME_CLASS: &str = "
apiVersion: node.k8s.io/v1
kind: RuntimeClass
metadata: { name: wasmtime-spin-v2 }
handler: spin
";

pub(crate) struct Cluster {
    pub(crate) kubectl: Kubectl,
    /// In the order in which they were started.
    processes: Vec<Process>,
    folder: TempDir,
}

impl Cluster {
    /// Starts one, with the definitions that the manifests need.
    ///
    /// # Panics
    /// When a program is missing, or isn't ready in time.
    pub(crate) fn start() -> Self {
        let temporary = TempDir::new().expect("there can be a temporary folder");
        let folder = temporary.path();
        let [etcd, peers, api] = settings::ports();
        settings::write(folder, api);
        let kubectl = Kubectl::new(folder);
        let processes = vec![
            Process::start("etcd", folder, &settings::etcd(etcd, peers)),
            Process::start("kube-apiserver", folder, &settings::api_server(etcd, api)),
        ];
        let mut cluster = Self {
            kubectl,
            processes,
            folder: temporary,
        };
        cluster.wait_until_ready();
        for (name, args) in [
            ("kube-controller-manager", settings::controllers()),
            ("kube-scheduler", settings::scheduler()),
        ] {
            cluster
                .processes
                .push(Process::start(name, cluster.folder(), &args));
        }
        cluster.define();
        let operator = Process::start("spin-operator", cluster.folder(), &settings::operator());
        cluster.processes.push(operator);
        cluster
    }

    fn folder(&self) -> &Path {
        self.folder.path()
    }

    fn wait_until_ready(&self) {
        until("the API server", || {
            let mut command = self.kubectl.command(["get", "--raw", "/readyz"]);
            let output = command.output().expect("kubectl can be run");
            if output.status.success() {
                return Ok(());
            }
            Err(programs::said(&output))
        });
    }

    /// The definitions of what extends Kubernetes.
    fn define(&self) {
        let definitions = programs::program("kubernetes-crds.yaml");
        let mut apply = self
            .kubectl
            .command(["apply", "--server-side", "--filename"]);
        programs::text(apply.arg(definitions));
        self.kubectl.text(&[
            "wait",
            "--for=condition=Established",
            "--timeout=60s",
            "crd",
            "--all",
        ]);
        self.kubectl.apply(RUNTIME_CLASS);
    }
}

impl Drop for Cluster {
    /// Stops all, those first that ask the others, and shows what they said last when a test failed.
    #[expect(clippy::print_stderr, reason = "the output of a failed test")]
    fn drop(&mut self) {
        while let Some(mut process) = self.processes.pop() {
            if std::thread::panicking() {
                eprintln!("{}", process.state());
            }
        }
    }
}
