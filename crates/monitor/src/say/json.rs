//! One JSON object a line. `kind` says what it is: `request`, `change`, or `summary` for the last.

use serde::Serialize;

use crate::report::{Change, Report};
use crate::stats::TargetSummary;

#[derive(Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub(super) enum Object<'a> {
    Request(&'a Report),
    Change(&'a Change),
    Summary {
        timestamp: String,
        /// The share of failures of the target that has most of them, which `--fail-over` is about.
        worst_error_share: f64,
        targets: &'a [TargetSummary],
    },
}

impl Object<'_> {
    pub(super) fn line(&self) -> String {
        // Texts and numbers always have a form in JSON; only maps with odd keys have none.
        serde_json::to_string(self).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, SystemTime};

    use super::*;
    use crate::report::{Outcome, Phases, ReportError, Sent};

    fn sent(error: Option<ReportError>) -> Sent {
        Sent {
            timestamp: SystemTime::UNIX_EPOCH + Duration::from_nanos(1_500_000_999),
            target: "http://h".to_owned(),
            endpoint: "http://h/status".to_owned(),
            method: "GET".to_owned(),
            duration: Duration::from_nanos(12_345_678),
            success: error.is_none(),
            status: Some(503),
            error,
            state: Some("failing".to_owned()),
            revision: Some(3),
            trace_id: Some("0af7651916cd43dd8448eb211c80319c".to_owned()),
        }
    }

    #[test]
    fn a_request_is_one_object_with_all_its_members() {
        let error = ReportError {
            kind: "status",
            message: "503 \"x\"\n".to_owned(),
        };
        let report = Report {
            sent: sent(Some(error)),
            reused: true,
            phases: Phases {
                first_byte: Some(0.012),
                ..Phases::default()
            },
        };
        assert_eq!(
            Object::Request(&report).line(),
            r#"{"kind":"request","timestamp":"1970-01-01T00:00:01.500000Z","target":"http://h","endpoint":"http://h/status","method":"GET","duration_seconds":0.012346,"success":false,"status":503,"error":{"type":"status","message":"503 \"x\"\n"},"state":"failing","revision":3,"trace_id":"0af7651916cd43dd8448eb211c80319c","reused":true,"phases":{"dns":null,"connect":null,"tls":null,"first_byte":0.012}}"#
        );
    }

    #[test]
    fn a_change_has_its_result() {
        let change = Change {
            sent: sent(None),
            result: Outcome::Ok,
            seen_revision: Some(4),
        };
        let line = Object::Change(&change).line();
        let value: serde_json::Value = serde_json::from_str(&line).unwrap();
        assert_eq!(
            (&value["kind"], &value["result"], &value["success"]),
            (&"change".into(), &"ok".into(), &true.into())
        );
    }
}
