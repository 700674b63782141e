//! How long the certificate is still valid.

use std::time::{Duration, SystemTime};

use spinfo_client::Certificate;

use super::Settings;
use super::outcome::{CertificateSeen, Finding, Severity, Step};
use crate::quantity;

const DAY: Duration = Duration::from_secs(86_400);

/// An automatic renewal is due well before two weeks are left; what is left then is time for somebody to look, without hurry.
const WARNING: Duration = DAY.saturating_mul(14);
/// A weekend.
const CRITICAL: Duration = DAY.saturating_mul(3);
/// Certificates that live for days or hours are renewed when a third of their lifetime is left.
const WARNING_SHARE: u32 = 4;
/// What is left of a short lifetime when it is as good as over.
const CRITICAL_SHARE: u32 = 10;

/// What a certificate means, with the limits that were asked for or that fit its lifetime.
pub(super) fn seen(certificate: &Certificate, settings: &Settings) -> CertificateSeen {
    let Certificate {
        subject,
        not_before,
        not_after,
    } = certificate.clone();
    let lifetime = not_after.duration_since(not_before).unwrap_or_default();
    CertificateSeen {
        subject,
        not_before,
        not_after,
        warning: settings
            .cert_warning
            .unwrap_or_else(|| WARNING.min(lifetime / WARNING_SHARE)),
        critical: settings
            .cert_critical
            .unwrap_or_else(|| CRITICAL.min(lifetime / CRITICAL_SHARE)),
    }
}

pub(super) fn judge(seen: &CertificateSeen, now: SystemTime) -> Finding {
    let left = seen.left(now);
    let severity = if left < seen.critical.as_secs_f64() {
        Severity::Critical
    } else if left < seen.warning.as_secs_f64() {
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

    fn found(settings: &Settings, lifetime: Duration, left: Duration) -> Finding {
        let not_before = SystemTime::UNIX_EPOCH + DAY * 10_000;
        let not_after = not_before + lifetime;
        let certificate = Certificate {
            subject: "CN=test".to_owned(),
            not_before,
            not_after,
        };
        judge(&seen(&certificate, settings), not_after - left)
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
            let found = found(&settings(), lifetime, left);
            assert_eq!(found.severity, expected, "{found:?}");
        }
    }

    #[test]
    fn limits_that_are_given_are_taken() {
        let mut settings = settings();
        settings.cert_warning = Some(DAY * 80);
        settings.cert_critical = Some(Duration::ZERO);
        let left = found(&settings, DAY * 90, DAY * 79);
        assert_eq!(left.severity, Severity::Warning);
        settings.cert_critical = Some(DAY * 80);
        let left = found(&settings, DAY * 90, DAY * 79);
        assert_eq!(left.severity, Severity::Critical);
    }

    #[test]
    fn an_expired_certificate_and_one_that_ends_before_it_begins() {
        let at = |days: u32| SystemTime::UNIX_EPOCH + DAY * days;
        let mut certificate = Certificate {
            subject: String::new(),
            not_before: at(100),
            not_after: at(200),
        };
        let found = judge(&seen(&certificate, &settings()), at(202));
        assert_eq!(found.severity, Severity::Critical);
        assert_eq!(found.text, "certificate expired 2 days ago");
        certificate.not_before = at(300);
        let found = judge(&seen(&certificate, &settings()), at(200));
        assert_eq!(found.severity, Severity::Ok);
    }
}
