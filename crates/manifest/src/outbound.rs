//! `allowed_outbound_hosts`: where a component may send requests.
//!
//! A pattern is `scheme://host[:port]`. The scheme is a word or `*`; the host a name, an address, `*`, `*.example.com`, a
//! network like `10.0.0.0/8`, or `self` (this application); the port a number, a range `8000..9000` (without its end), or
//! `*`, and without one the scheme's own. Spin's rules, see
//! <https://spinframework.dev/http-outbound#granting-http-permissions-to-components>.

mod network;
mod pattern;

use std::collections::BTreeMap;
use std::fmt;

use url::Host;

pub use self::pattern::HostPattern;

use crate::declaration::Variable;
use crate::document::Item;
use crate::error::{Error, Problem, Warning};
use crate::section::Section;
use crate::template::Template;

/// The domain of the application's own components: `http://ID.spin.internal`.
pub const CHAINING_SUFFIX: &str = ".spin.internal";
/// What manifests before version 2 said to allow everything.
const ALLOW_ALL: &str = "insecure:allow-all";
/// The schemes components can send requests with.
const KNOWN_SCHEMES: [&str; 3] = ["http", "https", "*"];

/// The hosts one component may send requests to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AllowedHosts {
    patterns: Vec<HostPattern>,
}

impl AllowedHosts {
    /// Parses patterns in which the templates are rendered. One that is empty, `http://` or `https://` allows nothing, so that
    /// a variable can be left empty to switch off what it is for.
    ///
    /// # Errors
    /// [`Error::Host`] for the first pattern that doesn't parse.
    pub fn parse<S: AsRef<str>>(patterns: &[S]) -> Result<Self, Error> {
        let mut allowed = Self::default();
        for pattern in patterns {
            allowed.add(pattern.as_ref(), pattern.as_ref())?;
        }
        Ok(allowed)
    }

    /// Adds a pattern that is to be shown as `shown`.
    pub(crate) fn add(&mut self, pattern: &str, shown: &str) -> Result<(), Error> {
        if !is_empty(pattern) {
            self.patterns
                .push(HostPattern::parse(pattern)?.shown_as(shown));
        }
        Ok(())
    }

    /// Whether a request to `scheme://host:port` may be sent. An IPv6 `host` may be in brackets or not.
    pub fn allows(&self, scheme: &str, host: &str, port: u16) -> bool {
        let parsed = match host.contains(':') && !host.starts_with('[') {
            true => Host::parse(&format!("[{host}]")),
            false => Host::parse(host),
        };
        let Ok(host) = parsed else { return false };
        self.patterns
            .iter()
            .any(|pattern| pattern.allows(scheme, &host, port))
    }

    /// Whether a request without a host, which goes to this application, may be sent.
    pub fn allows_self(&self, scheme: &str) -> bool {
        self.patterns
            .iter()
            .any(|pattern| pattern.allows_self(scheme))
    }

    /// Whether nothing is allowed.
    pub fn is_empty(&self) -> bool {
        self.patterns.is_empty()
    }

    /// The patterns.
    pub fn patterns(&self) -> &[HostPattern] {
        &self.patterns
    }

    /// For the operator: which line makes a denied request allowed.
    pub fn hint(component: &str, scheme: &str, host: &str, port: u16) -> String {
        let host = if host.contains(':') && !host.starts_with('[') {
            format!("[{host}]")
        } else {
            host.to_owned()
        };
        let port = match pattern::default_port(scheme) == Some(port) {
            true => String::new(),
            false => format!(":{port}"),
        };
        format!(
            "to allow it, add \"{scheme}://{host}{port}\" to component.{component}.allowed_outbound_hosts"
        )
    }

    /// Checks what is known before variables have values: literal patterns, and templates with their defaults.
    pub(crate) fn check(
        patterns: &[Template],
        variables: &BTreeMap<String, Variable>,
        place: &Problem,
        warnings: &mut Vec<Warning>,
    ) -> Result<(), Error> {
        for (at, template) in patterns
            .iter()
            .enumerate()
            .filter(|(_, template)| !template.is_literal())
        {
            let problem = |reason: String, remedy: &str| Problem {
                key: format!("{}.allowed_outbound_hosts[{at}]", place.key),
                place: place.place.clone(),
                reason,
                remedy: remedy.to_owned(),
            };
            if let Some(unknown) = template
                .variables()
                .find(|name| !variables.contains_key(*name))
            {
                let reason = format!(
                    "{:?} allows nothing, there is no variable {unknown:?}",
                    template.as_str()
                );
                warnings.push(Warning(problem(reason, "declare it in [variables]")));
                continue;
            }
            let default = |name: &str| variables.get(name)?.default.as_deref();
            let Ok(text) = template.render(default) else {
                continue;
            };
            if is_empty(&text) {
                continue;
            }
            if let Err(Error::Host { reason, remedy, .. }) = HostPattern::parse(&text) {
                let reason = format!(
                    "with the variables' defaults, {:?} is no pattern: {reason}",
                    template.as_str()
                );
                return Err(Error::Invalid(Box::new(problem(reason, &remedy))));
            }
        }
        Ok(())
    }
}

impl fmt::Display for AllowedHosts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let patterns: Vec<_> = self.patterns.iter().map(HostPattern::as_str).collect();
        f.write_str(&patterns.join(", "))
    }
}

fn is_empty(pattern: &str) -> bool {
    matches!(pattern, "" | "http://" | "https://")
}

/// Reads `allowed_outbound_hosts`, and `allowed_http_hosts`, which it has replaced.
pub(crate) fn read(
    section: &mut Section<'_>,
    warnings: &mut Vec<Warning>,
) -> Result<Vec<Template>, Error> {
    let mut hosts = vec![];
    for item in section.array("allowed_outbound_hosts")? {
        let template = Template::read(&item)?;
        if template.is_literal() {
            let pattern = parse_literal(&item, template.as_str())?;
            if !KNOWN_SCHEMES.contains(&pattern.scheme()) {
                let reason = format!(
                    "has no effect, components can't send {:?} requests",
                    pattern.scheme()
                );
                warnings.push(Warning(
                    *item.problem(reason, "use http or https, or remove it"),
                ));
            }
        }
        hosts.push(template);
    }
    let Some(old) = section
        .take_unadvised("allowed_http_hosts")
        .filter(|item| !item.is_empty())
    else {
        return Ok(hosts);
    };
    let problem = old.problem("is deprecated", "use allowed_outbound_hosts");
    warnings.push(Warning(*problem));
    let items = old.array()?;
    if items.iter().any(|item| item.as_str() == Some(ALLOW_ALL)) {
        for all in ["http://*:*", "https://*:*", "http://self"] {
            hosts.push(Template::parse(all)?);
        }
        return Ok(hosts);
    }
    for item in items {
        let refuse = |(reason, remedy): (String, String)| item.invalid(reason, remedy);
        for pattern in pattern::from_http_host(&item.clone().string()?).map_err(refuse)? {
            parse_literal(&item, &pattern)?;
            hosts.push(Template::parse(&pattern)?);
        }
    }
    Ok(hosts)
}

fn parse_literal(item: &Item<'_>, text: &str) -> Result<HostPattern, Error> {
    HostPattern::parse(text).map_err(|error| match error {
        Error::Host {
            reason,
            remedy,
            pattern,
        } => item.invalid(format!("{pattern:?}: {reason}"), remedy),
        other => other,
    })
}

#[cfg(test)]
mod tests;
