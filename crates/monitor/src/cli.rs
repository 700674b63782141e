//! Flags and environment variables. No other file of the program reads either.

use std::io::IsTerminal;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, ValueEnum};
use spinfo_client::Target;
use spinfo_program::environment;
use spinfo_program::log::LogFlags;
use spinfo_program::network::NetworkFlags;
use spinfo_program::parsers::{duration, positive, positive_duration};

/// Requests the status endpoints of servers again and again, reports what a client sees, and from time to time tells the
/// servers to change their state and checks that they do
#[derive(Debug, Parser)]
#[command(
    name = "spinfo-monitor",
    version,
    arg_required_else_help = true,
    // A later flag wins, over those of the image's entrypoint for instance.
    args_override_self = true,
    after_long_help = AFTER_HELP
)]
pub(crate) struct Cli {
    /// Servers: http or https, with the path below which --path is, if any. All flags are for all of them
    #[arg(value_name = "URL", required = true)]
    pub(crate) urls: Vec<Target>,

    #[command(flatten)]
    pub(crate) requests: RequestFlags,

    #[command(flatten)]
    pub(crate) run: RunFlags,

    #[command(flatten)]
    pub(crate) network: NetworkFlags,

    #[command(flatten)]
    pub(crate) log: LogFlags,
}

const AFTER_HELP: &str = "\
A request succeeds with a 2xx answer, or with exactly the code of the state that this program asked for. Redirects are \
not followed: they are failures. Errors are told apart: dns, connect, proxy, tls, timeout, reset, protocol, status, body.

Percentiles are corrected for coordinated omission: an answer that took several intervals counts as well for the \
requests that would have been sent in the meantime.

SIGTERM, SIGINT and SIGHUP stop it: what is under way is finished, a state that it changed is put back, and a summary goes to \
stderr. A second signal ends it at once. Under nohup it ignores SIGHUP.

Telemetry is sent when OTEL_EXPORTER_OTLP_ENDPOINT or another variable of OpenTelemetry names a receiver. Each request carries a \
traceparent, with or without one.

Exit status: 0 when all is well, 1 when a target's share of failures is above --fail-over, 2 for flags or files that make \
no sense, 74 when stdout can't be written to, 130 after a second signal.";

/// How each target is requested and changed.
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

/// How long it runs, and what comes out.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Run")]
pub(crate) struct RunFlags {
    /// Stop after this time. Without it and --count it goes on until a signal
    #[arg(long, value_name = "TIME", value_parser = positive_duration)]
    pub(crate) duration: Option<Duration>,

    /// Stop after so many requests to each target
    #[arg(short = 'n', long, value_name = "N", value_parser = positive::<u64>)]
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
    /// Lines on a terminal, JSON elsewhere
    Auto,
    /// One line for people for each request and change
    Lines,
    /// One JSON object a line for each request and change, and one for the summary
    Json,
}

/// The bearer token for changes, for those who have no file with it.
pub(crate) fn token() -> Option<String> {
    environment::variable(TOKEN_VARIABLE)
}

/// Where [`token`] comes from.
pub(crate) const TOKEN_VARIABLE: &str = "SPINFO_ADMIN_TOKEN";

/// Whether to colour what is written to a stream: a terminal that understands it, whose user has not set `NO_COLOR`
/// (<https://no-color.org>).
pub(crate) fn colour(stream: &impl IsTerminal) -> bool {
    let understands = |term: &String| term != "dumb" && term != "unknown";
    stream.is_terminal()
        && environment::variable("NO_COLOR").is_none()
        && environment::variable("TERM")
            .as_ref()
            .is_some_and(understands)
}

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
    fn without_flags_the_defaults_hold() {
        let cli = Cli::parse_from(["spinfo-monitor", "http://127.0.0.1:3000"]);
        assert_eq!(cli.requests.interval, Duration::from_secs(1));
        assert_eq!(cli.requests.timeout, Duration::from_secs(5));
        assert_eq!(cli.requests.change_interval, Duration::from_secs(60));
        assert_eq!(cli.requests.path, "/status");
        assert_eq!((cli.run.count, cli.run.fail_over), (None, 1.0));
    }
}
