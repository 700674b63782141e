//! The flags of both programs that say how connections are made.

use std::ffi::OsString;
use std::fmt;
use std::path::PathBuf;

use clap::Args;
use http::header::{AUTHORIZATION, COOKIE, PROXY_AUTHORIZATION};
use http::{HeaderMap, HeaderName, HeaderValue};

use crate::options::{Family, Options, Resolve, ResolveError, Trust};
use crate::proxy::{Proxy, ProxyError};

/// The part of the help that these flags stand in.
const HEADING: &str = "Connection";

/// How connections are made.
///
/// What may hold a secret is taken as it is and read later: an error of clap's would repeat it.
#[derive(Args, Clone, Default)]
pub struct NetworkFlags {
    /// Believe the authorities whose certificates are in this PEM file too; may be given again. The system's are those of SSL_CERT_FILE and
    /// SSL_CERT_DIR where these are set
    #[arg(help_heading = HEADING, long, value_name = "FILE")]
    pub cacert: Vec<PathBuf>,

    /// Use this address for a host and port, such as example.org:443:127.0.0.1; may be given again. * stands for every host
    #[arg(help_heading = HEADING, long, value_name = "HOST:PORT:ADDR")]
    pub resolve: Vec<String>,

    /// Use IPv4 only
    #[arg(help_heading = HEADING, short = '4', long, conflicts_with = "ipv6")]
    pub ipv4: bool,

    /// Use IPv6 only
    #[arg(help_heading = HEADING, short = '6', long)]
    pub ipv6: bool,

    /// Send this header; may be given again. 'Name: @FILE' takes the value from a file, which keeps a secret out of the list of processes
    #[arg(help_heading = HEADING, short = 'H', long = "header", value_name = "NAME: VALUE")]
    pub headers: Vec<String>,

    /// Go through this proxy; an empty text means none. Without this flag http_proxy, https_proxy and all_proxy are heeded
    #[arg(help_heading = HEADING, long, value_name = "URL")]
    pub proxy: Option<String>,

    /// Hosts, domains and networks that are asked directly, with commas between them; * means all. Without this flag no_proxy is heeded
    #[arg(help_heading = HEADING, long, value_name = "LIST")]
    pub noproxy: Option<String>,

    /// Don't offer HTTP/2 to servers that speak TLS
    #[arg(help_heading = HEADING, long = "http1.1")]
    pub http1_1: bool,

    /// Send this as the User-Agent
    #[arg(help_heading = HEADING, long, value_name = "TEXT")]
    pub user_agent: Option<String>,
}

/// Why the flags can't be used. No header's value and no password is repeated.
#[derive(Debug, thiserror::Error)]
pub enum FlagError {
    /// `--resolve`.
    #[error("--resolve: {0}")]
    Resolve(#[from] ResolveError),
    /// `--proxy` or a proxy's variable.
    #[error(transparent)]
    Proxy(#[from] ProxyError),
    /// A header without a colon.
    #[error("a --header has no colon: write it as 'Name: value'")]
    NoColon,
    /// A header whose name isn't one.
    #[error("--header: {0:?} is not a header's name")]
    Name(String),
    /// A header's value with forbidden characters.
    #[error("--header: the value of {0} holds characters that a header can't")]
    Value(HeaderName),
    /// A file with a header's value that can't be read.
    #[error("--header: cannot read the value of {name} from {}: {source}", path.display())]
    File {
        /// The header.
        name: HeaderName,
        /// The file.
        path: PathBuf,
        /// What went wrong.
        source: std::io::Error,
    },
    /// `--user-agent`.
    #[error("--user-agent holds characters that a header can't")]
    UserAgent,
}

impl NetworkFlags {
    /// The options these flags stand for. `environment` has the variables of the process, of which only the proxies' are read.
    ///
    /// # Errors
    /// Names the flag or variable that can't be used.
    pub fn options(
        &self,
        environment: impl IntoIterator<Item = (OsString, OsString)>,
    ) -> Result<Options, FlagError> {
        let family = match (self.ipv4, self.ipv6) {
            (true, _) => Some(Family::V4),
            (_, true) => Some(Family::V6),
            _ => None,
        };
        let user_agent = self
            .user_agent
            .as_deref()
            .map(HeaderValue::from_str)
            .transpose()
            .map_err(|_| FlagError::UserAgent)?;
        Ok(Options {
            family,
            resolve: self
                .resolve
                .iter()
                .map(|entry| entry.parse())
                .collect::<Result<Vec<Resolve>, _>>()?,
            proxy: Proxy::from_settings(
                self.proxy.as_deref(),
                self.noproxy.as_deref(),
                environment,
            )?,
            trust: Trust {
                cacert: self.cacert.clone(),
            },
            http2: !self.http1_1,
            user_agent,
        })
    }

    /// The headers of `--header`, with the values of files read. Secret ones are marked as sensitive.
    ///
    /// # Errors
    /// Names the header that can't be used, never its value.
    pub fn headers(&self) -> Result<HeaderMap, FlagError> {
        let mut headers = HeaderMap::new();
        for line in &self.headers {
            let (name, value) = header(line)?;
            headers.append(name, value);
        }
        Ok(headers)
    }
}

fn header(line: &str) -> Result<(HeaderName, HeaderValue), FlagError> {
    let (name, value) = line.split_once(':').ok_or(FlagError::NoColon)?;
    let name = HeaderName::from_bytes(name.trim().as_bytes())
        .map_err(|_| FlagError::Name(name.trim().to_owned()))?;
    let value = value.trim();
    let path = value.strip_prefix('@').map(PathBuf::from);
    let from_file = path.is_some();
    let text = match path {
        Some(path) => std::fs::read_to_string(&path).map_err(|source| FlagError::File {
            name: name.clone(),
            path,
            source,
        })?,
        None => value.to_owned(),
    };
    let mut value =
        HeaderValue::from_str(text.trim()).map_err(|_| FlagError::Value(name.clone()))?;
    value.set_sensitive(from_file || is_secret(&name));
    Ok((name, value))
}

/// Whether a header's value is a secret, as far as its name tells.
fn is_secret(name: &HeaderName) -> bool {
    let words = ["token", "key", "secret", "password", "auth"];
    [AUTHORIZATION, PROXY_AUTHORIZATION, COOKIE].contains(name)
        || words.iter().any(|word| name.as_str().contains(word))
}

impl fmt::Debug for NetworkFlags {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NetworkFlags")
            .field("cacert", &self.cacert)
            .field("resolve", &self.resolve)
            .field("headers", &self.headers.len())
            .field("proxy", &self.proxy.is_some())
            .field("noproxy", &self.noproxy)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    /// About the program.
    #[derive(Parser)]
    #[command(name = "program")]
    struct Cli {
        #[command(flatten)]
        network: NetworkFlags,
        /// A flag of the program's own
        #[arg(long)]
        own: bool,
    }

    fn parse(flags: &[&str]) -> Result<NetworkFlags, clap::Error> {
        let cli = Cli::try_parse_from(["program"].iter().chain(flags))?;
        assert!(!cli.own);
        Ok(cli.network)
    }

    #[test]
    fn the_flags_leave_the_programs_help_alone() {
        let help = <Cli as clap::CommandFactory>::command()
            .render_help()
            .to_string();
        assert!(help.starts_with("About the program"), "{help}");
        let own = help.find("--own").unwrap();
        let heading = help.find("Connection:").unwrap();
        assert!(own < heading, "{help}");
        assert!(help.contains("--http1.1"), "{help}");
    }

    #[test]
    fn flags_become_options() {
        let flags = [
            "-4",
            "--http1.1",
            "--resolve",
            "a:1:127.0.0.1",
            "--user-agent",
            "x/1",
        ];
        let options = parse(&flags).unwrap().options([]).unwrap();
        assert_eq!(options.family, Some(Family::V4));
        assert!(!options.http2);
        assert_eq!(options.resolve, ["a:1:127.0.0.1".parse().unwrap()]);
        assert_eq!(options.user_agent.unwrap(), "x/1");
        assert_eq!(
            parse(&["-6"]).unwrap().options([]).unwrap().family,
            Some(Family::V6)
        );
        assert!(parse(&["-4", "-6"]).is_err());
    }

    #[test]
    fn headers_come_from_the_command_line_and_from_files() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("token");
        std::fs::write(&file, "Bearer hunter2\n").unwrap();
        let secret = format!("Authorization: @{}", file.display());
        let flags = parse(&["-H", "Accept: text/plain", "-H", "X-Empty:", "-H", &secret]).unwrap();
        let headers = flags.headers().unwrap();
        assert_eq!(headers["accept"], "text/plain");
        assert_eq!(headers["x-empty"], "");
        assert_eq!(headers["authorization"], "Bearer hunter2");
        assert!(headers["authorization"].is_sensitive() && !headers["accept"].is_sensitive());
    }

    #[test]
    fn errors_name_the_flag_and_hold_no_secret() {
        for (line, expected) in [
            (
                "hunter2",
                "a --header has no colon: write it as 'Name: value'",
            ),
            (
                "Authorization: hunter2\u{7f}",
                "--header: the value of authorization holds characters that a header can't",
            ),
            (
                "Cookie: @/nowhere/at/all",
                "--header: cannot read the value of cookie from /nowhere/at/all: ",
            ),
        ] {
            let flags = parse(&["-H", line]).unwrap();
            assert!(!format!("{flags:?}").contains("hunter2"));
            let error = flags.headers().unwrap_err().to_string();
            assert!(error.starts_with(expected), "{error}");
        }
        let flags = parse(&["--proxy", "ftp://me:hunter2@p", "-H", "X-Key: hunter2"]).unwrap();
        let error = flags.options([]).unwrap_err();
        assert!(!format!("{flags:?} {error} {error:?}").contains("hunter2"));
        assert!(!format!("{:?}", flags.headers().unwrap()).contains("hunter2"));
        let error = parse(&["--resolve", "a:b"])
            .unwrap()
            .options([])
            .unwrap_err();
        assert!(
            error
                .to_string()
                .starts_with("--resolve: \"a:b\" is not HOST:PORT:ADDRESS"),
            "{error}"
        );
    }
}
