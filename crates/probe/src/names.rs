//! Names of metrics over OTLP. With underscores they are those of the file for Prometheus.

/// Whether the server works: 1 or 0 (no unit, gauge).
pub(crate) const SUCCESS: &str = "probe.success";
/// Time of the HTTP check (`s`, gauge).
pub(crate) const DURATION: &str = "probe.duration";
/// Status of the last answer (no unit, gauge).
pub(crate) const HTTP_STATUS_CODE: &str = "probe.http.status_code";
/// When the first certificate of the chain expires, in seconds since 1970 (no unit, for Prometheus would append it to the name; gauge).
pub(crate) const EARLIEST_CERT_EXPIRY: &str = "probe.ssl.earliest_cert_expiry";
/// How long that certificate is valid in all (`s`, gauge).
pub(crate) const EARLIEST_CERT_LIFETIME: &str = "spinfo.probe.ssl.earliest_cert_lifetime";
/// How far the server's clock is ahead of the probe's (`s`, gauge).
pub(crate) const CLOCK_OFFSET: &str = "spinfo.probe.clock.offset";
/// How far the true offset may be from the measured one (`s`, gauge).
pub(crate) const CLOCK_ERROR_BOUND: &str = "spinfo.probe.clock.error_bound";
/// The attribute that says which URL a measurement is about, without secrets.
pub(crate) const URL_FULL: &str = "url.full";
