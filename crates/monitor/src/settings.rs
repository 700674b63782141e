//! What to do, resolved from the flags before anything starts.

use std::path::Path;

use anyhow::{Context as _, bail};
use http::header::{HeaderMap, HeaderValue};
use spinfo_client::{Client, Family, Options, Proxy, Target, Trust};
use spinfo_program::network::NetworkFlags;

use crate::cli::{Cli, RequestFlags, TOKEN_VARIABLE};

/// The endpoints of one target.
#[derive(Debug)]
pub(crate) struct Endpoints {
    /// The URL of the command line, without secrets.
    pub(crate) name: String,
    pub(crate) status: Target,
    pub(crate) change: Target,
}

/// What is the same for all targets.
#[derive(Debug)]
pub(crate) struct RequestSettings {
    pub(crate) flags: RequestFlags,
    /// Headers of all requests.
    pub(crate) headers: HeaderMap,
    /// `Authorization` of changes.
    pub(crate) authorization: Option<HeaderValue>,
    /// Makes the connections. It holds the system's certificates, which are many.
    pub(crate) client: Client,
}

impl Endpoints {
    /// # Errors
    /// The URL has a query.
    pub(crate) fn new(base: &Target, flags: &RequestFlags) -> anyhow::Result<Self> {
        let name = base.to_string();
        if base.url().query().is_some() {
            // It may hold a secret.
            let shown = name.split('?').next().unwrap_or_default();
            bail!("{shown}: the URL of a target has no query; write it into --path");
        }
        Ok(Self {
            name: name.trim_end_matches('/').to_owned(),
            status: below(base, &flags.path)?,
            change: below(base, &flags.change_path)?,
        })
    }
}

/// The URL of a path below a base: joining would put an absolute path in the place of the base's own.
fn below(base: &Target, path: &str) -> anyhow::Result<Target> {
    let whole = format!("{}{path}", base.url().path().trim_end_matches('/'));
    Ok(base.join(&whole)?)
}

impl RequestSettings {
    /// `token` is the value of `SPINFO_ADMIN_TOKEN`, `variable` reads others, for those of proxies.
    ///
    /// # Errors
    /// Anything that makes no sense, with the name of the flag.
    pub(crate) fn new(
        cli: &Cli,
        token: Option<String>,
        variable: &dyn Fn(&str) -> Option<String>,
    ) -> anyhow::Result<Self> {
        Ok(Self {
            headers: spinfo_client::headers(&cli.network.headers)?,
            authorization: authorization(cli.requests.admin_token_file.as_deref(), token)?,
            client: client(&cli.network, variable)?,
            flags: cli.requests.clone(),
        })
    }
}

fn authorization(
    file: Option<&Path>,
    variable: Option<String>,
) -> anyhow::Result<Option<HeaderValue>> {
    let (token, origin) = match (file, variable) {
        (Some(path), _) => {
            let name = path.display();
            let token = std::fs::read_to_string(path)
                .with_context(|| format!("--admin-token-file: cannot read {name}"))?;
            (token, name.to_string())
        }
        (None, Some(token)) if !token.trim().is_empty() => (token, TOKEN_VARIABLE.to_owned()),
        _ => return Ok(None),
    };
    let mut value = HeaderValue::from_str(&format!("Bearer {}", token.trim()))
        .with_context(|| format!("the token of {origin} cannot be a header's value"))?;
    value.set_sensitive(true);
    Ok(Some(value))
}

fn client(
    flags: &NetworkFlags,
    variable: &dyn Fn(&str) -> Option<String>,
) -> anyhow::Result<Client> {
    let resolve = flags.resolve.iter().map(|entry| entry.parse());
    let (proxy, noproxy) = (flags.proxy.as_deref(), flags.noproxy.as_deref());
    let options = Options {
        family: Family::of_flags(flags.ipv4, flags.ipv6),
        resolve: resolve.collect::<Result<_, _>>().context("--resolve")?,
        proxy: Proxy::from_settings(proxy, noproxy, variable).map_err(anyhow::Error::msg)?,
        trust: Trust {
            cacert: flags.cacert.clone(),
        },
        http2: !flags.http1_1,
        user_agent: Some(HeaderValue::from_static(USER_AGENT)),
    };
    Ok(Client::new(options)?)
}

const USER_AGENT: &str = concat!("spinfo-monitor/", env!("CARGO_PKG_VERSION"));

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::*;

    fn cli(arguments: &[&str]) -> Cli {
        Cli::try_parse_from([&["spinfo-monitor"], arguments].concat()).unwrap()
    }

    fn settings(arguments: &[&str], token: &str) -> anyhow::Result<RequestSettings> {
        RequestSettings::new(&cli(arguments), Some(token.to_owned()), &|_| None)
    }

    #[test]
    fn paths_are_below_the_url() {
        let cli = cli(&["https://example.org/app/", "--change-path", "/next"]);
        let endpoints = Endpoints::new(&cli.urls[0], &cli.requests).unwrap();
        assert_eq!(endpoints.name, "https://example.org/app");
        assert_eq!(
            endpoints.status.to_string(),
            "https://example.org/app/status"
        );
        assert_eq!(endpoints.change.to_string(), "https://example.org/app/next");
    }

    #[test]
    fn a_query_belongs_to_the_path_and_may_be_a_secret() {
        let cli = cli(&["http://h/?token=s3cret"]);
        let error = Endpoints::new(&cli.urls[0], &cli.requests).unwrap_err();
        assert_eq!(
            error.to_string(),
            "http://h/: the URL of a target has no query; write it into --path"
        );
    }

    #[test]
    fn the_token_comes_from_the_environment_where_there_is_no_file() {
        let plain = settings(&["http://h"], "abc").unwrap();
        assert_eq!(plain.authorization.unwrap(), "Bearer abc");
        assert!(settings(&["http://h"], "").unwrap().authorization.is_none());
        let error = settings(&["http://h"], "a\nb").unwrap_err();
        assert_eq!(
            error.to_string(),
            "the token of SPINFO_ADMIN_TOKEN cannot be a header's value"
        );

        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), "s3cret\n").unwrap();
        let flags = [
            "http://h",
            "--admin-token-file",
            file.path().to_str().unwrap(),
        ];
        let settings = settings(&flags, "abc").unwrap();
        assert!(!format!("{settings:?}").contains("s3cret"));
        assert_eq!(settings.authorization.unwrap(), "Bearer s3cret");
    }
}
