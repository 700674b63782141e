//! What to do, resolved from the command line and the fleet file before anything starts.

mod fleet;
#[cfg(test)]
mod tests;

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::{CommandFactory as _, FromArgMatches as _};
use http::header::{AUTHORIZATION, HeaderMap, HeaderValue};
use spinfo_client::{Client, NetworkFlags, Target};

use self::fleet::Fleet;
use crate::cli::{Cli, RunFlags, TOKEN_VARIABLE};

/// Why there is nothing to run.
#[derive(Debug, thiserror::Error)]
pub enum SettingsError {
    /// The fleet file.
    #[error(transparent)]
    Fleet(#[from] fleet::FleetError),
    /// The flags, or the flags and the fleet file together.
    #[error("{0}")]
    Flags(String),
    /// The file with the token for changes.
    #[error("--admin-token-file: cannot read {}", path.display())]
    Token {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// A token that no header can carry.
    #[error("the token of {0} has characters that a header cannot have")]
    TokenText(String),
    /// Flags of connections, whose own message names the flag.
    #[error(transparent)]
    Network(Box<dyn std::error::Error + Send + Sync>),
    /// A URL with a query, which may hold a secret and is not repeated.
    #[error("{0}: the URL of a target has no query; write it into --path")]
    Query(String),
    /// No URLs, neither on the command line nor in the file.
    #[error("there is no target: name a URL or write [[target]] into {}", .0.display())]
    NoTarget(PathBuf),
}

/// Everything that is decided before the start.
#[derive(Debug)]
pub struct Settings {
    /// In the order of the command line, then of the file.
    pub targets: Vec<TargetSettings>,
    pub(crate) run: RunFlags,
}

/// What is done with one target.
#[derive(Debug)]
pub struct TargetSettings {
    /// For people: the name in the file, or the URL without secrets.
    pub name: String,
    /// The status endpoint.
    pub status: Target,
    /// Its path, which names spans and series.
    pub status_path: String,
    /// The endpoint for changes.
    pub change: Target,
    /// Its path.
    pub change_path: String,
    /// Time between the starts of two requests.
    pub interval: Duration,
    /// How long one may take.
    pub timeout: Duration,
    /// Whether a connection serves more than one request.
    pub keepalive: bool,
    /// Time between two changes, if there are any.
    pub change_interval: Option<Duration>,
    /// How long the status endpoint may go on showing the old state.
    pub change_timeout: Duration,
    /// Whether the state is left as it is at the end.
    pub keep_state: bool,
    /// `Authorization` of changes.
    pub authorization: Option<HeaderValue>,
    /// Headers of all requests.
    pub headers: HeaderMap,
    /// Makes the connections.
    pub client: Client,
}

impl Settings {
    /// Resolves the command line `arguments` (the program's name first), with what has been parsed of them in `cli`.
    ///
    /// # Errors
    /// Anything that makes no sense, named with the flag, or with the file, the line and the key.
    pub(crate) fn resolve(
        cli: &Cli,
        arguments: &[OsString],
        environment: &Environment,
    ) -> Result<Self, SettingsError> {
        let fleet = match &cli.config {
            Some(path) => Fleet::read(path)?,
            None => Fleet::default(),
        };
        // The layers are put one after the other and parsed as one command line, in which a later flag wins.
        let shared = parse(&[&fleet.defaults], arguments)?;
        let mut clients = Clients::default();
        let mut targets = Vec::new();
        for url in &cli.urls {
            targets.push(TargetSettings::new(
                url,
                None,
                &shared,
                environment,
                &mut clients,
            )?);
        }
        for target in &fleet.targets {
            let own = parse(&[&fleet.defaults, &target.arguments], arguments)?;
            let name = target.name.clone();
            targets.push(TargetSettings::new(
                &target.url,
                name,
                &own,
                environment,
                &mut clients,
            )?);
        }
        if targets.is_empty() {
            let file = cli
                .config
                .as_deref()
                .unwrap_or(Path::new("a file for --config"));
            return Err(SettingsError::NoTarget(file.to_owned()));
        }
        Ok(Self {
            targets,
            run: shared.run,
        })
    }
}

/// What of the environment is needed.
#[derive(Clone, Debug, Default)]
pub(crate) struct Environment {
    /// The value of `SPINFO_ADMIN_TOKEN`.
    pub(crate) token: Option<String>,
    /// All variables, for those of proxies.
    pub(crate) variables: Vec<(OsString, OsString)>,
}

fn parse(layers: &[&[OsString]], arguments: &[OsString]) -> Result<Cli, SettingsError> {
    let (program, flags) = arguments
        .split_first()
        .map_or((None, arguments), |(program, flags)| (Some(program), flags));
    let line = program
        .into_iter()
        .chain(layers.iter().copied().flatten())
        .chain(flags);
    let matches = Cli::command().try_get_matches_from(line);
    let cli = matches.and_then(|matches| Cli::from_arg_matches(&matches));
    cli.map_err(|error| SettingsError::Flags(brief(&error)))
}

/// The first paragraph of an error of the flags' parser, without its heading.
fn brief(error: &clap::Error) -> String {
    let text = error.to_string();
    let paragraph = text.split("\n\n").next().unwrap_or_default();
    let words: Vec<_> = paragraph.split_whitespace().collect();
    words.join(" ").trim_start_matches("error: ").to_owned()
}

impl TargetSettings {
    fn new(
        base: &Target,
        name: Option<String>,
        cli: &Cli,
        environment: &Environment,
        clients: &mut Clients,
    ) -> Result<Self, SettingsError> {
        let flags = &cli.requests;
        if base.url().query().is_some() {
            let shown = base.to_string();
            let (shown, _) = shown.split_once('?').unwrap_or((&shown, ""));
            return Err(SettingsError::Query(shown.to_owned()));
        }
        let status = below(base, &flags.path)?;
        let change = below(base, &flags.change_path)?;
        Ok(Self {
            name: name.unwrap_or_else(|| base.to_string().trim_end_matches('/').to_owned()),
            status_path: status.url().path().to_owned(),
            status,
            change_path: change.url().path().to_owned(),
            change,
            interval: flags.interval,
            timeout: flags.timeout,
            keepalive: !flags.no_keepalive,
            change_interval: (!flags.change_interval.is_zero()).then_some(flags.change_interval),
            change_timeout: flags.change_timeout,
            keep_state: flags.keep_state,
            authorization: authorization(flags.admin_token_file.as_deref(), environment)?,
            headers: cli.network.headers().map_err(network)?,
            client: clients.get(&cli.network, environment)?,
        })
    }
}

/// The URL of a path below a base: joining would put an absolute path in the place of the base's own.
fn below(base: &Target, path: &str) -> Result<Target, SettingsError> {
    let whole = format!("{}{path}", base.url().path().trim_end_matches('/'));
    base.join(&whole).map_err(network)
}

fn network(error: impl std::error::Error + Send + Sync + 'static) -> SettingsError {
    SettingsError::Network(Box::new(error))
}

fn authorization(
    file: Option<&Path>,
    environment: &Environment,
) -> Result<Option<HeaderValue>, SettingsError> {
    let (token, origin) = match (file, &environment.token) {
        (Some(path), _) => {
            let token = std::fs::read_to_string(path).map_err(|source| SettingsError::Token {
                path: path.to_owned(),
                source,
            })?;
            (token, path.display().to_string())
        }
        (None, Some(token)) if !token.trim().is_empty() => {
            (token.clone(), TOKEN_VARIABLE.to_owned())
        }
        _ => return Ok(None),
    };
    let mut value = HeaderValue::from_str(&format!("Bearer {}", token.trim()))
        .map_err(|_| SettingsError::TokenText(origin))?;
    value.set_sensitive(true);
    Ok(Some(value))
}

/// The header of changes that takes the token.
pub(crate) const TOKEN_HEADER: http::HeaderName = AUTHORIZATION;

/// One client for all targets whose connections are made alike: a client holds the system's certificates, which are many.
#[derive(Default)]
struct Clients(Vec<(NetworkFlags, Client)>);

impl Clients {
    fn get(
        &mut self,
        flags: &NetworkFlags,
        environment: &Environment,
    ) -> Result<Client, SettingsError> {
        if let Some((_, client)) = self.0.iter().find(|(known, _)| alike(known, flags)) {
            return Ok(client.clone());
        }
        let mut options = flags
            .options(environment.variables.iter().cloned())
            .map_err(network)?;
        options
            .user_agent
            .get_or_insert(HeaderValue::from_static(USER_AGENT));
        let client = Client::new(options).map_err(network)?;
        self.0.push((flags.clone(), client.clone()));
        Ok(client)
    }
}

/// Whether two sets of flags make connections in the same way. Headers belong to requests.
fn alike(one: &NetworkFlags, other: &NetworkFlags) -> bool {
    fn parts(flags: &NetworkFlags) -> impl PartialEq + '_ {
        (
            (&flags.cacert, &flags.resolve, &flags.user_agent),
            (flags.ipv4, flags.ipv6, flags.http1_1),
            (&flags.proxy, &flags.noproxy),
        )
    }
    parts(one) == parts(other)
}

const USER_AGENT: &str = concat!("spinfo-monitor/", env!("CARGO_PKG_VERSION"));
