//! One JSON object a line. `kind` says what it is: `request`, `change`, or `summary` for the last.

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime};

use serde::Serialize;

use crate::report::{Change, Report, seconds, some_seconds, timestamp};
use crate::stats::Snapshot;

#[derive(Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
enum Line<'a> {
    Request(&'a Report),
    Change(&'a Change),
    Summary(Summary<'a>),
}

#[derive(Serialize)]
struct Summary<'a> {
    timestamp: String,
    /// The share of failures of the target that has most of them, which `--fail-over` is about.
    worst_error_share: f64,
    targets: Vec<TargetSummary<'a>>,
}

#[derive(Serialize)]
struct TargetSummary<'a> {
    target: &'a str,
    endpoint: &'a str,
    #[serde(rename = "duration_seconds", serialize_with = "seconds")]
    elapsed: Duration,
    requests: u64,
    failures: u64,
    error_share: f64,
    missed: u64,
    reused: u64,
    /// A second.
    rate: f64,
    errors: BTreeMap<&'a str, u64>,
    latency_seconds: Latency,
    changes: Changes,
}

/// Corrected for coordinated omission; null when nothing was answered.
#[derive(Serialize)]
struct Latency {
    #[serde(serialize_with = "some_seconds")]
    p50: Option<Duration>,
    #[serde(serialize_with = "some_seconds")]
    p95: Option<Duration>,
    #[serde(serialize_with = "some_seconds")]
    p99: Option<Duration>,
    #[serde(serialize_with = "some_seconds")]
    max: Option<Duration>,
}

#[derive(Serialize)]
struct Changes {
    ok: u64,
    failed: u64,
    mismatch: u64,
    unsupported: bool,
}

pub(super) fn report(report: &Report) -> String {
    text(&Line::Request(report))
}

pub(super) fn change(change: &Change) -> String {
    text(&Line::Change(change))
}

pub(super) fn summary(targets: &[Snapshot], worst: f64) -> String {
    text(&Line::Summary(Summary {
        timestamp: timestamp(SystemTime::now()),
        worst_error_share: worst,
        targets: targets.iter().map(of_target).collect(),
    }))
}

fn of_target(snapshot: &Snapshot) -> TargetSummary<'_> {
    TargetSummary {
        target: &snapshot.name,
        endpoint: &snapshot.endpoint,
        elapsed: snapshot.elapsed,
        requests: snapshot.requests,
        failures: snapshot.failures,
        error_share: snapshot.error_share,
        missed: snapshot.missed,
        reused: snapshot.reused,
        rate: (snapshot.mean_rate * 1e3).round() / 1e3,
        errors: snapshot.errors.iter().copied().collect(),
        latency_seconds: Latency {
            p50: snapshot.p50,
            p95: snapshot.p95,
            p99: snapshot.p99,
            max: snapshot.max,
        },
        changes: Changes {
            ok: snapshot.changes.ok,
            failed: snapshot.changes.failed,
            mismatch: snapshot.changes.mismatch,
            unsupported: snapshot.changes.unsupported,
        },
    }
}

fn text(line: &Line<'_>) -> String {
    // Texts and numbers always have a form in JSON; only maps with odd keys have none.
    serde_json::to_string(line).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use crate::report::{Outcome, Phases, ReportError};

    use super::*;

    #[test]
    fn a_request_is_one_object_with_all_its_members() {
        let line = report(&Report {
            timestamp: SystemTime::UNIX_EPOCH + Duration::from_nanos(1_500_000_999),
            target: "shop".to_owned(),
            endpoint: "http://h/status".to_owned(),
            method: "GET",
            duration: Duration::from_micros(12_345),
            success: false,
            status: Some(503),
            error: Some(ReportError {
                kind: "status",
                message: "503 \"x\"\n".to_owned(),
            }),
            state: Some("failing".to_owned()),
            revision: Some(3),
            reused: true,
            phases: Phases {
                first_byte: Some(Duration::from_millis(12)),
                ..Phases::default()
            },
            trace_id: Some("0af7651916cd43dd8448eb211c80319c".to_owned()),
        });
        assert_eq!(
            line,
            r#"{"kind":"request","timestamp":"1970-01-01T00:00:01.500000Z","target":"shop","endpoint":"http://h/status","method":"GET","duration_seconds":0.012345,"success":false,"status":503,"error":{"type":"status","message":"503 \"x\"\n"},"state":"failing","revision":3,"reused":true,"phases":{"dns":null,"connect":null,"tls":null,"first_byte":0.012},"trace_id":"0af7651916cd43dd8448eb211c80319c"}"#
        );
    }

    #[test]
    fn a_change_has_its_result() {
        let line = change(&Change {
            timestamp: SystemTime::UNIX_EPOCH,
            target: "shop".to_owned(),
            endpoint: "http://h/status/change".to_owned(),
            method: "POST",
            duration: Duration::from_millis(980),
            success: true,
            status: Some(200),
            error: None,
            result: Outcome::Ok,
            state: Some("degraded".to_owned()),
            revision: Some(4),
            seen_revision: Some(4),
            trace_id: None,
        });
        let value: serde_json::Value = serde_json::from_str(&line).unwrap();
        assert_eq!(
            (&value["kind"], &value["result"], &value["duration_seconds"]),
            (&"change".into(), &"ok".into(), &0.98.into())
        );
    }
}
