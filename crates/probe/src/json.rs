//! One JSON object for each check.

use serde_json::{Value, json};

use crate::check::{Outcome, Settings};
use crate::measurement;
use crate::timestamp::utc;

/// The object as one line, without the newline at its end. What is not known is `null`.
pub(crate) fn line(outcome: &Outcome, settings: &Settings) -> String {
    let severity = outcome.severity();
    let mut report = json!({
        "timestamp": utc(outcome.started),
        "url": settings.target.to_string(),
        // `ok`, `warning`, `critical` or `unknown`.
        "status": severity.name().to_lowercase(),
        "exit_code": severity.exit_code(),
        // Whether the server works: not `critical`.
        "success": outcome.is_success(),
        "message": outcome.message(),
        "attempt": outcome.attempt,
        "http": outcome.http.as_ref().map(|http| json!({
            "url": http.url,
            "version": format!("{:?}", http.version),
            "peer": http.peer.to_string(),
            "tls": http.tls,
            "phases": {},
        })),
        "certificate": outcome.certificate.as_ref().map(|seen| json!({
            "subject": seen.subject,
            "not_before": utc(seen.not_before),
            "not_after": utc(seen.not_after),
        })),
        "clock": outcome.clock.as_ref().map(|clock| json!({
            "source": clock.source,
            "verdict": clock.verdict,
        })),
        "findings": outcome.findings.iter().map(|finding| json!({
            "step": finding.step.name(),
            "status": finding.severity.name().to_lowercase(),
            "message": finding.text,
            "error_type": finding.error_type,
        })).collect::<Vec<_>>(),
        "trace_id": outcome.trace_id,
    });
    for measurement in measurement::ALL {
        let place = measurement
            .member
            .and_then(|member| member.rsplit_once('/'));
        // What was not measured at all is null as a whole.
        if let Some((parent, name)) = place
            && let Some(Value::Object(parent)) = report.pointer_mut(parent)
        {
            let value = (measurement.value)(outcome);
            parent.insert(name.to_owned(), value.map_or(Value::Null, number));
        }
    }
    report.to_string()
}

/// A number, without a fraction where there is none.
fn number(value: f64) -> Value {
    let whole = value as i64;
    if whole as f64 == value {
        whole.into()
    } else {
        value.into()
    }
}

/// The object for what goes wrong before there is a check, with those members that can be known.
pub(crate) fn unknown(message: &str) -> String {
    json!({
        "timestamp": utc(std::time::SystemTime::now()),
        "status": "unknown",
        "exit_code": 3,
        "success": false,
        "message": message,
    })
    .to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::tests::{outcome, settings};

    #[test]
    fn an_object_is_one_line_with_numbers_in_seconds() {
        let text = line(&outcome(), &settings());
        assert!(!text.contains('\n'));
        let report: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(report["status"], "ok");
        assert_eq!(report["exit_code"], 0);
        assert_eq!(report["url"], "https://example.org/");
        assert_eq!(report["duration_seconds"], 0.0031);
        assert_eq!(report["http"]["version"], "HTTP/1.1");
        assert_eq!(report["http"]["phases"]["tls"], 0.0005);
        assert_eq!(report["certificate"]["lifetime_seconds"], 7_776_000.0);
        assert_eq!(report["clock"]["max_skew_seconds"], 1.0);
        assert_eq!(report["findings"][0]["step"], "http");
        assert!(report["trace_id"].is_null());
    }

    #[test]
    fn what_was_not_measured_is_null() {
        let mut outcome = outcome();
        outcome.http = None;
        outcome.clock = None;
        let report: Value = serde_json::from_str(&line(&outcome, &settings())).unwrap();
        assert!(report["http"].is_null() && report["clock"].is_null());
    }
}
