//! From the request on the wire to the request that a guest sees: its URL and the `spin-*` header fields.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use http::uri::{Authority, Scheme};
use http::{HeaderMap, HeaderName, HeaderValue, Request, Uri, Version, header};
use spinfo_manifest::RouteMatch;

/// What guests see as the client when a component calls another, as in Spin.
pub(crate) const SELF_CLIENT: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::UNSPECIFIED), 0);

const FULL_URL: HeaderName = HeaderName::from_static("spin-full-url");
const CLIENT_ADDR: HeaderName = HeaderName::from_static("spin-client-addr");
/// Only the host may set fields with this prefix: a guest trusts them.
const SPIN_PREFIX: &str = "spin-";

/// Where a request came from.
pub(crate) struct Origin {
    pub(crate) scheme: Scheme,
    pub(crate) client: SocketAddr,
}

/// Why a request can't be passed to a guest. The text is for the client.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(crate) struct BadRequest(pub(crate) &'static str);

/// The host that a request is for.
///
/// # Errors
/// RFC 9112 section 3.2: a request of HTTP/1.1 without a `Host` field, with more than one, or with one that is no
/// authority is answered 400. A request target with an authority of its own wins over the field.
pub(crate) fn authority<B>(request: &Request<B>) -> Result<Authority, BadRequest> {
    let mut fields = request.headers().get_all(header::HOST).iter();
    let (field, more) = (fields.next(), fields.next());
    if more.is_some() {
        return Err(BadRequest("the request has more than one Host field"));
    }
    if let Some(authority) = request.uri().authority() {
        return Ok(authority.clone());
    }
    match field {
        Some(value) => Authority::try_from(value.as_bytes())
            .map_err(|_| BadRequest("the Host field names no host")),
        None if request.version() <= Version::HTTP_10 => Ok(Authority::from_static("localhost")),
        None => Err(BadRequest("the request has no Host field")),
    }
}

/// Gives a request for `authority` the absolute URL and the header fields that guests on Spin see.
///
/// # Errors
/// When the result is not a URL.
pub(crate) fn prepare<B>(
    request: &mut Request<B>,
    authority: Authority,
    route: &RouteMatch<'_>,
    origin: &Origin,
) -> Result<(), BadRequest> {
    let path = request
        .uri()
        .path_and_query()
        .map_or("/", |path| path.as_str());
    let full_url = format!("{}://{authority}{path}", origin.scheme);
    let mut parts = std::mem::take(request.uri_mut()).into_parts();
    parts.scheme = Some(origin.scheme.clone());
    parts.authority = Some(authority);
    *request.uri_mut() =
        Uri::from_parts(parts).map_err(|_| BadRequest("the request target is no URL"))?;

    let headers = request.headers_mut();
    strip_spin_fields(headers);
    set(headers, FULL_URL, &full_url);
    set(headers, CLIENT_ADDR, &origin.client.to_string());
    for (name, value) in route.spin_headers() {
        if let Ok(name) = HeaderName::try_from(name) {
            set(headers, name, &value);
        }
    }
    Ok(())
}

fn strip_spin_fields(headers: &mut HeaderMap) {
    let forged: Vec<HeaderName> = headers
        .keys()
        .filter(|name| name.as_str().starts_with(SPIN_PREFIX))
        .cloned()
        .collect();
    for name in forged {
        headers.remove(name);
    }
}

fn set(headers: &mut HeaderMap, name: HeaderName, value: &str) {
    // Paths are matched as sent, so they hold no byte that a header field may not have.
    if let Ok(value) = HeaderValue::from_str(value) {
        headers.insert(name, value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(target: &str, version: Version, hosts: &[&str]) -> Request<()> {
        let mut builder = Request::builder().uri(target).version(version);
        for host in hosts {
            builder = builder.header(header::HOST, *host);
        }
        builder.body(()).unwrap()
    }

    #[test]
    fn the_target_wins_over_the_host_field_and_http_1_1_needs_one() {
        let host = |target, version, hosts: &[&str]| {
            authority(&request(target, version, hosts))
                .map(|authority| authority.to_string())
                .map_err(|error| error.0)
        };
        assert_eq!(host("/", Version::HTTP_11, &["a:1"]), Ok("a:1".into()));
        assert_eq!(
            host("http://b/", Version::HTTP_11, &["a:1"]),
            Ok("b".into())
        );
        assert_eq!(host("http://b/", Version::HTTP_2, &[]), Ok("b".into()));
        assert_eq!(host("/", Version::HTTP_10, &[]), Ok("localhost".into()));
        assert!(host("/", Version::HTTP_11, &[]).is_err());
        assert!(host("/", Version::HTTP_11, &["a", "a"]).is_err());
        assert!(host("/", Version::HTTP_11, &["a b"]).is_err());
    }

    #[test]
    fn forged_fields_do_not_reach_the_guest() {
        let manifest = "spin_manifest_version = 2\n[application]\nname = \"h\"\n\
            [[trigger.http]]\nroute = \"/u/:user\"\ncomponent = \"a\"\n[component.a]\nsource = \"a.wasm\"\n";
        let dir = std::path::Path::new(".");
        let application =
            spinfo_manifest::Application::parse(manifest, dir, &dir.join("spin.toml")).unwrap();
        let router = spinfo_manifest::Router::new(&application);
        let mut request = request("/u/bob?x=1", Version::HTTP_11, &["h:80"]);
        request
            .headers_mut()
            .insert("spin-path-match-admin", HeaderValue::from_static("yes"));
        let origin = Origin {
            scheme: Scheme::HTTPS,
            client: SocketAddr::from(([10, 0, 0, 1], 5)),
        };
        let host = authority(&request).unwrap();
        prepare(&mut request, host, &router.find("/u/bob").unwrap(), &origin).unwrap();
        let field = |name: &str| {
            request
                .headers()
                .get(name)
                .map(|value| value.to_str().unwrap())
        };
        assert_eq!(request.uri(), "https://h:80/u/bob?x=1");
        assert_eq!(field("spin-full-url"), Some("https://h:80/u/bob?x=1"));
        assert_eq!(field("spin-client-addr"), Some("10.0.0.1:5"));
        assert_eq!(field("spin-path-match-user"), Some("bob"));
        assert_eq!(field("spin-path-match-admin"), None);
    }
}
