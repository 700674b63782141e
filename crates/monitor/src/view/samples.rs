//! Reports and numbers for the tests of this folder.

use std::time::{Duration, SystemTime};

use crate::report::{Change, Outcome, Phases, Report};
use crate::stats::{Changes, LastError, Point, Snapshot};

/// 2026-11-21T11:24:00.123456Z
pub(super) fn now() -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_micros(1_795_260_240_123_456)
}

pub(super) fn report() -> Report {
    Report {
        timestamp: now(),
        target: "edge".to_owned(),
        endpoint: "https://edge.example.com/status".to_owned(),
        method: "GET",
        duration: Duration::from_micros(3_140),
        success: true,
        status: Some(200),
        error: None,
        state: Some("degraded".to_owned()),
        revision: Some(4),
        reused: true,
        phases: Phases::default(),
        trace_id: Some("143a7a674694e9891c008aa58d7f986d".to_owned()),
    }
}

pub(super) fn change() -> Change {
    Change {
        timestamp: now(),
        target: "edge".to_owned(),
        endpoint: "https://edge.example.com/status/change".to_owned(),
        method: "POST",
        duration: Duration::from_millis(120),
        success: true,
        status: Some(200),
        error: None,
        result: Outcome::Ok,
        state: Some("failing".to_owned()),
        revision: Some(5),
        seen_revision: Some(5),
        trace_id: Some("143a7a674694e9891c008aa58d7f986d".to_owned()),
    }
}

/// Answers and is degraded because it was told to be.
pub(super) fn healthy() -> Snapshot {
    let recent = (0..240u64)
        .map(|at| Point::Ok(Duration::from_micros(3_000 + at % 7 * 300)))
        .collect();
    Snapshot {
        name: "http://127.0.0.1:3000".to_owned(),
        endpoint: "http://127.0.0.1:3000/status".to_owned(),
        elapsed: Duration::from_secs(754),
        requests: 754,
        failures: 0,
        missed: 0,
        reused: 753,
        rate: 1.0,
        mean_rate: 1.0,
        error_share: 0.0,
        p50: Some(Duration::from_micros(3_140)),
        p95: Some(Duration::from_micros(5_200)),
        p99: Some(Duration::from_micros(12_300)),
        max: Some(Duration::from_micros(41_000)),
        errors: Vec::new(),
        last_error: None,
        recent,
        status: Some(200),
        last_ok: Some(true),
        state: Some("degraded".to_owned()),
        revision: Some(13),
        changes: Changes {
            ok: 12,
            ..Changes::default()
        },
    }
}

/// Times out, after a while in which all was well.
pub(super) fn failing() -> Snapshot {
    let mut recent: Vec<Point> = (0..30u64)
        .map(|at| Point::Ok(Duration::from_millis(20 << (at % 5))))
        .collect();
    for _ in 0..3 {
        recent.push(Point::Failed(Duration::from_secs(5)));
        recent.push(Point::Missed);
    }
    Snapshot {
        name: "https://status.eu-central-1.example.com/base".to_owned(),
        endpoint: "https://status.eu-central-1.example.com/base/status".to_owned(),
        requests: 700,
        failures: 21,
        missed: 54,
        rate: 0.2,
        mean_rate: 0.928,
        error_share: 0.03,
        p50: Some(Duration::from_millis(31)),
        p95: Some(Duration::from_secs(5)),
        p99: Some(Duration::from_secs(5)),
        max: Some(Duration::from_secs(5)),
        errors: vec![("timeout", 19), ("reset", 2)],
        last_error: Some(LastError {
            at: now() - Duration::from_secs(12),
            kind: "timeout",
            message: "no answer within 5s, the server has taken the connection and is silent"
                .to_owned(),
        }),
        recent,
        status: None,
        last_ok: Some(false),
        state: Some("ok".to_owned()),
        changes: Changes {
            ok: 3,
            failed: 2,
            mismatch: 1,
            unsupported: false,
        },
        ..healthy()
    }
}

/// Has not been asked yet.
pub(super) fn waiting() -> Snapshot {
    Snapshot {
        name: "edge-東京".to_owned(),
        requests: 0,
        reused: 0,
        rate: 0.0,
        mean_rate: 0.0,
        p50: None,
        p95: None,
        p99: None,
        max: None,
        recent: Vec::new(),
        status: None,
        last_ok: None,
        state: None,
        revision: None,
        changes: Changes::default(),
        ..healthy()
    }
}
