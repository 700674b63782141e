//! Flags and environment variables. No other file of the program reads either.

use std::ffi::OsString;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, ValueEnum};
use spinfo_client::generate::GenerateFlags;
use spinfo_client::{NetworkFlags, Target};
use spinfo_telemetry::{LogFormat, LogOptions};

/// The variable with the bearer token for changes, for those who have no file.
pub(crate) const TOKEN_VARIABLE: &str = "SPINFO_ADMIN_TOKEN";

/// Requests the status endpoints of servers again and again, reports what a client sees, and from time to time tells the
/// servers to change their state and checks that they do
#[derive(Debug, Parser)]
#[command(
    name = "spinfo-monitor",
    version,
    arg_required_else_help = true,
    // A later flag wins: that is how those of the command line stand above those of the fleet file.
    args_override_self = true,
    after_long_help = AFTER_HELP
)]
pub(crate) struct Cli {
    /// Servers: http or https, with the path below which --path is, if any
    #[arg(value_name = "URL")]
    pub(crate) urls: Vec<Target>,

    #[command(flatten)]
    pub(crate) requests: RequestFlags,

    #[command(flatten)]
    pub(crate) run: RunFlags,

    #[command(flatten)]
    pub(crate) network: NetworkFlags,

    /// Read defaults and targets from this TOML file; flags win over it. Keys are the names of the flags with _ for -, except that
    /// --header is a table `headers`; each [[target]] has a `url`, a `name` if you like, and what is different for it
    #[arg(long, value_name = "FILE", help_heading = "Run")]
    pub(crate) config: Option<PathBuf>,

    #[command(flatten)]
    pub(crate) log: LogFlags,

    #[command(flatten)]
    pub(crate) generate: GenerateFlags,
}

const AFTER_HELP: &str = "\
A request succeeds with a 2xx answer, or with exactly the code of the state that this program asked for. Redirects are \
not followed: they are failures. Errors are told apart: dns, connect, proxy, tls, timeout, reset, protocol, status, body.

Percentiles are corrected for coordinated omission: an answer that took several intervals counts as well for the \
requests that would have been sent in the meantime.

SIGTERM, SIGINT and SIGHUP stop it: what is under way is finished, a state that it changed is put back, and a summary goes to \
stderr. A second signal ends it at once.

Telemetry is sent when OTEL_EXPORTER_OTLP_ENDPOINT or another variable of OpenTelemetry names a receiver. Each request carries a \
traceparent, with or without one.

Exit status: 0 when all is well, 1 when a target's share of failures is above --fail-over, 2 for flags or files that make \
no sense, 130 after a second signal.";

/// What may be different for each target of a fleet.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Requests")]
pub(crate) struct RequestFlags {
    /// Time between the starts of two requests to a target. Ticks that fall while one is under way are counted as missed and not
    /// made up for
    #[arg(short, long, default_value = "1s", value_name = "TIME", value_parser = positive_duration)]
    pub(crate) interval: Duration,

    /// How long a request may take, from the look-up of the name to the last byte
    #[arg(short, long, default_value = "5s", value_name = "TIME", value_parser = positive_duration)]
    pub(crate) timeout: Duration,

    /// Path of the status endpoint below the URL
    #[arg(long, default_value = "/status", value_name = "PATH", value_parser = path)]
    pub(crate) path: String,

    /// Make a new connection for each request
    #[arg(long)]
    pub(crate) no_keepalive: bool,

    /// Time between two changes of the server's state; 0 for none. The first comes after this time, each right after a request
    #[arg(
        long,
        default_value = "1m",
        value_name = "TIME",
        value_parser = duration,
        help_heading = "Changes"
    )]
    pub(crate) change_interval: Duration,

    /// How long the status endpoint may go on showing the state from before a change. The request after a change is always
    /// waited for
    #[arg(
        long,
        default_value = "10s",
        value_name = "TIME",
        value_parser = duration,
        help_heading = "Changes"
    )]
    pub(crate) change_timeout: Duration,

    /// Path of the endpoint, below the URL, that moves the server on to its next state
    #[arg(
        long,
        default_value = "/status/change",
        value_name = "PATH",
        value_parser = path,
        help_heading = "Changes"
    )]
    pub(crate) change_path: String,

    /// File with the bearer token for changes. Without it SPINFO_ADMIN_TOKEN is taken
    #[arg(long, value_name = "FILE", help_heading = "Changes")]
    pub(crate) admin_token_file: Option<PathBuf>,

    /// Leave the state as it is at the end, instead of putting back one that was changed
    #[arg(long, help_heading = "Changes")]
    pub(crate) keep_state: bool,
}

/// What is the same for all targets.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Run")]
pub(crate) struct RunFlags {
    /// Stop after this time. Without it and --count it goes on until a signal
    #[arg(long, value_name = "TIME", value_parser = positive_duration)]
    pub(crate) duration: Option<Duration>,

    /// Stop after so many requests to each target
    #[arg(short = 'n', long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) count: Option<u64>,

    /// Exit with 1 when more than this share of a target's requests failed: 5% or 0.05. The default never does
    #[arg(long, default_value = "100%", value_name = "SHARE", value_parser = share)]
    pub(crate) fail_over: f64,

    /// What is shown on stdout
    #[arg(short, long, value_enum, default_value_t = OutputFlag::Auto, value_name = "FORM")]
    pub(crate) output: OutputFlag,

    /// Serve /metrics and /healthz on this address, such as 127.0.0.1:9798; port 0 takes a free one
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) listen: Option<SocketAddr>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum OutputFlag {
    /// A live table on a terminal, JSON lines elsewhere
    Auto,
    /// A table that is redrawn in place
    Live,
    /// One line for people for each request
    Lines,
    /// One JSON object a line for each request and change, and one for the summary
    Json,
}

#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Other")]
pub(crate) struct LogFlags {
    /// How log lines on stderr look
    #[arg(long, value_enum, default_value_t = LogForm::Auto, value_name = "FORM")]
    log_format: LogForm,

    /// Levels of log lines, for all or by target: `warn`, or `info,spinfo_monitor=debug` [env: SPINFO_LOG=] [default: info; off
    /// while the live table is shown]
    #[arg(long, value_name = "FILTER")]
    log: Option<String>,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum LogForm {
    /// Text on a terminal, JSON elsewhere
    Auto,
    /// One line for people
    Text,
    /// One JSON object a line
    Json,
}

impl LogFlags {
    /// What logging is to be, `live` when the terminal belongs to the live table.
    pub(crate) fn options(&self, live: bool) -> LogOptions {
        let default = if live { "off" } else { "info" };
        let filter = self.log.clone().or_else(|| environment("SPINFO_LOG"));
        LogOptions {
            format: match self.log_format {
                LogForm::Auto => LogFormat::Auto,
                LogForm::Text => LogFormat::Text,
                LogForm::Json => LogFormat::Json,
            },
            filter: Some(filter.unwrap_or_else(|| default.to_owned())),
            no_color: environment("NO_COLOR").is_some_and(|value| !value.is_empty()),
        }
    }
}

/// The process's arguments.
pub(crate) fn arguments() -> Vec<OsString> {
    std::env::args_os().collect()
}

/// An environment variable: for `OTEL_*`, whose names only their reader knows, and for what is no flag.
pub(crate) fn environment(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

/// All environment variables, for those of proxies, whose rules are the client's.
pub(crate) fn variables() -> impl Iterator<Item = (OsString, OsString)> {
    std::env::vars_os()
}

/// Whether `TERM` and `NO_COLOR` allow for a live table and for colour.
#[derive(Clone, Debug)]
pub(crate) struct Terminal {
    pub(crate) term: Option<OsString>,
    pub(crate) no_color: Option<OsString>,
}

impl Terminal {
    pub(crate) fn from_process() -> Self {
        Self {
            term: std::env::var_os("TERM"),
            no_color: std::env::var_os("NO_COLOR"),
        }
    }
}

fn duration(text: &str) -> Result<Duration, String> {
    humantime::parse_duration(text).map_err(|_| "write a time such as 500ms, 30s or 2m".into())
}

fn positive_duration(text: &str) -> Result<Duration, String> {
    match duration(text)? {
        time if time < SHORTEST => Err("write a time of at least 1ms".into()),
        time => Ok(time),
    }
}

/// Less than the timer's resolution is no interval.
const SHORTEST: Duration = Duration::from_millis(1);

fn path(text: &str) -> Result<String, String> {
    if text.starts_with('/') {
        Ok(text.to_owned())
    } else {
        Err("write a path that begins with /".into())
    }
}

fn share(text: &str) -> Result<f64, String> {
    let (number, scale) = match text.strip_suffix('%') {
        Some(percent) => (percent.trim_end(), 100.0),
        None => (text, 1.0),
    };
    let share = number.parse::<f64>().map(|number| number / scale);
    match share {
        Ok(share) if (0.0..=1.0).contains(&share) => Ok(share),
        _ => Err("write a share such as 5% or 0.05".into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_flags_are_consistent() {
        use clap::CommandFactory as _;
        Cli::command().debug_assert();
    }

    #[test]
    fn shares_are_fractions_or_percents() {
        assert_eq!(share("5%"), Ok(0.05));
        assert_eq!(share("0.05"), Ok(0.05));
        assert_eq!(share("0"), Ok(0.0));
        assert_eq!(share("100 %"), Ok(1.0));
        for wrong in ["5", "-1%", "101%", "NaN", "", "%", "inf"] {
            assert!(share(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn times_say_what_they_want() {
        assert_eq!(duration("0"), Ok(Duration::ZERO));
        assert_eq!(positive_duration("1m 30s"), Ok(Duration::from_secs(90)));
        for wrong in ["0s", "10us", "30", "soon"] {
            assert!(positive_duration(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn without_flags_the_defaults_hold() {
        let cli = Cli::parse_from(["spinfo-monitor", "http://127.0.0.1:3000"]);
        assert_eq!(cli.requests.interval, Duration::from_secs(1));
        assert_eq!(cli.requests.timeout, Duration::from_secs(5));
        assert_eq!(cli.requests.change_interval, Duration::from_secs(60));
        assert_eq!(cli.requests.path, "/status");
        assert_eq!((cli.run.count, cli.run.fail_over), (None, 1.0));
    }

    #[test]
    fn of_two_flags_the_later_wins() {
        let cli = Cli::parse_from(["", "--interval", "1s", "-i", "2s", "http://h"]);
        assert_eq!(cli.requests.interval, Duration::from_secs(2));
    }
}
