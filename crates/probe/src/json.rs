//! One JSON object for each check.

use serde::Serialize;

use crate::check::{Outcome, Settings, certificate};
use crate::timestamp::{seconds_between, utc};

/// What is not known is `null`.
#[derive(Serialize)]
struct Report<'a> {
    timestamp: String,
    url: &'a str,
    /// `ok`, `warning`, `critical` or `unknown`.
    status: String,
    exit_code: u8,
    /// Whether the server works: not `critical`.
    success: bool,
    message: String,
    duration_seconds: f64,
    attempt: u32,
    http: Option<HttpReport<'a>>,
    certificate: Option<CertificateReport<'a>>,
    clock: Option<ClockReport<'a>>,
    findings: Vec<FindingReport<'a>>,
    trace_id: Option<&'a str>,
}

#[derive(Serialize)]
struct HttpReport<'a> {
    url: &'a str,
    status: u16,
    version: String,
    peer: String,
    tls: bool,
    redirects: u32,
    size_bytes: u64,
    first_byte_seconds: f64,
    phases: PhasesReport,
}

/// Seconds.
#[derive(Serialize)]
struct PhasesReport {
    resolve: f64,
    connect: f64,
    tls: Option<f64>,
    processing: f64,
    transfer: f64,
}

#[derive(Serialize)]
struct CertificateReport<'a> {
    subject: &'a str,
    not_before: String,
    not_after: String,
    lifetime_seconds: f64,
    remaining_seconds: f64,
    warning_seconds: f64,
    critical_seconds: f64,
}

#[derive(Serialize)]
struct ClockReport<'a> {
    source: &'a str,
    verdict: &'static str,
    offset_seconds: f64,
    error_bound_seconds: f64,
    max_skew_seconds: Option<f64>,
    delay_seconds: f64,
    samples_used: usize,
    samples_taken: usize,
}

#[derive(Serialize)]
struct FindingReport<'a> {
    step: &'static str,
    status: String,
    message: &'a str,
    error_type: Option<&'static str>,
}

/// The object as one line, without the newline at its end.
pub(crate) fn line(outcome: &Outcome, settings: &Settings) -> serde_json::Result<String> {
    let url = settings.target.to_string();
    let severity = outcome.severity();
    serde_json::to_string(&Report {
        timestamp: utc(outcome.started),
        url: &url,
        status: severity.name().to_lowercase(),
        exit_code: severity.exit_code(),
        success: outcome.is_success(),
        message: outcome.message(),
        duration_seconds: outcome.time.as_secs_f64(),
        attempt: outcome.attempt,
        http: outcome.http.as_ref().map(|http| HttpReport {
            url: &http.url,
            status: http.status.as_u16(),
            version: format!("{:?}", http.version),
            peer: http.peer.to_string(),
            tls: http.tls,
            redirects: http.redirects,
            size_bytes: http.size,
            first_byte_seconds: http.first_byte.as_secs_f64(),
            phases: PhasesReport {
                resolve: http.phases.resolve.as_secs_f64(),
                connect: http.phases.connect.as_secs_f64(),
                tls: http.phases.tls.map(|time| time.as_secs_f64()),
                processing: http.phases.processing.as_secs_f64(),
                transfer: http.phases.transfer.as_secs_f64(),
            },
        }),
        certificate: outcome.certificate.as_ref().map(|seen| {
            let limits = certificate::limits(seen, settings);
            CertificateReport {
                subject: &seen.subject,
                not_before: utc(seen.not_before),
                not_after: utc(seen.not_after),
                lifetime_seconds: seconds_between(seen.not_before, seen.not_after),
                remaining_seconds: certificate::left(seen, outcome.started),
                warning_seconds: limits.warning.as_secs_f64(),
                critical_seconds: limits.critical.as_secs_f64(),
            }
        }),
        clock: outcome.clock.as_ref().map(|clock| ClockReport {
            source: &clock.source,
            verdict: clock.verdict,
            offset_seconds: clock.offset,
            error_bound_seconds: clock.bound,
            max_skew_seconds: settings
                .clock
                .as_ref()
                .map(|clock| clock.max_skew.as_secs_f64()),
            delay_seconds: clock.delay,
            samples_used: clock.used,
            samples_taken: clock.taken,
        }),
        findings: outcome
            .findings
            .iter()
            .map(|finding| FindingReport {
                step: finding.step.name(),
                status: finding.severity.name().to_lowercase(),
                message: &finding.text,
                error_type: finding.error_type,
            })
            .collect(),
        trace_id: outcome.trace_id.as_deref(),
    })
}

/// The object for what goes wrong before there is a check, with those members that can be known.
pub(crate) fn unknown(message: &str) -> String {
    serde_json::json!({
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
        let text = line(&outcome(), &settings()).unwrap();
        assert!(!text.contains('\n'));
        let report: serde_json::Value = serde_json::from_str(&text).unwrap();
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
        let report: serde_json::Value =
            serde_json::from_str(&line(&outcome, &settings()).unwrap()).unwrap();
        assert!(report["http"].is_null() && report["clock"].is_null());
    }
}
