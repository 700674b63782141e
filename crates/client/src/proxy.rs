//! Which requests go through which proxy: curl's rules.

mod bypass;

use std::collections::HashMap;
use std::ffi::OsString;

use url::Url;

use self::bypass::Bypass;
use crate::target::{Target, TargetError};

/// curl's port of a proxy whose URL names none.
const DEFAULT_PORT: u16 = 1080;

/// Which requests go through which proxy. The default is none.
#[derive(Clone, Debug, Default)]
pub struct Proxy {
    http: Option<Target>,
    https: Option<Target>,
    bypass: Bypass,
}

/// Why a setting names no proxy. The setting's text isn't repeated: it may hold a password.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProxyError {
    /// Not a URL of a proxy.
    #[error("{setting} is not a proxy's URL, such as http://proxy.example:3128: {source}")]
    Url {
        /// The flag or variable.
        setting: String,
        /// What is wrong with it.
        source: TargetError,
    },
    /// A proxy that speaks something else.
    #[error(
        "{setting} names a {scheme}: proxy, which is not supported: use an http: or https: proxy"
    )]
    Scheme {
        /// The flag or variable.
        setting: String,
        /// The URL's scheme.
        scheme: String,
    },
}

impl Proxy {
    /// The proxies of a process: `proxy` and `noproxy` are the flags; what they leave open is taken from the variables `http_proxy`,
    /// `https_proxy`, `all_proxy` and `no_proxy`. All may be written in upper case, but for `HTTP_PROXY`, which a web server sets for its CGI
    /// programs from a request's `Proxy` header. An empty value means no proxy.
    ///
    /// # Errors
    /// When a setting that is used isn't an http or https URL.
    pub fn from_settings(
        proxy: Option<&str>,
        noproxy: Option<&str>,
        environment: impl IntoIterator<Item = (OsString, OsString)>,
    ) -> Result<Self, ProxyError> {
        let variables = Variables::of(environment);
        let (http, https) = match proxy {
            Some(text) => {
                let server = server("--proxy", text)?;
                (server.clone(), server)
            }
            None => (
                variables.proxy(&["http_proxy", "all_proxy", "ALL_PROXY"])?,
                variables.proxy(&["https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"])?,
            ),
        };
        let bypass = noproxy
            .or_else(|| {
                variables
                    .get(&["no_proxy", "NO_PROXY"])
                    .map(|(_, value)| value)
            })
            .unwrap_or_default();
        Ok(Self {
            http,
            https,
            bypass: Bypass::of(bypass),
        })
    }

    /// The proxy through which this target is asked.
    #[must_use]
    pub fn for_target(&self, target: &Target) -> Option<&Target> {
        let proxy = if target.is_tls() {
            &self.https
        } else {
            &self.http
        };
        proxy
            .as_ref()
            .filter(|_| !self.bypass.covers(target.host()))
    }
}

/// The proxy variables among an environment's.
struct Variables(HashMap<String, String>);

impl Variables {
    fn of(environment: impl IntoIterator<Item = (OsString, OsString)>) -> Self {
        let pairs = environment
            .into_iter()
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value)));
        let proxies = pairs.filter(|(name, _)| {
            name.len() <= "https_proxy".len() && name.to_ascii_lowercase().ends_with("_proxy")
        });
        Self(
            proxies
                .map(|(name, value)| (name, value.to_string_lossy().into_owned()))
                .collect(),
        )
    }

    /// The first of these that is set, with its name.
    fn get<'a>(&'a self, names: &[&'a str]) -> Option<(&'a str, &'a str)> {
        names
            .iter()
            .find_map(|&name| Some((name, self.0.get(name)?.as_str())))
    }

    fn proxy(&self, names: &[&str]) -> Result<Option<Target>, ProxyError> {
        self.get(names)
            .map_or(Ok(None), |(name, value)| server(name, value))
    }
}

fn server(setting: &str, text: &str) -> Result<Option<Target>, ProxyError> {
    let text = text.trim();
    if text.is_empty() {
        return Ok(None);
    }
    let text = if text.contains("://") {
        text.to_owned()
    } else {
        format!("http://{text}")
    };
    let failed = |source| ProxyError::Url {
        setting: setting.to_owned(),
        source,
    };
    let mut url = Url::parse(&text).map_err(|source| failed(source.into()))?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(ProxyError::Scheme {
            setting: setting.to_owned(),
            scheme: url.scheme().to_owned(),
        });
    }
    // `Url` drops a port that is the scheme's own. A scheme it doesn't know has none, so the port stays to be seen.
    let explicit = Url::parse(&format!("proxy-{text}")).is_ok_and(|url| url.port().is_some());
    if url.scheme() == "http" && !explicit {
        // Can't fail: an http URL has a host.
        let _ = url.set_port(Some(DEFAULT_PORT));
    }
    Target::try_from(url).map(Some).map_err(failed)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn proxy(flags: (Option<&str>, Option<&str>), variables: &[(&str, &str)]) -> Proxy {
        Proxy::from_settings(flags.0, flags.1, environment(variables)).unwrap()
    }

    fn environment(variables: &[(&str, &str)]) -> Vec<(OsString, OsString)> {
        variables
            .iter()
            .map(|&(name, value)| (name.into(), value.into()))
            .collect()
    }

    fn through(proxy: &Proxy, target: &str) -> Option<String> {
        proxy
            .for_target(&target.parse().unwrap())
            .map(ToString::to_string)
    }

    #[test]
    fn each_scheme_has_its_variable() {
        let proxy = proxy(
            (None, None),
            &[("http_proxy", "http://a:3128"), ("HTTPS_PROXY", "b:3129")],
        );
        assert_eq!(through(&proxy, "http://x/").unwrap(), "http://a:3128/");
        assert_eq!(through(&proxy, "https://x/").unwrap(), "http://b:3129/");
    }

    #[test]
    fn http_proxy_in_upper_case_is_not_believed() {
        assert_eq!(
            through(
                &proxy((None, None), &[("HTTP_PROXY", "http://a:1")]),
                "http://x/"
            ),
            None
        );
        assert!(
            through(
                &proxy((None, None), &[("ALL_PROXY", "http://a:1")]),
                "http://x/"
            )
            .is_some()
        );
    }

    #[test]
    fn lower_case_and_the_flag_come_first_and_empty_means_none() {
        let both = [
            ("https_proxy", "http://low:1"),
            ("HTTPS_PROXY", "http://up:1"),
            ("no_proxy", "x"),
        ];
        assert_eq!(
            through(&proxy((None, None), &both), "https://y/").unwrap(),
            "http://low:1/"
        );
        assert_eq!(
            through(&proxy((Some("http://flag:1"), None), &both), "https://y/").unwrap(),
            "http://flag:1/"
        );
        assert_eq!(
            through(
                &proxy((Some("http://flag:1"), Some("")), &both),
                "https://x/"
            )
            .unwrap(),
            "http://flag:1/"
        );
        assert_eq!(through(&proxy((Some(""), None), &both), "https://y/"), None);
        assert_eq!(
            through(
                &proxy(
                    (None, None),
                    &[("https_proxy", ""), ("all_proxy", "http://a:1")]
                ),
                "https://y/"
            ),
            None
        );
    }

    #[test]
    fn a_proxy_without_a_port_has_curls() {
        for (setting, expected) in [
            ("p", "http://p:1080/"),
            ("http://p:80", "http://p/"),
            ("http://u:x@p:80/", "http://p/"),
            ("https://p", "https://p/"),
        ] {
            assert_eq!(
                through(&proxy((Some(setting), None), &[]), "http://x/").unwrap(),
                expected
            );
        }
    }

    #[test]
    fn an_unusable_proxy_is_named_without_its_password() {
        for (text, expected) in [
            (
                "socks5://me:hunter2@p:1",
                "--proxy names a socks5: proxy, which is not supported: use an http: or https: proxy",
            ),
            (
                "http://me:hunter2@p:x",
                "--proxy is not a proxy's URL, such as http://proxy.example:3128: not a URL (invalid port number): write http://HOST or https://HOST",
            ),
        ] {
            assert_eq!(
                Proxy::from_settings(Some(text), None, [])
                    .unwrap_err()
                    .to_string(),
                expected
            );
        }
        let error = Proxy::from_settings(
            None,
            None,
            environment(&[("all_proxy", "http://me:hunter2@:1")]),
        )
        .unwrap_err();
        assert!(error.to_string().starts_with("all_proxy is not"), "{error}");
    }
}
