//! Settings and an outcome for the tests of what comes of them.

use std::num::NonZeroUsize;
use std::time::{Duration, SystemTime};

use http::{HeaderMap, StatusCode, Version};

use super::outcome::{CertificateSeen, ClockSeen, PhaseTimes};
use super::{ClockSettings, Finding, Http, Outcome, Settings, Severity, Step};
use crate::clock::Source;

pub(crate) fn settings() -> Settings {
    Settings {
        target: "https://example.org/".parse().unwrap(),
        headers: HeaderMap::new(),
        status: "2xx".parse().unwrap(),
        body: None,
        max_body: 1 << 20,
        max_redirects: 10,
        warning: None,
        critical: None,
        cert_warning: None,
        cert_critical: None,
        clock: Some(ClockSettings {
            source: Source::Auto,
            path: "/now".to_owned(),
            samples: NonZeroUsize::new(8).unwrap(),
            max_skew: Duration::from_secs(1),
        }),
        timeout: Duration::from_secs(10),
        retries: 0,
    }
}

/// All is well, and all was measured.
pub(crate) fn outcome() -> Outcome {
    let started = SystemTime::UNIX_EPOCH + Duration::from_secs(1_800_000_000);
    let day = Duration::from_secs(86_400);
    Outcome {
        started,
        time: Duration::from_micros(3_100),
        findings: vec![
            Finding::new(Step::Http, Severity::Ok, "HTTP 200 in 3.1 ms"),
            Finding::new(
                Step::Certificate,
                Severity::Ok,
                "certificate expires in 60 days",
            ),
            Finding::new(
                Step::Clock,
                Severity::Ok,
                "clock +0.2 ms ± 0.9 ms (max skew 1 s)",
            ),
        ],
        http: Some(Http {
            url: "https://example.org/".to_owned(),
            status: StatusCode::OK,
            version: Version::HTTP_11,
            peer: "192.0.2.1:443".parse().unwrap(),
            tls: true,
            redirects: 0,
            size: 12,
            content_length: Some(12),
            first_byte: Duration::from_micros(3_000),
            phases: PhaseTimes {
                resolve: Duration::from_micros(200),
                connect: Duration::from_micros(300),
                tls: Some(Duration::from_micros(500)),
                processing: Duration::from_micros(2_000),
                transfer: Duration::from_micros(100),
            },
        }),
        body_mismatch: None,
        certificate: Some(CertificateSeen {
            subject: "CN=example.org".to_owned(),
            not_before: started - day * 30,
            not_after: started + day * 60,
            warning: day * 14,
            critical: day * 3,
        }),
        clock: Some(ClockSeen {
            source: "json".to_owned(),
            offset: 0.000_2,
            bound: 0.000_9,
            max_skew: 1.0,
            delay: 0.001_8,
            used: 3,
            taken: 8,
            verdict: "within",
        }),
        attempt: 1,
        trace_id: None,
    }
}

#[test]
fn critical_is_worse_than_warning_and_that_than_unknown() {
    let of = |severities: &[Severity]| {
        let mut outcome = outcome();
        outcome.findings = severities
            .iter()
            .map(|&severity| Finding::new(Step::Http, severity, severity.name()))
            .collect();
        outcome
    };
    let table = [
        (&[][..], 3, true),
        (&[Severity::Ok], 0, true),
        (&[Severity::Ok, Severity::Unknown], 3, true),
        (
            &[Severity::Unknown, Severity::Warning, Severity::Ok],
            1,
            true,
        ),
        (
            &[Severity::Warning, Severity::Critical, Severity::Unknown],
            2,
            false,
        ),
    ];
    for (severities, code, success) in table {
        let outcome = of(severities);
        assert_eq!(outcome.severity().exit_code(), code, "{severities:?}");
        assert_eq!(outcome.is_success(), success, "{severities:?}");
    }
    assert_eq!(
        of(&[Severity::Ok, Severity::Unknown, Severity::Critical]).message(),
        "CRITICAL, UNKNOWN, OK"
    );
}
