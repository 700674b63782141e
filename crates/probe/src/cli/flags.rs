//! The flags, with their defaults and the reasons for them.

use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser};
use regex::bytes::Regex;
use spinfo_program::network::NetworkFlags;
use spinfo_program::parsers::{duration, positive_duration, size};

use crate::check::expect::StatusSet;
use crate::clock::Source;
use crate::range::Range;

/// A check that may take longer than this makes no sense.
const DAY: Duration = Duration::from_secs(86_400);

const EXAMPLES: &str = "\
Examples:
  Is the service of this machine well?
      spinfo-probe http://127.0.0.1:3000
  Nagios or Icinga: slower than half a second is a warning, than two is critical
      spinfo-probe https://example.org/ -w 0.5 -c 2
  The health check of a container, which has its clock from the machine
      spinfo-probe --no-clock --no-telemetry --proxy '' --timeout 2s http://127.0.0.1:3000/readyz
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
      Where a trace of each check and its metrics go; without an endpoint there are none. What is
      not sent yet after the last check has two seconds; the output is out by then.
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
pub(super) struct Cli {
    // As text, because an error of clap's would repeat a password in it.
    /// What to check: an http or https URL.
    pub(super) url: String,

    #[command(flatten)]
    pub(super) answer: AnswerFlags,

    #[command(flatten)]
    pub(super) clock: ClockFlags,

    #[command(flatten)]
    pub(super) when: WhenFlags,

    #[command(flatten)]
    pub(super) output: OutputFlags,

    #[command(flatten)]
    pub(super) network: NetworkFlags,
}

#[derive(Args)]
#[command(next_help_heading = "Answer")]
pub(super) struct AnswerFlags {
    /// Statuses that are well, such as 200, 2xx, 200-299 or 200,404. A redirect whose status is among them is not followed.
    #[arg(long, value_name = "LIST", default_value = "2xx")]
    pub(super) expect_status: StatusSet,

    /// The body has to match this regular expression somewhere; `(?s)`, `(?i)` and so on change how.
    #[arg(long, value_name = "REGEX", conflicts_with = "expect_text")]
    pub(super) expect_body: Option<Regex>,

    /// The body has to contain this text.
    #[arg(long, value_name = "TEXT")]
    pub(super) expect_text: Option<String>,

    /// The longest body. The default is far more than a page that is checked should have.
    #[arg(long, value_name = "SIZE", default_value = "1MiB", value_parser = size)]
    pub(super) max_body: u64,

    /// How many redirects to follow; 0 takes the first answer as it is. Nobody needs ten, and more are a mistake.
    #[arg(long, value_name = "N", default_value_t = 10)]
    pub(super) max_redirects: u32,

    /// Seconds that the answer may take before it is a warning: a range of the guidelines, such as 0.5, 0.1:2, ~:2 or @1:2.
    #[arg(short, long, value_name = "RANGE", allow_hyphen_values = true)]
    pub(super) warning: Option<Range>,

    /// Seconds that the answer may take before it is critical: a range as for --warning.
    #[arg(short, long, value_name = "RANGE", allow_hyphen_values = true)]
    pub(super) critical: Option<Range>,

    /// Time that the certificate must still be valid, else it is a warning [default: 14days, or a quarter of its lifetime if that is
    /// less, for short-lived ones are renewed later].
    #[arg(long, value_name = "TIME", value_parser = duration)]
    pub(super) cert_warning: Option<Duration>,

    /// Time that the certificate must still be valid, else it is critical [default: 3days, or a tenth of its lifetime if that is less].
    #[arg(long, value_name = "TIME", value_parser = duration)]
    pub(super) cert_critical: Option<Duration>,
}

#[derive(Args)]
#[command(next_help_heading = "Clock")]
pub(super) struct ClockFlags {
    /// Leave the clock alone.
    #[arg(long)]
    pub(super) no_clock: bool,

    /// Where the server's time comes from: the stamps that --time-path answers as JSON, the time that it answers as text, the Date
    /// header of the URL, or, with auto, the first of these that there is.
    #[arg(long, value_name = "SOURCE", value_enum, default_value_t = Source::Auto)]
    pub(super) clock: Source,

    /// The path that answers with the time, on the server that the URL leads to. spinfo's default.
    #[arg(long, value_name = "PATH", default_value = "/now", value_parser = absolute_path)]
    pub(super) time_path: String,

    /// How often to ask for the time. Of several answers the one that came fastest says most; NTP keeps eight.
    #[arg(long, value_name = "N", default_value = "8")]
    pub(super) samples: NonZeroUsize,

    /// How far the server's clock may be ahead or behind. Logs, tokens and certificates tolerate one second.
    #[arg(long, value_name = "TIME", default_value = "1s", value_parser = duration)]
    pub(super) max_skew: Duration,
}

#[derive(Args)]
#[command(next_help_heading = "When")]
pub(super) struct WhenFlags {
    /// How long one check may take, the clock included. The default is what monitoring systems allow a plugin.
    #[arg(short, long, value_name = "TIME", default_value = "10s", value_parser = timeout)]
    pub(super) timeout: Duration,

    /// Check again, up to this often, when the outcome is not OK. Each attempt may take --timeout; the last one counts.
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub(super) retries: u32,

    /// How long to wait before checking again.
    #[arg(long, value_name = "TIME", default_value = "1s", value_parser = duration)]
    pub(super) retry_pause: Duration,

    /// Check again and again, this far apart, until SIGTERM or SIGINT (Ctrl-C), and exit with the code of the last check. Each
    /// check is moved by up to a tenth of it, so that many probes don't check in step.
    #[arg(long, value_name = "TIME", value_parser = positive_duration)]
    pub(super) interval: Option<Duration>,
}

#[derive(Args)]
#[command(next_help_heading = "Output")]
pub(super) struct OutputFlags {
    /// Print more lines: addresses, times of all phases, every finding.
    #[arg(short, long, conflicts_with = "json")]
    pub(super) verbose: bool,

    /// Leave OTEL_* alone. They may be meant for another program, whose health check this is.
    #[arg(long)]
    pub(super) no_telemetry: bool,

    /// Print one JSON object a check instead of the line.
    #[arg(long)]
    pub(super) json: bool,

    /// Write the outcome of each check to this file for the textfile collector of node_exporter, which reads names that end in .prom. It is
    /// replaced as a whole, and has to be a regular file or a link to one. probe_success is 0 when the check is CRITICAL; a clock that is UNKNOWN does not make it 0. What could not be
    /// measured has no sample.
    #[arg(long, value_name = "FILE")]
    pub(super) prometheus: Option<PathBuf>,
}

fn timeout(text: &str) -> Result<Duration, String> {
    match positive_duration(text)? {
        time if time > DAY => Err("write a time of at most a day, such as 10s".into()),
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
