//! Writing OpenMetrics text (OpenMetrics 1.0, "Overall Structure" and "ABNF").

use std::borrow::Cow;
use std::fmt::Write as _;
use std::time::UNIX_EPOCH;

use spinfo_names::prometheus::Type;

use crate::exemplars::Exemplar;

/// The last line of every exposition.
pub(super) const EOF: &str = "# EOF\n";

/// Labels of a sample, names clean and values raw.
pub(super) type Labels = Vec<(String, String)>;

/// A value of a sample.
#[derive(Clone, Copy, Debug)]
pub(super) enum Number {
    Float(f64),
    Unsigned(u64),
    Signed(i64),
}

impl std::fmt::Display for Number {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Unsigned(value) => write!(f, "{value}"),
            Self::Signed(value) => write!(f, "{value}"),
            Self::Float(value) if value.is_nan() => f.write_str("NaN"),
            Self::Float(value) if value.is_infinite() => {
                f.write_str(if *value > 0.0 { "+Inf" } else { "-Inf" })
            }
            // The form with a point: `le="1.0"` is the canonical one.
            Self::Float(value) => write!(f, "{value:?}"),
        }
    }
}

/// One line with a value.
pub(super) struct Sample<'a> {
    /// The family and the suffix that its type asks for.
    pub(super) name: (&'a str, &'a str),
    pub(super) labels: &'a Labels,
    /// A label that comes after the others.
    pub(super) last: Option<(&'a str, &'a str)>,
    pub(super) value: Number,
    /// Only for buckets and totals ("Exemplars").
    pub(super) exemplar: Option<Exemplar>,
}

/// Writes one exposition.
#[derive(Default)]
pub(super) struct Page(String);

impl Page {
    pub(super) fn head(&mut self, family: &str, kind: &str, unit: Option<&str>, help: &str) {
        self.line(format_args!("# TYPE {family} {kind}"));
        if let Some(unit) = unit {
            self.line(format_args!("# UNIT {family} {unit}"));
        }
        if !help.is_empty() {
            self.line(format_args!("# HELP {family} {}", escaped(help)));
        }
    }

    /// One sample, and behind its value the exemplar.
    pub(super) fn sample(&mut self, sample: &Sample<'_>) {
        let (family, suffix) = sample.name;
        let value = sample.value;
        let labels = sample
            .labels
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .chain(sample.last);
        let labels: Vec<String> = labels
            .map(|(name, value)| format!("{name}=\"{}\"", escaped(value)))
            .collect();
        let labels = if labels.is_empty() {
            String::new()
        } else {
            format!("{{{}}}", labels.join(","))
        };
        let exemplar = sample.exemplar.map(exemplar).unwrap_or_default();
        self.line(format_args!("{family}{suffix}{labels} {value}{exemplar}"));
    }

    pub(super) fn finish(mut self) -> String {
        self.0.push_str(EOF);
        self.0
    }

    fn line(&mut self, line: std::fmt::Arguments<'_>) {
        // Writing into a string cannot fail.
        let _ = self.0.write_fmt(line);
        self.0.push('\n');
    }
}

impl Page {
    /// A kind's word for the `# TYPE` line.
    pub(super) fn family(&mut self, family: &str, kind: Type, unit: Option<&str>, help: &str) {
        self.head(family, kind.as_str(), unit, help);
    }
}

/// ` # {labels} value timestamp`. The labels have 63 characters of the 128 that they may have ("Exemplars"); seconds are told to the
/// millisecond, which is as exactly as Prometheus keeps them.
fn exemplar(exemplar: Exemplar) -> String {
    let Exemplar {
        trace_id, span_id, ..
    } = exemplar;
    let value = Number::Float(exemplar.value);
    let time = exemplar.time.duration_since(UNIX_EPOCH).unwrap_or_default();
    let (seconds, millis) = (time.as_secs(), time.subsec_millis());
    format!(" # {{trace_id=\"{trace_id}\",span_id=\"{span_id}\"}} {value} {seconds}.{millis:03}")
}

/// Label values and help texts escape the same three characters.
fn escaped(text: &str) -> Cow<'_, str> {
    if text.contains(['\\', '"', '\n']) {
        text.replace('\\', r"\\")
            .replace('"', "\\\"")
            .replace('\n', r"\n")
            .into()
    } else {
        text.into()
    }
}
