//! Where a request goes: an http or https URL, with its secrets kept apart from what may be shown.

use std::fmt;
use std::str::FromStr;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use http::HeaderValue;
use percent_encoding::percent_decode_str;
use spinfo_telemetry::names::redact_query;
use url::Url;

/// An http or https URL. A user name and password in it become an `Authorization` header and are shown nowhere.
#[derive(Clone, PartialEq, Eq)]
pub struct Target {
    /// Without user name, password and fragment.
    url: Url,
    /// The host as it is resolved: an IPv6 address without its brackets.
    host: String,
    port: u16,
    authorization: Option<HeaderValue>,
}

/// Why a text is no [`Target`]. The text itself isn't repeated: it may hold a password.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TargetError {
    /// Not a URL.
    #[error("not a URL ({0}): write http://HOST or https://HOST")]
    Malformed(#[from] url::ParseError),
    /// A URL that HTTP can't be spoken with.
    #[error("the scheme {0}: is not supported: use http: or https:")]
    Scheme(String),
    /// Port 0 can't be connected to.
    #[error("port 0 can't be connected to: name the server's port")]
    Port,
}

impl Target {
    /// The URL without user name, password and fragment.
    #[must_use]
    pub fn url(&self) -> &Url {
        &self.url
    }

    /// The host's name or address, an IPv6 address without brackets.
    #[must_use]
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The port, the scheme's own when the URL has none.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Whether TLS is spoken.
    #[must_use]
    pub fn is_tls(&self) -> bool {
        self.url.scheme() == "https"
    }

    /// `Authorization` made of the URL's user name and password (RFC 7617), marked as sensitive.
    #[must_use]
    pub fn authorization(&self) -> Option<&HeaderValue> {
        self.authorization.as_ref()
    }

    /// With credentials that came apart from the URL.
    pub(crate) fn with_authorization(mut self, value: Option<&HeaderValue>) -> Self {
        self.authorization = value.cloned().map(|mut value| {
            value.set_sensitive(true);
            value
        });
        self
    }

    /// Resolves a reference, such as a path or a `Location`, against this URL (RFC 3986, section 5). The user name and password go along only to
    /// the same scheme, host and port.
    ///
    /// # Errors
    /// When the result isn't an http or https URL.
    pub fn join(&self, reference: &str) -> Result<Self, TargetError> {
        let mut target = Self::try_from(self.url.join(reference)?)?;
        if target.authorization.is_none() && target.same_origin(self) {
            target.authorization.clone_from(&self.authorization);
        }
        Ok(target)
    }

    /// Whether both have the same scheme, host and port.
    #[must_use]
    pub fn same_origin(&self, other: &Self) -> bool {
        self.url.scheme() == other.url.scheme()
            && self.host == other.host
            && self.port == other.port
    }

    /// `host` or `host:port` as the `Host` header has it: without the scheme's own port.
    pub(crate) fn authority(&self) -> String {
        let host = self.url.host_str().unwrap_or_default();
        self.url
            .port()
            .map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
    }

    /// `host:port` as `CONNECT` has it: always with the port.
    pub(crate) fn authority_with_port(&self) -> String {
        format!("{}:{}", self.url.host_str().unwrap_or_default(), self.port)
    }

    /// The path and the query.
    pub(crate) fn path_and_query(&self) -> &str {
        &self.url[url::Position::BeforePath..url::Position::AfterQuery]
    }
}

/// `Basic` credentials of a URL's user name and password, marked as sensitive.
fn credentials(url: &Url) -> Option<HeaderValue> {
    if url.username().is_empty() && url.password().is_none() {
        return None;
    }
    let mut pair: Vec<u8> = percent_decode_str(url.username()).collect();
    pair.push(b':');
    pair.extend(percent_decode_str(url.password().unwrap_or_default()));
    let mut value =
        HeaderValue::from_str(&format!("Basic {}", BASE64_STANDARD.encode(pair))).ok()?;
    value.set_sensitive(true);
    Some(value)
}

impl TryFrom<Url> for Target {
    type Error = TargetError;

    fn try_from(mut url: Url) -> Result<Self, TargetError> {
        if !matches!(url.scheme(), "http" | "https") {
            return Err(TargetError::Scheme(url.scheme().to_owned()));
        }
        let port = url
            .port_or_known_default()
            .filter(|&port| port != 0)
            .ok_or(TargetError::Port)?;
        let host = url.host_str().ok_or(url::ParseError::EmptyHost)?;
        let host = host
            .trim_start_matches('[')
            .trim_end_matches(']')
            .to_owned();
        let authorization = credentials(&url);
        // Neither can fail: an http URL has a host.
        let _ = url.set_username("");
        let _ = url.set_password(None);
        url.set_fragment(None);
        Ok(Self {
            url,
            host,
            port,
            authorization,
        })
    }
}

impl FromStr for Target {
    type Err = TargetError;

    fn from_str(text: &str) -> Result<Self, TargetError> {
        Url::parse(text.trim())?.try_into()
    }
}

/// The URL for people, metrics and spans: no user name, no password, and `REDACTED` for the values of secret query parameters.
impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.url[..url::Position::AfterPath])?;
        match self.url.query() {
            Some(query) => write!(f, "?{}", redact_query(query)),
            None => Ok(()),
        }
    }
}

impl fmt::Debug for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Target({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn target(text: &str) -> Target {
        text.parse().unwrap()
    }

    #[test]
    fn a_url_is_taken_apart() {
        let target = target("https://example.org/status?x=1#top");
        assert_eq!(
            (target.host(), target.port(), target.is_tls()),
            ("example.org", 443, true)
        );
        assert_eq!(target.path_and_query(), "/status?x=1");
        assert_eq!(target.authority(), "example.org");
        assert_eq!(target.authority_with_port(), "example.org:443");
    }

    #[test]
    fn an_ipv6_address_is_named_without_brackets_and_sent_with_them() {
        let target = target("http://[::1]:3000/");
        assert_eq!((target.host(), target.port()), ("::1", 3000));
        assert_eq!(target.authority(), "[::1]:3000");
    }

    #[test]
    fn what_is_no_http_url_is_refused_without_repeating_it() {
        for text in [
            "",
            "example.org",
            "ftp://me:hunter2@example.org",
            "http://me:hunter2@",
            "http://me:hunter2@x:99999",
            "http://x:0/",
        ] {
            let error = text.parse::<Target>().unwrap_err();
            assert!(!error.to_string().contains("hunter2"), "{error}");
        }
        assert_eq!(
            "ftp://example.org".parse::<Target>(),
            Err(TargetError::Scheme("ftp".to_owned()))
        );
    }

    #[test]
    fn secrets_are_sent_and_never_shown() {
        let target = target("https://me:hunter%402@example.org/a?s%69g=hunter2&x=1");
        assert_eq!(target.authorization().unwrap(), "Basic bWU6aHVudGVyQDI=");
        assert_eq!(
            target.to_string(),
            "https://example.org/a?s%69g=REDACTED&x=1"
        );
        assert!(!format!("{target:?}").contains("hunter"));
        assert_eq!(target.path_and_query(), "/a?s%69g=hunter2&x=1");
    }

    #[test]
    fn credentials_stay_with_their_origin() {
        let here = target("http://me:secret@example.org/a/b");
        assert!(here.join("/now").unwrap().authorization().is_some());
        assert_eq!(
            here.join("/now").unwrap().to_string(),
            "http://example.org/now"
        );
        for other in [
            "https://example.org/",
            "http://example.org:81/",
            "//other.example/",
        ] {
            assert!(
                here.join(other).unwrap().authorization().is_none(),
                "{other}"
            );
        }
    }
}
