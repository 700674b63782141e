//! Every metric and attribute there is: name, unit, help, allowed values, and who sends it.
//!
//! Programs and components make their instruments from this table, docs/telemetry.md is written from it, and tests compare it
//! with what a receiver got, with dashboards and with rules. Read in this order:
//! - [`values`]: the closed sets, each an enum, so that code cannot send a value that is not listed;
//! - [`attribute`]: keys, and what their values may be;
//! - [`metric`]: metrics, each with its attributes;
//! - [`span`]: which attributes spans and resources have;
//! - [`prometheus`]: what Prometheus calls all that, and the way back.
//!
//! Names of the OpenTelemetry semantic conventions are listed like our own, which begin with `wasm.` or `spinfo.`.

pub mod attribute;
pub mod metric;
pub mod prometheus;
pub mod span;
pub mod values;

/// A key of attributes, together with what stands there. Keys whose values depend on who sends them, such as `error.type`, have an
/// attribute for each.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Attribute {
    /// For example `http.route`.
    pub key: &'static str,
    /// A phrase.
    pub help: &'static str,
    /// What may stand there.
    pub values: Values,
}

/// The values that an attribute may have.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Values {
    /// No closed set.
    Any,
    /// These and no others.
    Of(&'static [Value]),
    /// These, or an HTTP status code.
    StatusOr(&'static [Value]),
}

/// One value of a closed set.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Value {
    /// As it is sent.
    pub name: &'static str,
    /// What it means, in a phrase.
    pub help: &'static str,
}

/// A metric, whatever its instrument is made with.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Metric {
    /// With dots.
    pub name: &'static str,
    /// In UCUM, such as `s`, `By` or `{request}`.
    pub unit: &'static str,
    /// What is measured, in a sentence.
    pub help: &'static str,
    /// Which instrument measures it.
    pub kind: Kind,
    /// Who sends it.
    pub senders: &'static [Sender],
    /// All attributes that its series may have. Not every series has each.
    pub attributes: &'static [Attribute],
}

/// The kinds of instruments.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Kind {
    /// A sum that only grows.
    Counter,
    /// A sum that goes up and down.
    UpDownCounter,
    /// A value that replaces the one before.
    Gauge,
    /// A distribution over buckets with these upper bounds; above the last there is one more.
    Histogram(&'static [f64]),
}

/// Who sends telemetry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sender {
    /// `spinfo`
    Host,
    /// A component, from within WebAssembly.
    Component,
    /// `spinfo-probe`, over OTLP and in its textfile.
    Probe,
    /// `spinfo-probe`, in its textfile alone.
    ProbeTextfile,
    /// `spinfo-monitor`
    Monitor,
}

impl Values {
    /// The closed set, empty where there is none.
    pub const fn listed(self) -> &'static [Value] {
        match self {
            Self::Any => &[],
            Self::Of(values) | Self::StatusOr(values) => values,
        }
    }

    /// Whether `value` may be sent.
    pub fn allow(self, value: &str) -> bool {
        let is_listed = || self.listed().iter().any(|listed| listed.name == value);
        match self {
            Self::Any => true,
            Self::Of(_) => is_listed(),
            Self::StatusOr(_) => is_status(value) || is_listed(),
        }
    }
}

/// Three digits, which are all that RFC 9110 asks of a status code.
fn is_status(value: &str) -> bool {
    value.len() == 3 && value.bytes().all(|byte| byte.is_ascii_digit())
}

impl Metric {
    /// The upper bounds of a histogram's buckets, empty for all others.
    pub const fn buckets(&self) -> &'static [f64] {
        match self.kind {
            Kind::Histogram(buckets) => buckets,
            _ => &[],
        }
    }
}
