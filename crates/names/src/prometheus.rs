//! Names of families, series and labels, after "Prometheus and OpenMetrics Compatibility".

use crate::{Attribute, Kind, Metric, metric, span};

/// What an instrument becomes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Type {
    /// Its samples end in `_total`.
    Counter,
    /// Its samples have the name of the family.
    Gauge,
    /// Its samples end in `_bucket`, `_count` and `_sum`.
    Histogram,
}

impl Type {
    /// The word for a `# TYPE` line.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Counter => "counter",
            Self::Gauge => "gauge",
            Self::Histogram => "histogram",
        }
    }

    const fn suffixes(self) -> &'static [&'static str] {
        match self {
            Self::Counter => &["_total"],
            Self::Gauge => &[""],
            Self::Histogram => &["_bucket", "_count", "_sum"],
        }
    }
}

impl From<Kind> for Type {
    fn from(kind: Kind) -> Self {
        match kind {
            Kind::Counter => Self::Counter,
            Kind::UpDownCounter | Kind::Gauge => Self::Gauge,
            Kind::Histogram(_) => Self::Histogram,
        }
    }
}

/// The names of a metric's series: `wasm.traps` has `wasm_traps_total`, a histogram has three.
pub fn series(metric: &Metric) -> impl Iterator<Item = String> {
    let kind = Type::from(metric.kind);
    let (family, _) = family(metric.name, metric.unit, kind);
    kind.suffixes()
        .iter()
        .map(move |suffix| format!("{family}{suffix}"))
}

/// The metric that a series is of.
pub fn find(name: &str) -> Option<&'static Metric> {
    metric::ALL
        .iter()
        .find(|metric| series(metric).any(|series| series == name))
}

/// The attribute that a label of a metric's series is of: one of its own, or one of its senders' resources, which Prometheus makes
/// labels where its `promote_resource_attributes` says so, and those of `target_info` in any case.
pub fn find_label(metric: &Metric, name: &str) -> Option<&'static Attribute> {
    let resources = span::RESOURCES
        .iter()
        .filter(|resource| metric.senders.contains(&resource.sender));
    let shared = resources.flat_map(|resource| resource.attributes);
    let mut all = metric.attributes.iter().chain(shared);
    all.find(|attribute| label(attribute.key) == name)
}

/// The name of the family, with its unit as the last word and without `_total`, and that unit.
pub fn family(name: &str, unit: &str, kind: Type) -> (String, Option<String>) {
    let mut family = sanitised(name, true);
    // The suffix belongs to the samples of counters; a gauge that kept it could not stand beside a counter without it.
    if let Some(stem) = family.strip_suffix("_total") {
        family = stem.to_owned();
    }
    let unit = match unit {
        "1" if kind == Type::Gauge => Some("ratio".to_owned()),
        "1" | "" => None,
        unit => unit_words(unit),
    };
    if let Some(unit) = &unit
        && family != *unit
        && !family.ends_with(&format!("_{unit}"))
    {
        family.push('_');
        family.push_str(unit);
    }
    (family, unit)
}

/// The name of a label.
pub fn label(key: &str) -> String {
    sanitised(key, false)
}

/// A name of letters, digits and single underscores, and of colons where they are allowed, that does not begin with a digit.
fn sanitised(name: &str, colons: bool) -> String {
    let mut clean = String::with_capacity(name.len() + 1);
    for character in name.chars() {
        let keep = character.is_ascii_alphanumeric() || colons && character == ':';
        if clean.is_empty() && character.is_ascii_digit() {
            clean.push('_');
        }
        if keep {
            clean.push(character);
        } else if !clean.ends_with('_') {
            clean.push('_');
        }
    }
    if clean.is_empty() {
        "_".to_owned()
    } else {
        clean
    }
}

/// A UCUM unit in words: `By/s` is `bytes_per_second`. Remarks in braces are no units.
fn unit_words(unit: &str) -> Option<String> {
    let mut bare = String::with_capacity(unit.len());
    let mut depth = 0_u32;
    for character in unit.chars() {
        match character {
            '{' => depth += 1,
            '}' => depth = depth.saturating_sub(1),
            _ if depth == 0 => bare.push(character),
            _ => {}
        }
    }
    let (amount, per) = bare
        .split_once('/')
        .map_or((bare.as_str(), None), |(amount, per)| (amount, Some(per)));
    let amount = (!amount.is_empty() && amount != "1").then(|| sanitised(plural(amount), false));
    let per = per
        .filter(|per| !per.is_empty())
        .map(|per| format!("per_{}", sanitised(singular(per), false)));
    let words = [amount, per]
        .into_iter()
        .flatten()
        .collect::<Vec<_>>()
        .join("_");
    let words = words.trim_matches('_');
    (!words.is_empty()).then(|| words.to_owned())
}

fn plural(unit: &str) -> &str {
    match unit {
        "d" => "days",
        "h" => "hours",
        "min" => "minutes",
        "s" => "seconds",
        "ms" => "milliseconds",
        "us" => "microseconds",
        "ns" => "nanoseconds",
        "By" => "bytes",
        "KiBy" => "kibibytes",
        "MiBy" => "mebibytes",
        "GiBy" => "gibibytes",
        "TiBy" => "tibibytes",
        "KBy" | "kBy" => "kilobytes",
        "MBy" => "megabytes",
        "GBy" => "gigabytes",
        "TBy" => "terabytes",
        "m" => "meters",
        "V" => "volts",
        "A" => "amperes",
        "J" => "joules",
        "W" => "watts",
        "g" => "grams",
        "Cel" => "celsius",
        "Hz" => "hertz",
        "%" => "percent",
        other => other,
    }
}

fn singular(unit: &str) -> &str {
    match unit {
        "s" => "second",
        "m" | "min" => "minute",
        "h" => "hour",
        "d" => "day",
        "w" | "wk" => "week",
        "mo" => "month",
        "y" | "a" => "year",
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_become_the_last_word() {
        for (name, unit, kind, family_name, unit_name) in [
            (
                "http.server.request.duration",
                "s",
                Type::Histogram,
                "http_server_request_duration_seconds",
                Some("seconds"),
            ),
            (
                "http.server.active_requests",
                "{request}",
                Type::Gauge,
                "http_server_active_requests",
                None,
            ),
            (
                "http.server.request.body.size",
                "By",
                Type::Histogram,
                "http_server_request_body_size_bytes",
                Some("bytes"),
            ),
            (
                "wait.seconds",
                "s",
                Type::Counter,
                "wait_seconds",
                Some("seconds"),
            ),
            ("jobs_total", "1", Type::Counter, "jobs", None),
            (
                "jobs.seconds.total",
                "s",
                Type::Counter,
                "jobs_seconds",
                Some("seconds"),
            ),
            ("load", "1", Type::Gauge, "load_ratio", Some("ratio")),
            (
                "disk.io",
                "By/s",
                Type::Gauge,
                "disk_io_bytes_per_second",
                Some("bytes_per_second"),
            ),
            (
                "flow",
                "{packet}/s",
                Type::Gauge,
                "flow_per_second",
                Some("per_second"),
            ),
            ("2nd..try-ä", "", Type::Gauge, "_2nd_try_", None),
            ("odd", "{unclosed", Type::Gauge, "odd", None),
        ] {
            assert_eq!(
                family(name, unit, kind),
                (family_name.to_owned(), unit_name.map(str::to_owned)),
                "{name}"
            );
        }
    }

    #[test]
    fn labels_have_no_colons() {
        assert_eq!(label("http.route"), "http_route");
        assert_eq!(label("a:b"), "a_b");
        assert_eq!(label("1st"), "_1st");
        assert_eq!(label(""), "_");
    }

    #[test]
    fn every_series_leads_back_to_its_metric() {
        for metric in metric::ALL {
            for name in series(metric) {
                assert_eq!(find(&name), Some(metric), "{name}");
            }
        }
        let bucket = find("http_server_request_duration_seconds_bucket").unwrap();
        assert_eq!(bucket, &metric::HTTP_SERVER_REQUEST_DURATION);
        assert!(find("http_server_request_duration_seconds").is_none());
        assert!(find("wasm_traps").is_none());
        let reason = find_label(&metric::REJECTIONS, "spinfo_rejection_reason").unwrap();
        assert!(reason.values.allow("queue_full") && !reason.values.allow("draining"));
        assert!(find_label(&metric::REJECTIONS, "service_version").is_some());
        assert!(find_label(&metric::REJECTIONS, "http_route").is_none());
    }
}
