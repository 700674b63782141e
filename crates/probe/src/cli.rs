//! Flags and environment variables. Only [`flags`] besides this file knows either.

mod flags;
#[cfg(test)]
mod tests;

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::Context as _;
use clap::error::{ContextKind, ContextValue, ErrorKind};
use spinfo_client::{Family, Options, Proxy, Target, Trust};
use spinfo_program::{command_line, environment};

use self::flags::{AnswerFlags, Cli};
use crate::check::expect::BodyPattern;
use crate::check::{ClockSettings, Settings};

impl Job {
    /// Reads the process's arguments and environment. Prints help, the version or what `--generate` asks for, and then ends the process.
    ///
    /// # Errors
    /// What is wrong with them, for people. What may be a secret is not repeated.
    pub(crate) fn from_process() -> anyhow::Result<Self> {
        Self::of(std::env::args_os())
    }

    fn of(arguments: impl IntoIterator<Item = OsString>) -> anyhow::Result<Self> {
        match command_line::try_parse::<Cli>(arguments) {
            Ok(cli) => cli.job(),
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
        let network = self.network;
        let connection = Options {
            family: Family::of_flags(network.ipv4, network.ipv6),
            resolve: network
                .resolve
                .iter()
                .map(|entry| entry.parse())
                .collect::<Result<_, _>>()
                .context("--resolve")?,
            proxy: Proxy::from_settings(
                network.proxy.as_deref(),
                network.noproxy.as_deref(),
                &environment::variable,
            )
            .map_err(anyhow::Error::msg)?,
            trust: Trust {
                cacert: network.cacert,
            },
            http2: !network.http1_1,
            user_agent: Some(http::HeaderValue::from_static(concat!(
                "spinfo-probe/",
                env!("CARGO_PKG_VERSION")
            ))),
        };
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
            headers: spinfo_client::headers(&network.headers)?,
            status: self.answer.expect_status,
            body,
            max_body: usize::try_from(self.answer.max_body).unwrap_or(usize::MAX),
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
