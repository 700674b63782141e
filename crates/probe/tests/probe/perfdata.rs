//! Reading a plugin's output by the Monitoring Plugins Development Guidelines, sections "Plugin Output for Nagios", "Threshold and Ranges" and
//! "Performance data". Written from them and not from the program.

/// One plugin's output.
#[derive(Debug)]
pub(crate) struct PluginOutput {
    pub(crate) service: String,
    pub(crate) status: String,
    pub(crate) text: String,
    pub(crate) data: Vec<Perfdata>,
    pub(crate) long_text: Vec<String>,
}

/// `'label'=value[UOM];[warn];[crit];[min];[max]`.
#[derive(Debug, PartialEq)]
pub(crate) struct Perfdata {
    pub(crate) label: String,
    pub(crate) value: f64,
    pub(crate) unit: String,
    pub(crate) warning: Option<String>,
    pub(crate) critical: Option<String>,
    pub(crate) minimum: Option<f64>,
    pub(crate) maximum: Option<f64>,
}

impl PluginOutput {
    /// # Panics
    /// When it is not what the guidelines say.
    pub(crate) fn parse(output: &str) -> Self {
        let mut lines = output.lines();
        let first = lines.next().expect("a first line");
        let (said, data) = first.split_once('|').unwrap_or((first, ""));
        assert!(!data.contains('|'), "one pipe at most: {first}");
        let (service, rest) = said.split_once(' ').expect("a service");
        let (status, text) = rest.split_once(" - ").expect("a status and a text");
        assert!(
            ["OK", "WARNING", "CRITICAL", "UNKNOWN"].contains(&status),
            "{first}"
        );
        assert!(!text.trim().is_empty(), "a text: {first}");
        let long_text: Vec<_> = lines.map(str::to_owned).collect();
        assert!(long_text.iter().all(|line| !line.contains('|')), "{output}");
        Self {
            service: service.to_owned(),
            status: status.to_owned(),
            text: text.trim_end().to_owned(),
            data: data.split_ascii_whitespace().map(Perfdata::parse).collect(),
            long_text,
        }
    }

    /// # Panics
    /// When there is no such label.
    pub(crate) fn get(&self, label: &str) -> &Perfdata {
        let mut data = self.data.iter();
        data.find(|data| data.label == label)
            .unwrap_or_else(|| panic!("no {label} in {self:?}"))
    }
}

impl Perfdata {
    /// "This may be [...] U: the actual value couldn't be determined".
    fn unknown(label: String) -> Self {
        Self {
            label,
            value: f64::NAN,
            unit: String::new(),
            warning: None,
            critical: None,
            minimum: None,
            maximum: None,
        }
    }

    fn parse(text: &str) -> Self {
        let (label, rest) = text.split_once('=').expect("a label");
        let label = label.trim_matches('\'').to_owned();
        assert!(!label.is_empty() && !label.contains('\''), "{text}");
        if rest == "U" {
            return Self::unknown(label);
        }
        let mut parts = rest.split(';');
        let value = parts.next().expect("a value");
        let end = value
            .find(|character: char| !is_number_class(character))
            .unwrap_or(value.len());
        let (value, unit) = value.split_at(end);
        assert!(
            ["", "s", "us", "ms", "%", "B", "KB", "MB", "TB", "c"].contains(&unit),
            "unit in {text}"
        );
        let mut next = || parts.next().filter(|part| !part.is_empty());
        let (warning, critical) = (next(), next());
        for range in [warning, critical].into_iter().flatten() {
            check_range(range);
        }
        let (minimum, maximum) = (next().map(number), next().map(number));
        assert_eq!(parts.next(), None, "five parts at most: {text}");
        Self {
            label,
            value: number(value),
            unit: unit.to_owned(),
            warning: warning.map(str::to_owned),
            critical: critical.map(str::to_owned),
            minimum,
            maximum,
        }
    }
}

/// "value, min and max in class [-0-9.]".
fn is_number_class(character: char) -> bool {
    character.is_ascii_digit() || character == '-' || character == '.'
}

fn number(text: &str) -> f64 {
    assert!(text.chars().all(is_number_class), "{text}");
    text.parse().unwrap_or_else(|_| panic!("number: {text}"))
}

/// `[@]start:end`, where `start:` may be missing, be `~`, and `end` may be missing behind a colon.
fn check_range(text: &str) {
    let ends = text.strip_prefix('@').unwrap_or(text);
    let (start, end) = ends.split_once(':').unwrap_or(("0", ends));
    let start = match start {
        "~" => f64::NEG_INFINITY,
        "" => 0.0,
        start => number(start),
    };
    let end = match end {
        "" => f64::INFINITY,
        end => number(end),
    };
    assert!(start <= end, "{text}");
}
