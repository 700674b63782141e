//! Whether the host has the time that it takes to stop.

use crate::manifests::{Manifests, container, list, read, text};

/// A pod is killed when its time is over, and with it the requests that it finishes and the telemetry it still has.
pub(crate) fn a_pod_has_longer_than_the_host_takes(manifests: &Manifests) {
    let deployment = manifests.get("Deployment", "spinfo");
    let host = container(deployment);
    let args: Vec<&str> = list(host, "/args")
        .iter()
        .filter_map(|arg| arg.as_str())
        .collect();
    let seconds = |flag: &str| {
        let given = args.iter().position(|arg| *arg == format!("--{flag}"));
        let given =
            given.map(|position| (*args.get(position + 1).expect("it has a value")).to_owned());
        in_seconds(&given.unwrap_or_else(|| default_of(flag)))
    };
    let hook = host
        .pointer("/lifecycle/preStop/sleep/seconds")
        .and_then(|it| it.as_u64());
    let hook = hook.expect("it waits for proxies");
    // The components' telemetry, then the host's own.
    let takes = hook + seconds("grace") + seconds("drain-timeout") + 2 * seconds("flush-timeout");
    let given = deployment.pointer("/spec/template/spec/terminationGracePeriodSeconds");
    let given = given.and_then(|it| it.as_u64()).expect("it is set");
    assert!(given >= takes + 5, "{given} s are no room for {takes} s");
    assert!(
        given <= takes + 30,
        "{given} s hold up a drain for nothing: {takes} s are taken"
    );

    // How long until the pod's own readiness has told those who ask it: as --grace's help asks for.
    let probe = |key: &str| host["readinessProbe"][key].as_u64().expect("it is set");
    let noticed = probe("periodSeconds") * probe("failureThreshold");
    assert!(
        hook + seconds("grace") > noticed,
        "it stops before readiness is noticed ({noticed} s)"
    );
}

/// Each probe asks the admin port, which answers while the service's own port is full.
pub(crate) fn probes_ask_the_admin_port(manifests: &Manifests) {
    let host = container(manifests.get("Deployment", "spinfo"));
    for (probe, path) in [
        ("startupProbe", "/livez"),
        ("livenessProbe", "/livez"),
        ("readinessProbe", "/readyz?exclude=stores"),
    ] {
        assert_eq!(text(host, &format!("/{probe}/httpGet/port")), "admin");
        assert_eq!(text(host, &format!("/{probe}/httpGet/path")), path);
    }
}

/// The default of one of the host's flags, from where it is defined.
fn default_of(flag: &str) -> String {
    let source = read("crates/host/src/cli.rs");
    let field = format!("pub(crate) {}: Duration", flag.replace('-', "_"));
    let before = source
        .split(&field)
        .next()
        .filter(|it| it.len() < source.len());
    let before = before.unwrap_or_else(|| panic!("the host has no --{flag}"));
    let (_, after) = before
        .rsplit_once("default_value = \"")
        .expect("it has a default");
    after.split('"').next().expect("it ends").to_owned()
}

fn in_seconds(time: &str) -> u64 {
    let number = time
        .strip_suffix('s')
        .and_then(|number| number.parse().ok());
    number.unwrap_or_else(|| panic!("{time} is not in seconds"))
}
