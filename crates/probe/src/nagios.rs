//! The output of the Monitoring Plugins Development Guidelines: one line of status, performance data behind a `|`, and on request
//! more lines.

use std::fmt::Write as _;
use std::time::Duration;

use crate::check::{Outcome, Settings};
use crate::range::Range;
use crate::{measurement, quantity};

/// The whole output of one check, without the newline at its end. `verbose` adds the long text, one line for each fact.
pub(crate) fn output(outcome: &Outcome, settings: &Settings, verbose: bool) -> String {
    let mut output = status(outcome.severity().name(), &summary(outcome, settings));
    let _ = write!(
        output,
        " | {}",
        performance_data(outcome, settings).join(" ")
    );
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

/// `label=value[unit];[warning];[critical];[minimum];[maximum]` of everything that may be measured: the labels are always the same, and
/// what is not known is `U`.
fn performance_data(outcome: &Outcome, settings: &Settings) -> Vec<String> {
    let with_clock = settings.clock.is_some();
    let of_clock = |label: &str| label.starts_with("offset");
    measurement::ALL
        .iter()
        .filter_map(|measurement| {
            let (label, unit) = measurement
                .label
                .filter(|(label, _)| with_clock || !of_clock(label))?;
            let Some(value) = (measurement.value)(outcome) else {
                return Some(format!("{label}=U"));
            };
            let value = match label {
                // Never less than it is.
                "offset_bound" => decimal((value * 1e6).ceil() / 1e6),
                "size" | "cert" => number(value.trunc()),
                _ => decimal(value),
            };
            let thresholds = thresholds(label, outcome, settings).join(";");
            let text = format!("{label}={value}{unit};{thresholds}");
            Some(text.trim_end_matches(';').to_owned())
        })
        .collect()
}

/// Warning, critical, minimum and maximum.
fn thresholds(label: &str, outcome: &Outcome, settings: &Settings) -> [String; 4] {
    let range = |range: &Option<Range>| range.as_ref().map(ToString::to_string).unwrap_or_default();
    let none = String::new;
    match (label, &settings.clock, &outcome.certificate) {
        ("time", ..) => [
            range(&settings.warning),
            range(&settings.critical),
            "0".to_owned(),
            number(settings.timeout.as_secs_f64()),
        ],
        ("offset", Some(clock), _) => {
            let limit = number(clock.max_skew.as_secs_f64());
            [none(), format!("-{limit}:{limit}"), none(), none()]
        }
        ("cert", _, Some(seen)) => {
            let below = |limit: Duration| format!("{}:", number(limit.as_secs_f64()));
            [below(seen.warning), below(seen.critical), none(), none()]
        }
        _ => [none(), none(), "0".to_owned(), none()],
    }
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
