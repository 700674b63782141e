//! The judge says no to what is wrong on purpose, so its yes means something.

use crate::kubectl::Kubectl;
use crate::manifests::Manifests;

/// What isn't allowed in these namespaces, and what no definition knows, is refused.
pub(crate) fn what_is_wrong_is_refused(kubectl: &Kubectl, manifests: &Manifests) {
    let namespace = manifests.namespace();
    for (manifest, complaint) in [
        (PRIVILEGED, "violates PodSecurity \"restricted"),
        (AS_ROOT, "runAsNonRoot"),
        (UNKNOWN_FIELD, "replica: field not declared in schema"),
        (
            UNKNOWN_FIELD_OF_A_SPIN_APP,
            "replicaCount: field not declared in schema",
        ),
        (WRONG_RULE, "spec.groups[0].rules[0].expr"),
        (WRONG_ROUTE, "Unsupported value: 418"),
        (WRONG_ISSUER, "spec.acme.server"),
    ] {
        let said = kubectl.refusal(namespace, manifest);
        assert!(said.contains(complaint), "not about {complaint}: {said}");
    }
}

const PRIVILEGED: &str = "
apiVersion: v1
kind: Pod
metadata: { name: wrong }
spec:
  containers:
    - { name: wrong, image: wrong, securityContext: { privileged: true } }
";

const AS_ROOT: &str = "
apiVersion: v1
kind: Pod
metadata: { name: wrong }
spec:
  securityContext: { seccompProfile: { type: RuntimeDefault } }
  containers:
    - name: wrong
      image: wrong
      securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: [ALL] } }
";

const UNKNOWN_FIELD: &str = "
apiVersion: apps/v1
kind: Deployment
metadata: { name: wrong }
spec:
  replica: 2
  selector: { matchLabels: { name: wrong } }
  template:
    metadata: { labels: { name: wrong } }
    spec: { containers: [{ name: wrong, image: wrong }] }
";

const UNKNOWN_FIELD_OF_A_SPIN_APP: &str = "
apiVersion: core.spinkube.dev/v1alpha1
kind: SpinApp
metadata: { name: wrong }
spec: { image: wrong, executor: wrong, replicaCount: 2 }
";

const WRONG_RULE: &str = "
apiVersion: monitoring.coreos.com/v1
kind: PrometheusRule
metadata: { name: wrong }
spec: { groups: [{ name: wrong, rules: [{ alert: Wrong }] }] }
";

const WRONG_ROUTE: &str = "
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: { name: wrong }
spec:
  rules:
    - filters: [{ type: RequestRedirect, requestRedirect: { statusCode: 418 } }]
";

const WRONG_ISSUER: &str = "
apiVersion: cert-manager.io/v1
kind: Issuer
metadata: { name: wrong }
spec: { acme: { privateKeySecretRef: { name: wrong } } }
";
