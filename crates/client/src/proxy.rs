//! Which requests go through which proxy: hyper-util's rules, which are curl's.

use http::Uri;
use hyper_util::client::proxy::matcher::{Intercept, Matcher};

use crate::failure::{Failure, FailureKind};
use crate::target::Target;

/// Which requests go through which proxy. The default is none.
#[derive(Clone, Debug, Default)]
pub struct Proxy {
    http: Option<Server>,
    https: Option<Server>,
    /// Hosts that are asked directly.
    direct: String,
}

/// A proxy by what names it. That it can't be used matters only to requests that would go through it.
#[derive(Clone, Debug)]
struct Server {
    /// A flag or a variable.
    setting: String,
    target: Result<Target, ProxyError>,
}

/// Why a setting names no proxy. The setting's text isn't repeated: it may hold a password.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProxyError {
    /// Not a URL of a proxy.
    #[error("is not a proxy's URL, such as http://proxy.example:3128")]
    Url,
    /// A proxy that speaks something else.
    #[error("names a {0}: proxy, which is not supported: use an http: or https: proxy")]
    Scheme(String),
}

impl Proxy {
    /// The proxies of a process: `proxy` and `noproxy` are the flags; what they leave open is taken from the variables `http_proxy`,
    /// `https_proxy`, `all_proxy` and `no_proxy`. All may be written in upper case, but for `HTTP_PROXY`, which a web server sets for its CGI
    /// programs from a request's `Proxy` header. An empty `proxy` means none.
    ///
    /// # Errors
    /// When the flag names no http or https proxy.
    pub fn from_settings(
        proxy: Option<&str>,
        noproxy: Option<&str>,
        variable: &dyn Fn(&str) -> Option<String>,
    ) -> Result<Self, String> {
        let first = |names: &[&str]| {
            let mut names = names.iter();
            names.find_map(|name| Some(Server::of(name, &variable(name)?)))
        };
        let (http, https) = match proxy {
            Some("") => (None, None),
            Some(text) => {
                let server = Server::of("--proxy", text);
                if let Err(error) = &server.target {
                    return Err(format!("--proxy {error}"));
                }
                (Some(server.clone()), Some(server))
            }
            None => (
                first(&["http_proxy", "all_proxy", "ALL_PROXY"]),
                first(&["https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"]),
            ),
        };
        let direct = noproxy.map(str::to_owned);
        let direct = direct.or_else(|| variable("no_proxy").or_else(|| variable("NO_PROXY")));
        Ok(Self {
            http,
            https,
            direct: direct.unwrap_or_default(),
        })
    }

    /// The proxy through which this target is asked.
    pub(crate) fn for_target(&self, target: &Target) -> Result<Option<&Target>, Failure> {
        let proxy = if target.is_tls() {
            &self.https
        } else {
            &self.http
        };
        let Some(Server {
            setting,
            target: proxy,
        }) = proxy
        else {
            return Ok(None);
        };
        // Any proxy will do to see whether there is to be one.
        let any = Matcher::builder()
            .all("http://proxy")
            .no(&*self.direct)
            .build();
        let uri = target.url().as_str().parse::<Uri>();
        if uri.is_ok_and(|uri| any.intercept(&uri).is_none()) {
            return Ok(None);
        }
        match proxy {
            Ok(proxy) => Ok(Some(proxy)),
            Err(error) => Err(Failure::new(
                FailureKind::Proxy,
                format!("{setting} {error}"),
            )),
        }
    }
}

impl Server {
    fn of(setting: &str, text: &str) -> Self {
        let all = Matcher::builder().all(text.trim()).build();
        let proxy = all.intercept(&Uri::from_static("http://any/"));
        Self {
            setting: setting.to_owned(),
            target: proxy
                .ok_or(ProxyError::Url)
                .and_then(|proxy| target(&proxy)),
        }
    }
}

fn target(proxy: &Intercept) -> Result<Target, ProxyError> {
    let uri = proxy.uri();
    match uri.scheme_str() {
        Some("http" | "https") => {}
        scheme => return Err(ProxyError::Scheme(scheme.unwrap_or_default().to_owned())),
    }
    let target: Target = uri.to_string().parse().map_err(|_| ProxyError::Url)?;
    Ok(target.with_authorization(proxy.basic_auth()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn proxy(flags: (Option<&str>, Option<&str>), variables: &[(&str, &str)]) -> Proxy {
        let variable = |name: &str| {
            let found = variables.iter().find(|(known, _)| *known == name)?;
            Some(found.1.to_owned()).filter(|value| !value.is_empty())
        };
        Proxy::from_settings(flags.0, flags.1, &variable).unwrap()
    }

    fn through(proxy: &Proxy, url: &str) -> Option<String> {
        let target = url.parse().unwrap();
        proxy.for_target(&target).unwrap().map(ToString::to_string)
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
        let upper = proxy((None, None), &[("HTTP_PROXY", "http://a:1")]);
        assert_eq!(through(&upper, "http://x/"), None);
        let all = proxy((None, None), &[("ALL_PROXY", "http://a:1")]);
        assert!(through(&all, "http://x/").is_some());
    }

    #[test]
    fn lower_case_and_the_flag_come_first_and_empty_means_none() {
        let both = [
            ("https_proxy", "http://low:1"),
            ("HTTPS_PROXY", "http://up:1"),
            ("no_proxy", "x, 10.0.0.0/8"),
        ];
        let of = |flag, direct, url| through(&proxy((flag, direct), &both), url);
        assert_eq!(of(None, None, "https://y/").unwrap(), "http://low:1/");
        assert_eq!(of(None, None, "https://sub.x/"), None);
        assert_eq!(of(None, None, "https://10.1.2.3/"), None);
        let flag = Some("http://flag:1");
        assert_eq!(of(flag, None, "https://y/").unwrap(), "http://flag:1/");
        assert_eq!(of(flag, Some(""), "https://x/").unwrap(), "http://flag:1/");
        assert_eq!(of(flag, Some("*"), "https://y/"), None);
        assert_eq!(of(Some(""), None, "https://y/"), None);
    }

    #[test]
    fn an_unusable_proxy_matters_where_it_is_used() {
        let socks = [("all_proxy", "socks5://me:hunter2@p:1"), ("no_proxy", "x")];
        let proxy = proxy((None, None), &socks);
        assert_eq!(through(&proxy, "http://x/"), None);
        let failure = proxy.for_target(&"http://y/".parse().unwrap()).unwrap_err();
        assert_eq!(
            (failure.kind, &*failure.message),
            (
                FailureKind::Proxy,
                "all_proxy names a socks5: proxy, which is not supported: use an http: or https: proxy"
            )
        );
        assert!(!format!("{proxy:?}").contains("hunter2"));
    }

    #[test]
    fn an_unusable_flag_is_named_without_its_password() {
        for text in [
            "http://me:hunter2@p:x",
            "gopher://me:hunter2@p",
            "socks4://me:hunter2@p",
        ] {
            let error = Proxy::from_settings(Some(text), None, &|_| None).unwrap_err();
            assert!(error.starts_with("--proxy "), "{error}");
            assert!(!error.contains("hunter2"), "{error}");
        }
    }
}
