//! What a check measures, each once. Performance data, the numbers in JSON, the textfile and the gauges over OTLP are written from [`ALL`].

use spinfo_names::values::Phase;
use spinfo_names::{Metric, metric};

use crate::check::{CertificateSeen, ClockSeen, Http, Outcome, PhaseTimes};
use crate::timestamp::{seconds_between, unix_seconds};

/// One number, and where it is told.
pub(crate) struct Measurement {
    /// `None` for what was not measured.
    pub(crate) value: fn(&Outcome) -> Option<f64>,
    /// Label and unit in the performance data.
    pub(crate) label: Option<(&'static str, &'static str)>,
    /// Place in the JSON object (RFC 6901).
    pub(crate) member: Option<&'static str>,
    /// Metric, and the phase that it is about.
    pub(crate) metric: Option<(&'static Metric, Option<Phase>)>,
}

impl Measurement {
    const fn label(mut self, label: &'static str, unit: &'static str) -> Self {
        self.label = Some((label, unit));
        self
    }

    const fn member(mut self, member: &'static str) -> Self {
        self.member = Some(member);
        self
    }

    const fn metric(mut self, metric: &'static Metric) -> Self {
        self.metric = Some((metric, None));
        self
    }

    const fn phase(mut self, phase: Phase) -> Self {
        self.metric = Some((&metric::PROBE_HTTP_DURATION, Some(phase)));
        self
    }
}

const fn of(value: fn(&Outcome) -> Option<f64>) -> Measurement {
    Measurement {
        value,
        label: None,
        member: None,
        metric: None,
    }
}

/// All there are, in the order of the performance data; those of one metric stand together.
pub(crate) const ALL: &[Measurement] = &[
    of(|o| Some(flag(o.is_success()))).metric(&metric::PROBE_SUCCESS),
    of(|o| Some(o.time.as_secs_f64()))
        .label("time", "s")
        .member("/duration_seconds")
        .metric(&metric::PROBE_DURATION),
    of(|o| Some(phases(o)?.resolve.as_secs_f64())).metric(&metric::PROBE_DNS_LOOKUP_TIME),
    of(|o| Some(phases(o)?.resolve.as_secs_f64()))
        .label("time_dns", "s")
        .member("/http/phases/resolve")
        .phase(Phase::Resolve),
    of(|o| Some(phases(o)?.connect.as_secs_f64()))
        .label("time_connect", "s")
        .member("/http/phases/connect")
        .phase(Phase::Connect),
    of(|o| Some(phases(o)?.tls?.as_secs_f64()))
        .label("time_tls", "s")
        .member("/http/phases/tls")
        .phase(Phase::Tls),
    of(|o| Some(phases(o)?.processing.as_secs_f64()))
        .member("/http/phases/processing")
        .phase(Phase::Processing),
    of(|o| Some(phases(o)?.transfer.as_secs_f64()))
        .member("/http/phases/transfer")
        .phase(Phase::Transfer),
    of(|o| Some(http(o)?.first_byte.as_secs_f64()))
        .label("time_firstbyte", "s")
        .member("/http/first_byte_seconds"),
    of(|o| Some(exact(http(o)?.size)))
        .label("size", "B")
        .member("/http/size_bytes")
        .metric(&metric::PROBE_HTTP_UNCOMPRESSED_BODY_LENGTH),
    of(|o| http(o)?.content_length.map(exact)).metric(&metric::PROBE_HTTP_CONTENT_LENGTH),
    of(|o| Some(f64::from(http(o)?.status.as_u16())))
        .member("/http/status")
        .metric(&metric::PROBE_HTTP_STATUS_CODE),
    of(|o| version(http(o)?.version)).metric(&metric::PROBE_HTTP_VERSION),
    of(|o| Some(flag(http(o)?.tls))).metric(&metric::PROBE_HTTP_SSL),
    of(|o| Some(f64::from(http(o)?.redirects)))
        .member("/http/redirects")
        .metric(&metric::PROBE_HTTP_REDIRECTS),
    of(|o| Some(if http(o)?.peer.is_ipv4() { 4.0 } else { 6.0 }))
        .metric(&metric::PROBE_IP_PROTOCOL),
    of(|o| o.body_mismatch.map(flag)).metric(&metric::PROBE_FAILED_DUE_TO_REGEX),
    of(|o| Some(clock(o)?.offset))
        .label("offset", "s")
        .member("/clock/offset_seconds")
        .metric(&metric::PROBE_CLOCK_OFFSET),
    of(|o| Some(clock(o)?.bound))
        .label("offset_bound", "s")
        .member("/clock/error_bound_seconds")
        .metric(&metric::PROBE_CLOCK_ERROR_BOUND),
    of(|o| Some(clock(o)?.max_skew)).member("/clock/max_skew_seconds"),
    of(|o| Some(clock(o)?.delay)).member("/clock/delay_seconds"),
    of(|o| Some(exact(clock(o)?.used as u64))).member("/clock/samples_used"),
    of(|o| Some(exact(clock(o)?.taken as u64))).member("/clock/samples_taken"),
    of(|o| Some(unix_seconds(certificate(o)?.not_after)))
        .metric(&metric::PROBE_EARLIEST_CERT_EXPIRY),
    of(|o| {
        Some(seconds_between(
            certificate(o)?.not_before,
            certificate(o)?.not_after,
        ))
    })
    .member("/certificate/lifetime_seconds")
    .metric(&metric::PROBE_EARLIEST_CERT_LIFETIME),
    of(|o| Some(certificate(o)?.left(o.started)))
        .label("cert", "s")
        .member("/certificate/remaining_seconds"),
    of(|o| Some(certificate(o)?.warning.as_secs_f64())).member("/certificate/warning_seconds"),
    of(|o| Some(certificate(o)?.critical.as_secs_f64())).member("/certificate/critical_seconds"),
];

fn http(outcome: &Outcome) -> Option<&Http> {
    outcome.http.as_ref()
}

fn phases(outcome: &Outcome) -> Option<&PhaseTimes> {
    http(outcome).map(|http| &http.phases)
}

fn clock(outcome: &Outcome) -> Option<&ClockSeen> {
    outcome.clock.as_ref()
}

fn certificate(outcome: &Outcome) -> Option<&CertificateSeen> {
    outcome.certificate.as_ref()
}

fn flag(value: bool) -> f64 {
    f64::from(u8::from(value))
}

/// A metric's value is a 64-bit float. Lengths and counts are far below the 2^53 up to which this is exact.
fn exact(number: u64) -> f64 {
    number as f64
}

fn version(version: http::Version) -> Option<f64> {
    spinfo_program::telemetry::protocol_version(version)
        .parse()
        .ok()
}
