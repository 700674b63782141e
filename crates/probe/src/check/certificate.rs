//! How long the certificate is still valid.

use std::time::{Duration, SystemTime};

use super::Settings;
use super::outcome::{CertificateSeen, Finding, Severity, Step};
use crate::quantity;
use crate::timestamp::seconds_between;

const DAY: Duration = Duration::from_secs(86_400);

/// An automatic renewal is due well before two weeks are left; what is left then is time for somebody to look, without hurry.
pub(crate) const WARNING: Duration = DAY.saturating_mul(14);
/// A weekend.
pub(crate) const CRITICAL: Duration = DAY.saturating_mul(3);
/// Certificates that live for days or hours are renewed when a third of their lifetime is left.
pub(crate) const WARNING_SHARE: u32 = 4;
/// What is left of a short lifetime when it is as good as over.
pub(crate) const CRITICAL_SHARE: u32 = 10;

/// With less than this left the certificate alerts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct CertificateLimits {
    pub(crate) warning: Duration,
    pub(crate) critical: Duration,
}

/// What was asked for, or what fits the certificate's lifetime.
pub(crate) fn limits(seen: &CertificateSeen, settings: &Settings) -> CertificateLimits {
    let lifetime = seen
        .not_after
        .duration_since(seen.not_before)
        .unwrap_or_default();
    CertificateLimits {
        warning: settings
            .cert_warning
            .unwrap_or_else(|| WARNING.min(lifetime / WARNING_SHARE)),
        critical: settings
            .cert_critical
            .unwrap_or_else(|| CRITICAL.min(lifetime / CRITICAL_SHARE)),
    }
}

/// Seconds until the certificate expires, negative when it has.
pub(crate) fn left(seen: &CertificateSeen, now: SystemTime) -> f64 {
    seconds_between(now, seen.not_after)
}

pub(super) fn judge(seen: &CertificateSeen, settings: &Settings, now: SystemTime) -> Finding {
    let limits = limits(seen, settings);
    let left = left(seen, now);
    let severity = if left < limits.critical.as_secs_f64() {
        Severity::Critical
    } else if left < limits.warning.as_secs_f64() {
        Severity::Warning
    } else {
        Severity::Ok
    };
    let shown = quantity::duration(Duration::from_secs_f64(left.abs().min(1e15)));
    let text = if left < 0.0 {
        format!("certificate expired {shown} ago")
    } else {
        format!("certificate expires in {shown}")
    };
    Finding::new(Step::Certificate, severity, text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::tests::settings;

    fn seen(lifetime: Duration, left: Duration) -> (CertificateSeen, SystemTime) {
        let not_before = SystemTime::UNIX_EPOCH + DAY * 10_000;
        let not_after = not_before + lifetime;
        let seen = CertificateSeen {
            subject: "CN=test".to_owned(),
            not_before,
            not_after,
        };
        (seen, not_after - left)
    }

    #[test]
    fn the_defaults_fit_long_and_short_lifetimes() {
        let hour = Duration::from_secs(3_600);
        let table = [
            (DAY * 90, DAY * 15, Severity::Ok),
            (DAY * 90, DAY * 14 - hour, Severity::Warning),
            (DAY * 90, DAY * 3 - hour, Severity::Critical),
            // Caddy's local authority: twelve hours, renewed when four are left.
            (hour * 12, hour * 4, Severity::Ok),
            (hour * 12, hour * 2, Severity::Warning),
            (hour * 12, hour, Severity::Critical),
        ];
        for (lifetime, left, expected) in table {
            let (seen, now) = seen(lifetime, left);
            let found = judge(&seen, &settings(), now);
            assert_eq!(found.severity, expected, "{found:?}");
        }
    }

    #[test]
    fn limits_that_are_given_are_taken() {
        let mut settings = settings();
        settings.cert_warning = Some(DAY * 80);
        settings.cert_critical = Some(Duration::ZERO);
        let (certificate, now) = seen(DAY * 90, DAY * 79);
        assert_eq!(
            judge(&certificate, &settings, now).severity,
            Severity::Warning
        );
        let past = certificate.not_after + DAY * 2;
        let found = judge(&certificate, &settings, past);
        assert_eq!(found.severity, Severity::Critical);
        assert_eq!(found.text, "certificate expired 2 days ago");
    }

    #[test]
    fn a_certificate_that_ends_before_it_begins_is_no_panic() {
        let (mut certificate, now) = seen(DAY, Duration::ZERO);
        certificate.not_before = certificate.not_after + DAY;
        assert_eq!(judge(&certificate, &settings(), now).severity, Severity::Ok);
    }
}
