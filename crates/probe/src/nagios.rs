//! The output of the Monitoring Plugins Development Guidelines: one line of status, performance data behind a `|`, and on request
//! more lines.

use std::fmt::{self, Write as _};
use std::time::Duration;

use crate::check::{Outcome, Settings, certificate};
use crate::quantity;

/// The whole output of one check, without the newline at its end. `verbose` adds the long text, one line for each fact.
pub(crate) fn output(outcome: &Outcome, settings: &Settings, verbose: bool) -> String {
    let mut output = status(outcome.severity().name(), &summary(outcome, settings));
    let data = performance_data(outcome, settings);
    if !data.is_empty() {
        output.push_str(" |");
        for metric in data {
            let _ = write!(output, " {metric}");
        }
    }
    if verbose {
        for line in long_text(outcome) {
            output.push('\n');
            output.push_str(&plain(&line));
        }
    }
    output
}

/// A line of status without performance data, for what goes wrong before there is a check.
pub(crate) fn status(name: &str, message: &str) -> String {
    format!("SPINFO {name} - {}", plain(message))
}

fn summary(outcome: &Outcome, settings: &Settings) -> String {
    let mut summary = outcome.message();
    if settings.retries > 0 && outcome.attempt > 1 {
        let _ = write!(
            summary,
            " (attempt {} of {})",
            outcome.attempt,
            settings.retries.saturating_add(1)
        );
    }
    summary
}

/// Text as it may stand before the performance data: a `|` would begin it, and a line's end would end it. Nor may a server that
/// is asked control the terminal of who asks.
fn plain(text: &str) -> String {
    let plain = |character: char| match character {
        '|' => '/',
        control if control.is_control() => ' ',
        other => other,
    };
    text.chars().map(plain).collect()
}

/// `label=value[unit];[warning];[critical];[minimum];[maximum]`.
struct Metric {
    label: &'static str,
    value: String,
    unit: &'static str,
    warning: Option<String>,
    critical: Option<String>,
    minimum: Option<&'static str>,
    maximum: Option<String>,
}

impl Metric {
    fn new(label: &'static str, value: String, unit: &'static str) -> Self {
        Self {
            label,
            value,
            unit,
            warning: None,
            critical: None,
            minimum: None,
            maximum: None,
        }
    }

    /// A time, which is never negative.
    fn time(label: &'static str, time: Duration) -> Self {
        let metric = Self::new(label, decimal(time.as_secs_f64()), "s");
        metric.at_least_zero()
    }

    fn at_least_zero(self) -> Self {
        Self {
            minimum: Some("0"),
            ..self
        }
    }
}

impl fmt::Display for Metric {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let limits = [
            self.warning.as_deref(),
            self.critical.as_deref(),
            self.minimum,
            self.maximum.as_deref(),
        ];
        let limits = limits.map(Option::unwrap_or_default).join(";");
        let text = format!("{}={}{};{limits}", self.label, self.value, self.unit);
        formatter.write_str(text.trim_end_matches(';'))
    }
}

fn performance_data(outcome: &Outcome, settings: &Settings) -> Vec<Metric> {
    let mut data = Vec::new();
    if let Some(http) = &outcome.http {
        data.push(Metric {
            warning: settings.warning.as_ref().map(ToString::to_string),
            critical: settings.critical.as_ref().map(ToString::to_string),
            maximum: Some(number(settings.timeout.as_secs_f64())),
            ..Metric::time("time", outcome.time)
        });
        let phases = &http.phases;
        data.push(Metric::time("time_dns", phases.resolve));
        data.push(Metric::time("time_connect", phases.connect));
        data.extend(phases.tls.map(|tls| Metric::time("time_tls", tls)));
        data.push(Metric::time("time_firstbyte", http.first_byte));
        data.push(Metric::new("size", http.size.to_string(), "B").at_least_zero());
    }
    if let Some(clock) = &outcome.clock {
        let limit = settings.clock.as_ref().map(|clock| {
            let limit = number(clock.max_skew.as_secs_f64());
            format!("-{limit}:{limit}")
        });
        data.push(Metric {
            critical: limit,
            ..Metric::new("offset", decimal(clock.offset), "s")
        });
        // Never less than it is.
        let bound = (clock.bound * 1e6).ceil() / 1e6;
        data.push(Metric::new("offset_bound", decimal(bound), "s").at_least_zero());
    }
    if let Some(seen) = &outcome.certificate {
        let limits = certificate::limits(seen, settings);
        let left = certificate::left(seen, outcome.started);
        data.push(Metric {
            warning: Some(format!("{}:", number(limits.warning.as_secs_f64()))),
            critical: Some(format!("{}:", number(limits.critical.as_secs_f64()))),
            ..Metric::new("cert", number(left.trunc()), "s")
        });
    }
    data
}

/// Microseconds are exact enough for everything measured here, and leave no exponents, which the guidelines don't know.
fn decimal(value: f64) -> String {
    let text = format!("{value:.6}");
    // What is rounded to zero has no sign.
    match text.strip_prefix('-') {
        Some(zero) if zero == "0.000000" => zero.to_owned(),
        _ => text,
    }
}

/// The shortest decimal form; Rust's `Display` has no exponents.
fn number(value: f64) -> String {
    value.to_string()
}

fn long_text(outcome: &Outcome) -> Vec<String> {
    let mut lines = Vec::new();
    if let Some(http) = &outcome.http {
        lines.push(format!(
            "{} from {} over {:?}, {} redirects",
            http.url, http.peer, http.version, http.redirects
        ));
        let phases = &http.phases;
        let mut times = format!(
            "resolve {}, connect {}",
            shown(phases.resolve),
            shown(phases.connect)
        );
        if let Some(tls) = phases.tls {
            let _ = write!(times, ", TLS {}", shown(tls));
        }
        lines.push(format!(
            "{times}, processing {}, transfer {}; {} bytes",
            shown(phases.processing),
            shown(phases.transfer),
            http.size
        ));
    }
    for finding in &outcome.findings {
        lines.push(format!(
            "{} {}: {}",
            finding.step.name(),
            finding.severity.name(),
            finding.text
        ));
    }
    if let Some(seen) = &outcome.certificate {
        lines.push(format!(
            "certificate of {}: valid from {} to {}",
            seen.subject,
            crate::timestamp::utc(seen.not_before),
            crate::timestamp::utc(seen.not_after)
        ));
    }
    if let Some(clock) = &outcome.clock {
        lines.push(format!(
            "clock by {}: {} samples of {} used, shortest way there and back {}",
            clock.source,
            clock.used,
            clock.taken,
            quantity::seconds(clock.delay)
        ));
    }
    if let Some(trace) = &outcome.trace_id {
        lines.push(format!("trace {trace}"));
    }
    lines
}

fn shown(time: Duration) -> String {
    quantity::seconds(time.as_secs_f64())
}

#[cfg(test)]
mod tests;
