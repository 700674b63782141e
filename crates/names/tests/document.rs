//! The tables of docs/telemetry.md are those of this crate. `SPINFO_UPDATE=1 cargo test -p spinfo-names` writes them.

use std::fmt::Write as _;
use std::path::Path;

use spinfo_names::span::{Group, RESOURCES, SPANS};
use spinfo_names::{Attribute, Kind, Sender, Values, attribute, metric};

const SERVICE: &[Sender] = &[Sender::Host, Sender::Component];
const OUTSIDE: &[Sender] = &[Sender::Probe, Sender::ProbeTextfile, Sender::Monitor];

#[test]
fn the_tables_of_the_document_are_those_of_the_code() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/telemetry.md");
    let document = std::fs::read_to_string(&path).unwrap();
    let mut written = document.clone();
    for (name, table) in [
        ("resource", groups(RESOURCES, SERVICE)),
        ("spans", groups(SPANS, SERVICE)),
        ("metrics", metrics(SERVICE)),
        ("resource of probe and monitor", groups(RESOURCES, OUTSIDE)),
        ("spans of probe and monitor", groups(SPANS, OUTSIDE)),
        ("metrics of probe and monitor", metrics(OUTSIDE)),
        ("attributes", attributes()),
    ] {
        written = replaced(&written, name, &table);
    }
    if std::env::var_os("SPINFO_UPDATE").is_some() {
        std::fs::write(&path, written).unwrap();
    } else {
        assert!(
            document == written,
            "docs/telemetry.md is not up to date: run `SPINFO_UPDATE=1 cargo test -p spinfo-names`"
        );
    }
}

/// The document with `table` between the two markers of this name.
fn replaced(document: &str, name: &str, table: &str) -> String {
    let begin = format!("<!-- table: {name} -->\n");
    let (before, rest) = document
        .split_once(&begin)
        .unwrap_or_else(|| panic!("docs/telemetry.md has no {begin}"));
    let (_, after) = rest
        .split_once("<!-- end -->")
        .unwrap_or_else(|| panic!("{begin} has no end"));
    format!("{before}{begin}{table}<!-- end -->{after}")
}

fn groups(all: &[Group], senders: &[Sender]) -> String {
    let mut table = "| sent by | attributes |\n|---|---|\n".to_owned();
    for group in all.iter().filter(|group| senders.contains(&group.sender)) {
        let name = format!("{} {}", sender(group.sender), group.kind);
        let attributes = keys(group.attributes);
        let _ = writeln!(table, "| {} | {attributes} |", name.trim());
    }
    table
}

fn metrics(senders: &[Sender]) -> String {
    let mut table =
        "| name | kind | unit | what | attributes | sent by |\n|---|---|---|---|---|---|\n"
            .to_owned();
    for metric in metric::ALL {
        if !metric.senders.iter().any(|sender| senders.contains(sender)) {
            continue;
        }
        let kind = match metric.kind {
            Kind::Counter => "counter",
            Kind::UpDownCounter => "up-down counter",
            Kind::Gauge => "gauge",
            Kind::Histogram(_) => "histogram",
        };
        let (name, unit, help) = (metric.name, metric.unit, metric.help);
        let attributes = keys(metric.attributes);
        let senders: Vec<_> = metric.senders.iter().copied().map(sender).collect();
        let senders = senders.join(", ");
        let _ = writeln!(
            table,
            "| `{name}` | {kind} | {unit} | {help} | {attributes} | {senders} |"
        );
    }
    table
}

fn attributes() -> String {
    let mut table = "| attribute | what | values |\n|---|---|---|\n".to_owned();
    for attribute in attribute::ALL {
        let listed = attribute
            .values
            .listed()
            .iter()
            .map(|value| format!("`{}`: {}", value.name, value.help));
        let status = match attribute.values {
            Values::StatusOr(_) => Some("a status code".to_owned()),
            Values::Any | Values::Of(_) => None,
        };
        let values: Vec<String> = status.into_iter().chain(listed).collect();
        let (key, help) = (attribute.key, attribute.help);
        let _ = writeln!(table, "| `{key}` | {help} | {} |", values.join("; "));
    }
    table
}

fn keys(attributes: &[Attribute]) -> String {
    let keys = attributes
        .iter()
        .map(|attribute| format!("`{}`", attribute.key));
    keys.collect::<Vec<_>>().join(", ")
}

const fn sender(sender: Sender) -> &'static str {
    match sender {
        Sender::Host => "host",
        Sender::Component => "component",
        Sender::Probe => "probe",
        Sender::ProbeTextfile => "probe's textfile",
        Sender::Monitor => "monitor",
    }
}
