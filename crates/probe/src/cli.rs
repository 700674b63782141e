//! Flags and environment variables. No other file of the program reads either.

use std::ffi::OsString;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::Context as _;
use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Args, CommandFactory as _, FromArgMatches as _, Parser};
use regex::bytes::Regex;
use spinfo_client::generate::{Generate, GenerateFlags};
use spinfo_client::{NetworkFlags, Options, Target};

use crate::check::expect::{BodyPattern, StatusSet};
use crate::check::{ClockSettings, Settings};
use crate::clock::Source;
use crate::range::Range;

const EXAMPLES: &str = "\
Examples:
  Is the service of this machine well?
      spinfo-probe http://127.0.0.1:3000
  Nagios or Icinga: slower than half a second is a warning, than two is critical
      spinfo-probe https://example.org/ -w 0.5 -c 2
  The health check of a container, which has its clock from the machine
      spinfo-probe --no-clock --timeout 2s http://127.0.0.1:3000/readyz
  Cron and Prometheus: a file for the textfile collector of node_exporter
      spinfo-probe https://example.org/ --prometheus /var/lib/node_exporter/spinfo.prom
  Every 15 seconds until SIGTERM, as JSON
      spinfo-probe https://example.org/ --interval 15s --json
  A token that is not in the list of processes, and an authority of one's own
      spinfo-probe https://example.org/ -H 'Authorization: @/run/secrets/header' --cacert ca.pem

Exit codes:
  0 OK, 1 WARNING, 2 CRITICAL, 3 UNKNOWN, by the worst finding, in the order critical, warning,
  unknown. Flags that make no sense are UNKNOWN. So is a clock of which it is certain neither that
  it is within --max-skew nor that it is not.

Environment:
  OTEL_EXPORTER_OTLP_ENDPOINT and the other OTEL_* variables
      Where a trace of each check and its metrics go; without an endpoint there are none.
  http_proxy, https_proxy, all_proxy, no_proxy
      Proxies, as --proxy and --noproxy say.
  SSL_CERT_FILE, SSL_CERT_DIR
      Trusted authorities in place of the system's.";

/// Is it up, and is its clock right? Checks a server once, from outside.
///
/// Asks the URL, follows redirects, and looks at the status, the body, the time it took and the certificate. Then measures the
/// server's clock as NTP does and compares it with that of this machine. Says all that in one line, as the Monitoring Plugins
/// guidelines have it, and in the exit code.
#[derive(Parser)]
#[command(name = "spinfo-probe", version, after_long_help = EXAMPLES, after_help = "--help has examples and explains more.")]
pub(crate) struct Cli {
    // As text, because an error of clap's would repeat a password in it.
    /// What to check: an http or https URL.
    url: String,

    #[command(flatten)]
    answer: AnswerFlags,

    #[command(flatten)]
    clock: ClockFlags,

    #[command(flatten)]
    when: WhenFlags,

    #[command(flatten)]
    output: OutputFlags,

    #[command(flatten)]
    network: NetworkFlags,

    #[command(flatten)]
    _generate: GenerateFlags,
}

#[derive(Args)]
#[command(next_help_heading = "Answer")]
struct AnswerFlags {
    /// Statuses that are well, such as 200, 2xx, 200-299 or 200,404. A redirect whose status is among them is not followed.
    #[arg(long, value_name = "LIST", default_value = "2xx")]
    expect_status: StatusSet,

    /// The body has to match this regular expression somewhere; `(?s)`, `(?i)` and so on change how.
    #[arg(long, value_name = "REGEX", conflicts_with = "expect_text")]
    expect_body: Option<Regex>,

    /// The body has to contain this text.
    #[arg(long, value_name = "TEXT")]
    expect_text: Option<String>,

    /// The longest body in bytes. The default, 1 MiB, is far more than a page that is checked should have.
    #[arg(long, value_name = "BYTES", default_value_t = 1 << 20)]
    max_body: usize,

    /// How many redirects to follow; 0 takes the first answer as it is. Nobody needs ten, and more are a mistake.
    #[arg(long, value_name = "N", default_value_t = 10)]
    max_redirects: u32,

    /// Seconds that the answer may take before it is a warning: a range of the guidelines, such as 0.5, 0.1:2, ~:2 or @1:2.
    #[arg(short, long, value_name = "RANGE", allow_hyphen_values = true)]
    warning: Option<Range>,

    /// Seconds that the answer may take before it is critical: a range as for --warning.
    #[arg(short, long, value_name = "RANGE", allow_hyphen_values = true)]
    critical: Option<Range>,

    /// Time that the certificate must still be valid, else it is a warning [default: 14days, or a quarter of its lifetime if that is
    /// less, for short-lived ones are renewed later].
    #[arg(long, value_name = "TIME", value_parser = duration)]
    cert_warning: Option<Duration>,

    /// Time that the certificate must still be valid, else it is critical [default: 3days, or a tenth of its lifetime if that is less].
    #[arg(long, value_name = "TIME", value_parser = duration)]
    cert_critical: Option<Duration>,
}

#[derive(Args)]
#[command(next_help_heading = "Clock")]
struct ClockFlags {
    /// Leave the clock alone.
    #[arg(long)]
    no_clock: bool,

    /// Where the server's time comes from: the stamps that --time-path answers as JSON, the time that it answers as text, the Date
    /// header of the URL, or, with auto, the first of these that there is.
    #[arg(long, value_name = "SOURCE", value_enum, default_value_t = Source::Auto)]
    clock: Source,

    /// The path that answers with the time, on the server that the URL leads to. spinfo's default.
    #[arg(long, value_name = "PATH", default_value = "/now", value_parser = absolute_path)]
    time_path: String,

    /// How often to ask for the time. Of several answers the one that came fastest says most; NTP keeps eight.
    #[arg(long, value_name = "N", default_value = "8")]
    samples: NonZeroUsize,

    /// How far the server's clock may be ahead or behind. One second is what logs, tokens and certificates bear.
    #[arg(long, value_name = "TIME", default_value = "1s", value_parser = duration)]
    max_skew: Duration,
}

#[derive(Args)]
#[command(next_help_heading = "When")]
struct WhenFlags {
    /// How long one check may take, the clock included. The default is what monitoring systems allow a plugin.
    #[arg(short, long, value_name = "TIME", default_value = "10s", value_parser = positive)]
    timeout: Duration,

    /// Check again, up to this often, when the outcome is not OK. Each attempt may take --timeout; the last one counts.
    #[arg(long, value_name = "N", default_value_t = 0)]
    retries: u32,

    /// How long to wait before checking again.
    #[arg(long, value_name = "TIME", default_value = "1s", value_parser = duration)]
    retry_pause: Duration,

    /// Check again and again, this far apart, until SIGTERM or SIGINT (Ctrl-C), and exit with the code of the last check. Each
    /// check is moved by up to a tenth of it, so that many probes don't check in step.
    #[arg(long, value_name = "TIME", value_parser = positive)]
    interval: Option<Duration>,
}

#[derive(Args)]
#[command(next_help_heading = "Output")]
struct OutputFlags {
    /// Print more lines: addresses, times of all phases, every finding.
    #[arg(short, long, conflicts_with = "json")]
    verbose: bool,

    /// Print one JSON object a check instead of the line.
    #[arg(long)]
    json: bool,

    /// Write the outcome of each check to this file for the textfile collector of node_exporter, which reads names that end in .prom. It is
    /// replaced as a whole. probe_success is 0 when the check is CRITICAL; what could not be measured has no sample.
    #[arg(long, value_name = "FILE")]
    prometheus: Option<PathBuf>,
}

/// What is to be done.
pub(crate) enum Task {
    /// A man page or completions.
    Generate(Generate),
    /// Checks.
    Probe(Box<Job>),
}

impl Task {
    /// Reads the process's arguments and environment. Prints help and the version, and then ends the process.
    ///
    /// # Errors
    /// What is wrong with them, for people. What may be a secret is not repeated.
    pub(crate) fn from_process() -> anyhow::Result<Self> {
        Self::of(std::env::args_os())
    }

    fn of(
        arguments: impl IntoIterator<Item = impl Into<OsString> + Clone>,
    ) -> anyhow::Result<Self> {
        let parsed = command()
            .try_get_matches_from(arguments)
            .and_then(|matches| {
                Ok(match Generate::requested(&matches) {
                    Some(generate) => Err(generate),
                    None => Ok(Cli::from_arg_matches(&matches)?),
                })
            });
        match parsed {
            Ok(Ok(cli)) => Ok(Self::Probe(Box::new(cli.job()?))),
            Ok(Err(generate)) => Ok(Self::Generate(generate)),
            Err(error) if error.exit_code() == 0 => error.exit(),
            Err(error) => Err(anyhow::Error::msg(without_secrets(&error))),
        }
    }
}

/// Checks, and what becomes of their outcomes.
pub(crate) struct Job {
    pub(crate) settings: Settings,
    pub(crate) connection: Options,
    pub(crate) retry_pause: Duration,
    pub(crate) interval: Option<Duration>,
    pub(crate) output: Output,
}

/// What becomes of an outcome.
pub(crate) struct Output {
    pub(crate) format: Format,
    pub(crate) prometheus: Option<PathBuf>,
}

/// How an outcome is printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Format {
    Line,
    LongText,
    Json,
}

impl Cli {
    /// Reads the files that flags name, and leaves no error for later.
    fn job(self) -> anyhow::Result<Job> {
        let target: Target = self.url.parse().context("the URL cannot be checked")?;
        let mut connection = self.network.options(environment_pairs())?;
        connection
            .user_agent
            .get_or_insert(http::HeaderValue::from_static(concat!(
                "spinfo-probe/",
                env!("CARGO_PKG_VERSION")
            )));
        let AnswerFlags {
            expect_body,
            expect_text,
            ..
        } = self.answer;
        let body = match (expect_body, expect_text) {
            (Some(regex), _) => Some(BodyPattern::Regex(regex)),
            (None, text) => text.map(BodyPattern::Text),
        };
        let clock = (!self.clock.no_clock).then_some(ClockSettings {
            source: self.clock.clock,
            path: self.clock.time_path,
            samples: self.clock.samples,
            max_skew: self.clock.max_skew,
        });
        let settings = Settings {
            target,
            headers: self.network.headers()?,
            status: self.answer.expect_status,
            body,
            max_body: self.answer.max_body,
            max_redirects: self.answer.max_redirects,
            warning: self.answer.warning,
            critical: self.answer.critical,
            cert_warning: self.answer.cert_warning,
            cert_critical: self.answer.cert_critical,
            clock,
            timeout: self.when.timeout,
            retries: self.when.retries,
        };
        let format = match (self.output.json, self.output.verbose) {
            (true, _) => Format::Json,
            (false, true) => Format::LongText,
            (false, false) => Format::Line,
        };
        Ok(Job {
            settings,
            connection,
            retry_pause: self.when.retry_pause,
            interval: self.when.interval,
            output: Output {
                format,
                prometheus: self.output.prometheus,
            },
        })
    }
}

/// Whether why there is no check is to be JSON. It must be known of arguments that cannot be parsed, too.
pub(crate) fn wants_json() -> bool {
    std::env::args_os().any(|argument| argument == "--json")
}

/// The definitions of all flags, for the man page and completions.
pub(crate) fn command() -> clap::Command {
    Cli::command()
}

/// An environment variable: for `OTEL_*`, whose names only their readers know.
pub(crate) fn environment(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

/// All of them: for those of proxies, whose names only the client knows.
fn environment_pairs() -> impl Iterator<Item = (OsString, OsString)> {
    std::env::vars_os()
}

/// clap's error, unless it would repeat what no flag claims: that may be a header whose `-H` was forgotten, or a second URL with
/// a password in it.
fn without_secrets(error: &clap::Error) -> String {
    let unclaimed = match error.get(ContextKind::InvalidArg) {
        Some(ContextValue::String(argument)) => !argument.starts_with('-'),
        _ => false,
    };
    if error.kind() == ErrorKind::UnknownArgument && unclaimed {
        return "there is more than one URL, or a value without its flag (it is not repeated, for it may be a secret)".to_owned();
    }
    let text = error.render().to_string();
    let text = text.trim();
    text.strip_prefix("error: ").unwrap_or(text).to_owned()
}

fn duration(text: &str) -> Result<Duration, String> {
    humantime::parse_duration(text).map_err(|_| "write a time such as 500ms, 30s or 14days".into())
}

fn positive(text: &str) -> Result<Duration, String> {
    match duration(text)? {
        Duration::ZERO => Err("write a time above 0, such as 500ms or 30s".into()),
        time => Ok(time),
    }
}

fn absolute_path(text: &str) -> Result<String, String> {
    // Two slashes would begin the name of another host (RFC 3986, section 4.2).
    if text.starts_with('/') && !text.starts_with("//") {
        Ok(text.to_owned())
    } else {
        Err(
            "write a path such as /now: the time is asked of the server that the URL leads to"
                .into(),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn task(arguments: &[&str]) -> anyhow::Result<Task> {
        Task::of([&["spinfo-probe"], arguments].concat())
    }

    fn job(arguments: &[&str]) -> Box<Job> {
        match task(arguments).unwrap() {
            Task::Probe(job) => job,
            Task::Generate(_) => panic!("no checks"),
        }
    }

    fn error(arguments: &[&str]) -> String {
        let error = task(arguments).err().expect("an error");
        format!("{error:#}")
    }

    #[test]
    fn the_flags_are_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn a_url_is_enough() {
        let job = job(&["http://127.0.0.1:3000"]);
        assert_eq!(job.settings.timeout, Duration::from_secs(10));
        assert_eq!(job.settings.max_redirects, 10);
        assert_eq!(job.settings.max_body, 1_048_576);
        let clock = job.settings.clock.unwrap();
        assert_eq!((clock.path.as_str(), clock.samples.get()), ("/now", 8));
        assert_eq!(job.output.format, Format::Line);
        let agent = job.connection.user_agent.unwrap();
        assert!(agent.to_str().unwrap().starts_with("spinfo-probe/"));
    }

    #[test]
    fn ranges_may_begin_with_a_sign_or_a_tilde() {
        let job = job(&["http://h", "-w", "~:2", "-c", "-1:5", "--no-clock"]);
        assert!(job.settings.warning.unwrap().alerts(3.0));
        assert!(job.settings.critical.unwrap().alerts(6.0));
        assert!(job.settings.clock.is_none());
    }

    #[test]
    fn errors_say_what_to_write() {
        for (arguments, expected) in [
            (&["http://h", "--timeout", "10"][..], "30s"),
            (&["http://h", "--timeout", "0s"], "above 0"),
            (&["http://h", "--time-path", "now"], "/now"),
            (&["http://h", "--time-path", "//evil/now"], "/now"),
            (&["http://h", "-w", "2:1"], "smaller end"),
            (&["http://h", "--expect-status", "2"], "200-299"),
            (&["http://h", "--samples", "0"], "zero"),
            (&["http://h", "--expect-body", "("], "unclosed"),
            (&[], "required"),
        ] {
            let text = error(arguments);
            assert!(text.contains(expected), "{arguments:?}: {text}");
        }
    }

    #[test]
    fn what_may_be_a_secret_is_not_repeated() {
        for arguments in [
            &["http://h", "http://me:hunter2@h"][..],
            &["http://h", "Authorization: hunter2"],
            &["ftp://me:hunter2@h"],
            &["http://h", "-H", "hunter2"],
            &["http://h", "-H", "Authorization: hunter2\u{1}"],
            &["http://h", "--proxy", "socks5://me:hunter2@h"],
        ] {
            let text = error(arguments);
            assert!(!text.contains("hunter2"), "{text}");
        }
    }

    #[test]
    fn pages_need_no_url() {
        let task = task(&["--generate", "man"]).unwrap();
        assert!(matches!(task, Task::Generate(Generate::Man)));
    }
}
