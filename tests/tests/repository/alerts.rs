//! Each alert has a runbook and a case of promtool, and is the same on Kubernetes.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::files::{below, made, read, yaml};

const RULES: &str = "otel/prometheus/rules";
const COPIES: &str = "deploy/kubernetes/components/monitoring/rules";

fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

/// All alerting rules.
fn alerts() -> Vec<Value> {
    let mut alerts = Vec::new();
    for file in below(RULES, ".yml") {
        for group in list(&yaml(&file)["groups"]) {
            let rules = list(&group["rules"]).iter();
            alerts.extend(rules.filter(|rule| rule["alert"].is_string()).cloned());
        }
    }
    assert!(alerts.len() > 10, "{alerts:?}");
    alerts
}

fn name(alert: &Value) -> &str {
    alert["alert"].as_str().expect("an alert has a name")
}

#[test]
fn each_alert_has_a_heading_in_the_runbook() {
    let operations = read("docs/operations.md");
    let headings = operations.lines().filter_map(|line| {
        let heading = line.trim_start_matches('#');
        (heading.len() < line.len()).then(|| heading.trim().to_lowercase().replace(' ', "-"))
    });
    let anchors: BTreeSet<String> = headings.collect();
    for alert in alerts() {
        let url = alert["annotations"]["runbook_url"]
            .as_str()
            .unwrap_or_default();
        let anchor = url.split_once("/docs/operations.md#");
        assert!(
            anchor.is_some_and(|(_, anchor)| anchors.contains(anchor)),
            "{}: runbook_url {url:?} is no heading of docs/operations.md",
            name(&alert)
        );
    }
}

#[test]
fn each_alert_fires_in_a_case_of_promtool() {
    let mut fires = BTreeSet::new();
    for file in below("otel/prometheus/tests", ".yml") {
        for case in list(&yaml(&file)["tests"]) {
            for expectation in list(&case["alert_rule_test"]) {
                if !list(&expectation["exp_alerts"]).is_empty() {
                    fires.extend(expectation["alertname"].as_str().map(str::to_owned));
                }
            }
        }
    }
    let missing: Vec<_> = alerts()
        .iter()
        .map(|alert| name(alert).to_owned())
        .filter(|name| !fires.contains(name))
        .collect();
    assert!(
        missing.is_empty(),
        "otel/prometheus/tests has no case in which these fire: {missing:?}"
    );
}

/// A PrometheusRule is a rule file two columns further to the right.
#[test]
fn rules_for_kubernetes_are_those_of_prometheus() {
    let mut resources = String::new();
    let files = below(RULES, ".yml");
    for path in &files {
        let file = path.rsplit('/').next().expect("a file has a name");
        let rules: String = read(path)
            .lines()
            .map(|line| match line {
                "" => "\n".to_owned(),
                line => format!("  {line}\n"),
            })
            .collect();
        made(
            &format!("{COPIES}/{file}"),
            &format!(
                "# Made of {path}.\napiVersion: monitoring.coreos.com/v1\nkind: PrometheusRule\nmetadata:\n  name: spinfo-{}\nspec:\n{rules}",
                file.trim_end_matches(".yml")
            ),
        );
        resources += &format!("  - {file}\n");
    }
    made(
        &format!("{COPIES}/kustomization.yaml"),
        &format!(
            "# Made of the files in {RULES}.\napiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\n\nresources:\n{resources}"
        ),
    );
    let found = below(COPIES, ".yml");
    assert_eq!(
        found.len(),
        files.len(),
        "a rule file that is gone: {found:?}"
    );
}
