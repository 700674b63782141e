//! An alert from its fault to its end, with the rules, the route and the receiver as they are shipped.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use spinfo_proof::stack::{Checks, Stack, wait};
use spinfo_tests::{Client, Host};

const NAME: &str = "SpinfoTraps";

/// The export, two evaluations, the alert's `for`, and Alertmanager's `group_wait`.
const FIRING: Duration = Duration::from_secs(120);
/// The minute that the alert looks back, the one that it goes on firing, two evaluations, and Alertmanager's `group_interval`.
const RESOLVING: Duration = Duration::from_secs(270);

/// Components that trap make an alert, Alertmanager's notification of it ends in Loki.
pub(crate) fn traps_make_an_alert(stack: &Stack, host: &Host, checks: &Checks) {
    let ended = AtomicBool::new(false);
    std::thread::scope(|threads| {
        threads.spawn(|| trap_until(host, &ended));
        // The fault has to end also when a check fails, or the scope would wait forever.
        let _end = EndOnDrop(&ended);
        wait::until_within(FIRING, "the alert to be pending", || {
            is_in(stack, "pending")
        });
        checks.say("        the alert is pending");
        wait::until_within(FIRING, "the alert to fire", || is_in(stack, "firing"));
        checks.say("        the alert fires");
    });
    wait::until("Alertmanager to have the alert", || {
        let active = stack.alertmanager().active()?;
        let found = active.iter().any(is_ours);
        found.then_some(()).ok_or_else(|| format!("{active:?}"))
    });
    wait::until_within(FIRING, "the notification in Loki", || {
        notified(stack, "firing")
    });
    checks.say("        Loki has the notification");
}

/// Without a fault the alert ends.
pub(crate) fn the_alert_resolves(stack: &Stack, checks: &Checks) {
    wait::until_within(RESOLVING, "the end of the alert", || {
        let alerts = stack.prometheus().alerts()?;
        let found = alerts.iter().find(|alert| is_ours(&alert.labels));
        found.map_or(Ok(()), |alert| Err(format!("{alert:?}")))
    });
    checks.say("        the alert has ended in Prometheus");
    wait::until_within(RESOLVING, "the end of the alert in Alertmanager", || {
        let active = stack.alertmanager().active()?;
        let found = active.iter().any(is_ours);
        (!found).then_some(()).ok_or_else(|| format!("{active:?}"))
    });
    wait::until_within(RESOLVING, "the notification of the end in Loki", || {
        notified(stack, "resolved")
    });
}

/// Alerts that have a reason in these tests, each with it.
const WITH_REASON: &[(&str, &str)] = &[
    (NAME, "one host traps until the alert fires"),
    ("SpinfoRejections", "one host has no queue"),
    ("SpinfoAvailability", "many requests are made to fail"),
    ("StackTargetDown", "the Collector is not always there"),
    ("TelemetryLoss", "the Collector is not always there"),
    ("AlertsUndelivered", "the Collector is not always there"),
];

/// No alert has fired without a reason.
pub(crate) fn alerts_have_a_reason(stack: &Stack) {
    let query = r#"max by (alertname) (max_over_time(ALERTS{alertstate="firing"}[15m]))"#;
    let fired = stack
        .prometheus()
        .values(query, &["alertname"])
        .expect("Prometheus takes the query");
    let has_reason = |name: &str| {
        WITH_REASON
            .iter()
            .any(|(prefix, _)| name.starts_with(prefix))
    };
    let without: Vec<_> = fired
        .keys()
        .filter(|labels| !has_reason(&labels[0]))
        .collect();
    assert!(without.is_empty(), "{without:?} fired for no reason");
}

fn trap_until(host: &Host, ended: &AtomicBool) {
    let mut client = Client::connect(host.address);
    while !ended.load(Ordering::Relaxed) {
        let request = http::Request::get("/panic").body(Vec::new());
        let answer = client.send(request.expect("a good request"));
        assert_eq!(answer.status, 500, "{answer:?}");
        std::thread::sleep(Duration::from_millis(500));
    }
}

struct EndOnDrop<'a>(&'a AtomicBool);

impl Drop for EndOnDrop<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

fn is_in(stack: &Stack, state: &str) -> Result<(), String> {
    let alerts = stack.prometheus().alerts()?;
    let found = alerts
        .iter()
        .any(|alert| is_ours(&alert.labels) && alert.state == state);
    found.then_some(()).ok_or_else(|| format!("{alerts:?}"))
}

fn is_ours(labels: &BTreeMap<String, String>) -> bool {
    let is = |label: &str, value: &str| labels.get(label).is_some_and(|found| found == value);
    is("alertname", NAME) && is("wasm_component", "lab")
}

fn notified(stack: &Stack, status: &str) -> Result<(), String> {
    let query = r#"{service_name="alertmanager"}"#;
    let lines = stack.loki().lines(query, 600)?;
    let found = lines
        .iter()
        .any(|line| is_ours(&line.labels) && line.text.starts_with(status));
    found.then_some(()).ok_or_else(|| format!("{lines:#?}"))
}
