//! Flags and environment variables. No other file of the program reads either.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand, ValueEnum};
use spinfo_manifest::VariableOverride;
use spinfo_telemetry::{LogFormat, LogOptions};

const MIB: u64 = 1 << 20;

/// Runs Spin applications: the same spin.toml and .wasm files, without Spin.
#[derive(Debug, Parser)]
#[command(name = "spinfo", version, arg_required_else_help = true)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,

    #[command(flatten)]
    log: Log,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Serves an application over HTTP until SIGTERM or SIGINT (Ctrl-C); a second signal ends it at once. SIGHUP reloads the
    /// application without losing a request.
    Up(Box<Up>),
    /// Runs the build commands of an application's components.
    Build(Build),
    /// Validates an application and prints what would run, without serving it.
    Check(Check),
}

#[derive(Debug, Args)]
struct Log {
    /// How log lines on stderr look.
    #[arg(long, global = true, value_enum, default_value_t = Format::Auto, value_name = "FORMAT")]
    log_format: Format,

    /// Levels of log lines, for all or by target: `warn`, or `info,guest=off`.
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
    /// Text on a terminal, JSON elsewhere.
    Auto,
    /// One line for people.
    Text,
    /// One JSON object a line.
    Json,
}

/// What names and configures an application.
#[derive(Debug, Clone, Args)]
pub(crate) struct Source {
    /// The application: a spin.toml or a folder with one.
    #[arg(short, long, default_value = "spin.toml", value_name = "PATH")]
    pub(crate) from: PathBuf,

    /// Sets an application variable: NAME=VALUE, NAME=@FILE, or @FILE with many of them (.toml or .json).
    #[arg(long, value_name = "NAME=VALUE")]
    pub(crate) variable: Vec<String>,

    /// Key-value stores and variables providers of this machine.
    #[arg(long, env = "RUNTIME_CONFIG_FILE", value_name = "FILE")]
    pub(crate) runtime_config_file: Option<PathBuf>,

    /// Where stores keep their files; empty keeps them in memory [default: .spin beside the manifest, as Spin].
    #[arg(long, env = "STATE_DIR", value_name = "FOLDER")]
    pub(crate) state_dir: Option<PathBuf>,

    /// Compiles components at every start instead of keeping the result in --cache-dir.
    #[arg(long)]
    pub(crate) no_cache: bool,

    /// Where compiled components are kept [default: spinfo in the user's cache folder].
    #[arg(long, env = "SPINFO_CACHE_DIR", value_name = "FOLDER")]
    pub(crate) cache_dir: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct Build {
    /// The application: a spin.toml or a folder with one.
    #[arg(short, long, default_value = "spin.toml", value_name = "PATH")]
    pub(crate) from: PathBuf,

    /// Builds only these components.
    #[arg(short, long, value_name = "ID")]
    pub(crate) component_id: Vec<String>,
}

#[derive(Debug, Args)]
pub(crate) struct Check {
    #[command(flatten)]
    pub(crate) source: Source,

    /// Prints JSON instead of text.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Up {
    #[command(flatten)]
    pub(crate) source: Source,

    /// Runs the components' build commands first.
    #[arg(long)]
    pub(crate) build: bool,

    /// Reloads the application when its manifest, a component, one of a component's files, the runtime configuration or the
    /// certificate changes, as SIGHUP does. It does not build.
    #[arg(long)]
    pub(crate) watch: bool,

    /// Address to serve on; port 0 takes a free one.
    #[arg(
        long,
        env = "SPIN_HTTP_LISTEN_ADDR",
        default_value = "127.0.0.1:3000",
        value_name = "ADDRESS"
    )]
    pub(crate) listen: SocketAddr,

    /// Takes the next free port when that of --listen is in use.
    #[arg(long)]
    pub(crate) find_free_port: bool,

    /// Address of /livez, /readyz, /metrics and /revision, or `off`.
    #[arg(long, env = "SPINFO_ADMIN_LISTEN", default_value = "127.0.0.1:9797", value_name = "ADDRESS", value_parser = admin_address)]
    pub(crate) admin_listen: AdminListen,

    /// Sets an environment variable in all components.
    #[arg(short, long, value_name = "NAME=VALUE", value_parser = name_value)]
    pub(crate) env: Vec<(String, String)>,

    /// Certificate chain for HTTPS, in PEM form.
    #[arg(long, env = "SPIN_TLS_CERT", requires = "tls_key", value_name = "FILE")]
    pub(crate) tls_cert: Option<PathBuf>,

    /// Private key for HTTPS, in PEM form.
    #[arg(long, env = "SPIN_TLS_KEY", requires = "tls_cert", value_name = "FILE")]
    pub(crate) tls_key: Option<PathBuf>,

    /// Prints no address and no routes.
    #[arg(short, long)]
    pub(crate) quiet: bool,

    #[command(flatten)]
    pub(crate) limits: Limits,

    #[command(flatten)]
    pub(crate) stop: Stop,
}

#[derive(Debug, Clone, Copy)]
pub(crate) enum AdminListen {
    Off,
    On(SocketAddr),
}

/// Limits. Those with a number of requests, connections or instances are for the whole process.
#[derive(Debug, Args)]
#[command(next_help_heading = "Limits")]
pub(crate) struct Limits {
    /// Threads that serve requests [default: one for each core].
    #[arg(long, value_name = "N", value_parser = positive)]
    pub(crate) workers: Option<usize>,

    /// Open connections; more wait in the kernel.
    #[arg(long, default_value = "10000", value_name = "N", value_parser = positive)]
    pub(crate) max_connections: usize,

    /// Requests that components work on at a time.
    #[arg(long, default_value = "1024", value_name = "N", value_parser = positive)]
    pub(crate) max_in_flight: usize,

    /// Requests that may wait for one of them to finish; more are answered 503.
    #[arg(long, default_value = "1024", value_name = "N")]
    pub(crate) max_queue: usize,

    /// How long a request may wait before it is answered 503.
    #[arg(long, default_value = "5s", value_name = "TIME", value_parser = duration)]
    pub(crate) max_queue_wait: Duration,

    /// Bytes of a request's body; more is answered 413. The default leaves room for an upload of 10 MiB.
    #[arg(long, default_value_t = 32 * MIB, value_name = "BYTES")]
    pub(crate) max_body: u64,

    /// Requests of components to other servers that are under way at a time.
    #[arg(long, default_value = "256", value_name = "N", value_parser = positive)]
    pub(crate) max_outbound: usize,

    /// Instances alive at a time. More than requests, because an instance finishes its own work after the response.
    #[arg(long, default_value = "2048", value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) max_instances: u32,

    /// Bytes of memory that one instance may use.
    #[arg(long, default_value_t = 128 * MIB, value_name = "BYTES")]
    pub(crate) max_memory: u64,

    /// Requests that one instance serves before a fresh one takes its place. Spin's default. Components for WASI 0.2
    /// always get a fresh one.
    #[arg(long, default_value = "128", value_name = "N", value_parser = positive)]
    pub(crate) max_instance_reuse_count: usize,

    /// Requests that one instance works on at a time. Spin's default is 16; with 1 a trap costs only the request that caused it.
    #[arg(long, default_value = "1", value_name = "N", value_parser = positive)]
    pub(crate) max_instance_concurrent_reuse_count: usize,

    /// How long an instance without work is kept. Spin's default.
    #[arg(long, default_value = "1s", value_name = "TIME", value_parser = duration)]
    pub(crate) idle_instance_timeout: Duration,

    /// How long a component may take to begin an answer, and as long again to finish it; then the client gets 504. The
    /// default leaves room for /delay/60.
    #[arg(long, default_value = "90s", value_name = "TIME", value_parser = duration)]
    pub(crate) request_timeout: Duration,

    /// How long a client may take to send a request's head, which is also how long a connection may idle.
    #[arg(long, default_value = "60s", value_name = "TIME", value_parser = duration)]
    pub(crate) header_timeout: Duration,
}

#[derive(Debug, Args)]
#[command(next_help_heading = "Stopping")]
pub(crate) struct Stop {
    /// How long to go on serving after /readyz has begun to say no. Behind a load balancer, a bit more than the interval of
    /// its health check.
    #[arg(long, default_value = "0s", value_name = "TIME", value_parser = duration)]
    pub(crate) grace: Duration,

    /// How long requests under way may take to finish, at a stop and at a reload.
    #[arg(long, default_value = "30s", value_name = "TIME", value_parser = duration)]
    pub(crate) drain_timeout: Duration,

    /// How long the telemetry that is left may take to be sent: first that of the components, then the host's own.
    #[arg(long, default_value = "5s", value_name = "TIME", value_parser = duration)]
    pub(crate) flush_timeout: Duration,
}

impl Cli {
    /// Parses the process's arguments; prints help, the version or what is wrong with them, and then ends the process.
    pub(crate) fn from_process() -> Self {
        Self::parse()
    }

    pub(crate) fn log_options(&self) -> LogOptions {
        LogOptions {
            format: match self.log.log_format {
                Format::Auto => LogFormat::Auto,
                Format::Text => LogFormat::Text,
                Format::Json => LogFormat::Json,
            },
            filter: Some(self.log.log.clone()),
            no_color: environment("NO_COLOR").is_some_and(|value| !value.is_empty()),
        }
    }
}

impl Up {
    /// The files beside the manifest and what it names that a reload reads.
    pub(crate) fn other_files(&self) -> Vec<PathBuf> {
        let files = [
            &self.source.runtime_config_file,
            &self.tls_cert,
            &self.tls_key,
        ];
        // A setting that can't be parsed has ended the start.
        let of_variables =
            self.source
                .variable
                .iter()
                .filter_map(|argument| match argument.parse().ok()? {
                    VariableOverride::Value { .. } => None,
                    VariableOverride::File { file, .. }
                    | VariableOverride::Json(file)
                    | VariableOverride::Toml(file) => Some(file),
                });
        files
            .into_iter()
            .flatten()
            .cloned()
            .chain(of_variables)
            .collect()
    }
}

impl Source {
    /// The folder of the compile cache, `None` when there is to be none.
    pub(crate) fn cache_folder(&self) -> Option<PathBuf> {
        if self.no_cache {
            return None;
        }
        self.cache_dir.clone().or_else(|| {
            let from = |name: &str, below: &str| {
                environment(name)
                    .filter(|path| !path.is_empty())
                    .map(|path| PathBuf::from(path).join(below))
            };
            from("XDG_CACHE_HOME", "spinfo")
                .or_else(|| from("HOME", ".cache/spinfo"))
                .or_else(|| from("LOCALAPPDATA", "spinfo"))
        })
    }
}

/// An environment variable: for `OTEL_*` and `SPIN_VARIABLE_*`, whose names only their readers know.
pub(crate) fn environment(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

fn admin_address(text: &str) -> Result<AdminListen, String> {
    if text == "off" {
        return Ok(AdminListen::Off);
    }
    text.parse()
        .map(AdminListen::On)
        .map_err(|_| "write an address such as 127.0.0.1:9797, or off".into())
}

fn name_value(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.is_empty() => Ok((name.to_owned(), value.to_owned())),
        _ => Err("write NAME=VALUE".into()),
    }
}

fn positive(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(number) if number > 0 => Ok(number),
        _ => Err("write a whole number above 0".into()),
    }
}

fn duration(text: &str) -> Result<Duration, String> {
    humantime::parse_duration(text).map_err(|_| "write a time such as 500ms, 30s or 2m".into())
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
    fn times_and_addresses_say_what_they_want() {
        assert_eq!(duration("1m 30s"), Ok(Duration::from_secs(90)));
        assert!(duration("30").unwrap_err().contains("30s"));
        assert!(admin_address("9797").unwrap_err().contains("off"));
        assert!(name_value("=x").is_err());
    }
}
