//! Flags and environment variables. Only [`flags`] besides this file knows either.

mod flags;
#[cfg(test)]
mod tests;

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::Context as _;
use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{CommandFactory as _, FromArgMatches as _};
use spinfo_client::generate::Generate;
use spinfo_client::{Options, Target};

use self::flags::{AnswerFlags, Cli};
use crate::check::expect::BodyPattern;
use crate::check::{ClockSettings, Settings};

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
    /// Whether it is exported when `OTEL_*` says where to.
    pub(crate) telemetry: bool,
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
                telemetry: !self.output.no_telemetry,
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
