//! Another version of the application in the place of the running one: at once, whole, and without a request that notices.
//!
//! - [`load`]: what clients, memory and the pool of instances notice of it
//! - [`versions`]: what goes over to the new version, and what the old one finishes
//! - [`requests`]: how a reload is asked for, and refused

mod load;
mod requests;
mod versions;

use http::Request;
use serde_json::Value;
use spinfo_tests::{FixtureApp, Host, Up, deadline};

fn get(path: &str) -> Request<Vec<u8>> {
    Request::get(path).body(Vec::new()).unwrap()
}

fn deed(deed: &str, argument: &str) -> Request<Vec<u8>> {
    let request = Request::get("/").header("x-do", deed);
    request.header("x-arg", argument).body(Vec::new()).unwrap()
}

/// This workspace's application in a folder where a test may edit it, with its greeting made of a number.
fn spinfo(number: u64) -> FixtureApp {
    FixtureApp::spinfo(&greeting(number))
}

fn greeting(number: u64) -> String {
    format!("greeting {number}.")
}

fn number(text: &str) -> u64 {
    let number = text.strip_prefix("greeting ").unwrap().trim_end();
    number.strip_suffix('.').unwrap().parse().unwrap()
}

/// Exports nothing.
fn quiet(app: &FixtureApp) -> Up {
    exporting(app, "")
}

/// Its components export to the OTLP receiver at `url`.
fn exporting(app: &FixtureApp, url: &str) -> Up {
    Up::new(app.manifest()).args(["--variable".to_owned(), format!("otlp_endpoint={url}")])
}

fn reloads(revision: &Value) -> u64 {
    let count = |result: &str| revision["reloads"][result].as_u64().unwrap();
    count("ok") + count("refused")
}

fn revision(host: &Host) -> Value {
    host.admin("/revision").json()
}

/// Waits until there were more reloads than before: what is served then.
fn reloaded_since(host: &Host, before: &Value) -> Value {
    deadline::until("a reload", || {
        let now = revision(host);
        (reloads(&now) > reloads(before)).then_some(now)
    })
}

/// Reloads and waits for the outcome.
fn reload(host: &Host) -> Value {
    let before = revision(host);
    host.signal("HUP");
    reloaded_since(host, &before)
}

fn reload_well(host: &Host) -> Value {
    let now = reload(host);
    assert_eq!(now["problem"], Value::Null, "{now}");
    now
}

fn until_nothing_drains(host: &Host) {
    deadline::until("the old versions to be gone", || {
        (revision(host)["draining"] == 0).then_some(())
    });
}

/// Requests that were answered.
fn served(host: &Host) -> f64 {
    metric(host, "http_server_request_duration_seconds_count")
}

/// How many reloads there were with an outcome.
fn counted(host: &Host, outcome: &str) -> u64 {
    let page = host.admin("/metrics");
    let label = format!("spinfo_reload_result=\"{outcome}\"");
    let mut lines = page.text().lines();
    let line =
        lines.find(|line| line.starts_with("spinfo_reloads_total{") && line.contains(&label));
    let value = line.and_then(|line| line.split_whitespace().last());
    value.expect("reloads are counted").parse().unwrap()
}

/// The sum of a metric over its attributes.
fn metric(host: &Host, name: &str) -> f64 {
    let page = host.admin("/metrics");
    let lines = page
        .text()
        .lines()
        .filter_map(|line| line.strip_prefix(name)?.split_once('}'));
    lines
        .filter_map(|(_, value)| value.split_whitespace().next()?.parse::<f64>().ok())
        .sum()
}
