//! The flags of logging.

use clap::{Args, ValueEnum};
use spinfo_telemetry::{LogFormat, LogOptions};

use crate::environment;

/// How a program logs. Flatten it into the flags; with subcommands, into those of the program itself.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Logs")]
pub struct LogFlags {
    /// Format of log lines on stderr
    #[arg(long, global = true, value_enum, default_value_t = Format::Auto, value_name = "FORMAT")]
    log_format: Format,

    /// Levels of log lines, for all or by target: `warn`, or `info,hyper=off`
    #[arg(
        long,
        global = true,
        env = "SPINFO_LOG",
        default_value = "info",
        value_name = "FILTER"
    )]
    log: String,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Format {
    /// Text on a terminal, JSON elsewhere
    Auto,
    /// One line for people
    Text,
    /// One JSON object a line
    Json,
}

impl LogFlags {
    /// What these flags and `NO_COLOR` ask for.
    #[must_use]
    pub fn options(&self) -> LogOptions {
        LogOptions {
            format: match self.log_format {
                Format::Auto => LogFormat::Auto,
                Format::Text => LogFormat::Text,
                Format::Json => LogFormat::Json,
            },
            filter: Some(self.log.clone()),
            no_color: environment::variable("NO_COLOR").is_some(),
        }
    }
}
