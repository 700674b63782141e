//! Flags, and the environment variables that stand for them.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use spinfo_manifest::VariableOverride;
use spinfo_program::environment;
use spinfo_program::log::LogFlags;
use spinfo_program::parsers::name_value;

use crate::limits::Limits;

/// Runs Spin applications: the same spin.toml and .wasm files, without Spin.
#[derive(Debug, Parser)]
#[command(name = "spinfo", version, arg_required_else_help = true)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,

    #[command(flatten)]
    pub(crate) log: LogFlags,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Serves an application over HTTP until SIGTERM or SIGINT (Ctrl-C); a second signal ends it at once. SIGHUP reloads the
    /// application without losing a request.
    Up(Box<Up>),
    /// Runs the build commands of an application's components.
    Build(Build),
    /// Does everything that `up` does before it listens, and prints what would run.
    Check(Box<Check>),
}

/// What names and configures an application.
#[derive(Debug, Clone, Args)]
pub(crate) struct Source {
    /// The application: a spin.toml or a folder with one.
    #[arg(short, long, default_value = "spin.toml", value_name = "PATH")]
    pub(crate) from: PathBuf,

    /// Sets an application variable: NAME=VALUE, NAME=@FILE, or @FILE for a file of variables (.toml or .json).
    #[arg(long, value_name = "NAME=VALUE")]
    pub(crate) variable: Vec<String>,

    /// Key-value stores and variables providers of this machine.
    #[arg(
        long,
        env = "RUNTIME_CONFIG_FILE",
        value_name = "FILE",
        overrides_with = "runtime_config_file"
    )]
    pub(crate) runtime_config_file: Option<PathBuf>,

    /// Where stores keep their files; `--state-dir ""` keeps them in memory [default: .spin beside the manifest, as in Spin].
    #[arg(long, env = "STATE_DIR", value_name = "FOLDER")]
    pub(crate) state_dir: Option<PathBuf>,

    /// Compiles components at every start instead of caching the result.
    #[arg(long)]
    pub(crate) no_cache: bool,

    /// Where compiled components are kept [default: spinfo in the user's cache folder].
    #[arg(long, env = "SPINFO_CACHE_DIR", value_name = "FOLDER")]
    pub(crate) cache_dir: Option<PathBuf>,
}

/// What has to be right before the first address is bound.
#[derive(Debug, Args)]
pub(crate) struct Setup {
    #[command(flatten)]
    pub(crate) source: Source,

    /// Sets an environment variable for all components.
    #[arg(short, long, value_name = "NAME=VALUE", value_parser = name_value)]
    pub(crate) env: Vec<(String, String)>,

    /// Certificate chain for HTTPS, in PEM form.
    #[arg(long, env = "SPIN_TLS_CERT", requires = "tls_key", value_name = "FILE")]
    pub(crate) tls_cert: Option<PathBuf>,

    /// Private key for HTTPS, in PEM form.
    #[arg(long, env = "SPIN_TLS_KEY", requires = "tls_cert", value_name = "FILE")]
    pub(crate) tls_key: Option<PathBuf>,

    #[command(flatten)]
    pub(crate) limits: Limits,
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
    /// Prints JSON instead of text.
    #[arg(long)]
    pub(crate) json: bool,

    #[command(flatten)]
    pub(crate) setup: Setup,
}

#[derive(Debug, Args)]
pub(crate) struct Up {
    /// Runs the components' build commands first.
    #[arg(long)]
    pub(crate) build: bool,

    /// Reloads the application, as SIGHUP does, when its manifest, a component, a component's file, the runtime configuration
    /// or the certificate changes. Does not build.
    #[arg(long)]
    pub(crate) watch: bool,

    /// Address to serve on; port 0 picks a free one.
    #[arg(
        long,
        env = "SPIN_HTTP_LISTEN_ADDR",
        default_value = "127.0.0.1:3000",
        value_name = "ADDRESS"
    )]
    pub(crate) listen: SocketAddr,

    /// Tries the next ports when the one of --listen is in use.
    #[arg(long)]
    pub(crate) find_free_port: bool,

    /// Address of /livez, /readyz, /metrics and /revision, or `off`.
    #[arg(long, env = "SPINFO_ADMIN_LISTEN", default_value = "127.0.0.1:9797", value_name = "ADDRESS", value_parser = admin_address)]
    pub(crate) admin_listen: AdminListen,

    /// Prints neither address nor routes.
    #[arg(short, long)]
    pub(crate) quiet: bool,

    #[command(flatten)]
    pub(crate) setup: Setup,
}

#[derive(Debug, Clone, Copy)]
pub(crate) enum AdminListen {
    Off,
    On(SocketAddr),
}

impl Setup {
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
                environment::variable(name).map(|path| PathBuf::from(path).join(below))
            };
            from("XDG_CACHE_HOME", "spinfo")
                .or_else(|| from("HOME", ".cache/spinfo"))
                .or_else(|| from("LOCALAPPDATA", "spinfo"))
        })
    }
}

fn admin_address(text: &str) -> Result<AdminListen, String> {
    if text == "off" {
        return Ok(AdminListen::Off);
    }
    text.parse()
        .map(AdminListen::On)
        .map_err(|_| "write an address such as 127.0.0.1:9797, or off".into())
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
    fn an_address_says_what_it_wants() {
        assert!(admin_address("9797").unwrap_err().contains("off"));
    }
}
