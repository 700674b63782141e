//! A component's route table: methods and path templates, spelled like the triggers in spin.toml.

use std::future::Future;

use futures::future::{FutureExt, LocalBoxFuture};
use http::Method;

use crate::cx::Cx;
use crate::problem::Problem;
use crate::request::Request;
use crate::response::Response;

/// What a handler gives back.
pub type Answer = Result<Response, Problem>;

type Handler = Box<dyn Fn(Cx, Request) -> LocalBoxFuture<'static, Answer>>;

struct Route {
    template: &'static str,
    method: Method,
    handler: Handler,
}

/// Where a request goes.
pub(crate) enum Match<'a> {
    Handler {
        template: &'static str,
        handler: &'a Handler,
        params: Vec<(&'static str, String)>,
    },
    OtherMethods {
        template: &'static str,
        allow: String,
    },
    Nothing,
}

#[derive(Default)]
pub(crate) struct RouteTable {
    routes: Vec<Route>,
}

impl RouteTable {
    pub(crate) fn add<F, Fut>(&mut self, method: Method, template: &'static str, handler: F)
    where
        F: Fn(Cx, Request) -> Fut + 'static,
        Fut: Future<Output = Answer> + 'static,
    {
        let handler = Box::new(move |cx, request| handler(cx, request).boxed_local());
        self.routes.push(Route {
            template,
            method,
            handler,
        });
    }

    /// The templates, each once, in the order of the table.
    #[cfg(not(target_family = "wasm"))]
    pub(crate) fn templates(&self) -> Vec<&'static str> {
        let mut templates: Vec<_> = self.routes.iter().map(|route| route.template).collect();
        templates.dedup();
        templates
    }

    /// Among the templates that match, the first in the table counts, so exact ones stand before parameters.
    pub(crate) fn find(&self, method: &Method, path: &str) -> Match<'_> {
        let wanted = if method == Method::HEAD {
            &Method::GET
        } else {
            method
        };
        let Some((template, params)) = self
            .routes
            .iter()
            .find_map(|route| Some((route.template, capture(route.template, path)?)))
        else {
            return Match::Nothing;
        };
        let mut of_template = self
            .routes
            .iter()
            .filter(|route| route.template == template);
        match of_template.clone().find(|route| route.method == *wanted) {
            Some(route) => Match::Handler {
                template,
                handler: &route.handler,
                params,
            },
            None => Match::OtherMethods {
                template,
                allow: allow(of_template.by_ref().map(|route| &route.method)),
            },
        }
    }
}

/// `GET` brings `HEAD`, and `OPTIONS` is answered for every route.
fn allow<'a>(methods: impl Iterator<Item = &'a Method>) -> String {
    let mut names = Vec::new();
    for method in methods {
        names.push(method.as_str());
        if method == Method::GET {
            names.push("HEAD");
        }
    }
    names.push("OPTIONS");
    names.join(", ")
}

/// The parameters when `path` fits `template`. As in Spin: one trailing slash is ignored, `:name` stands for one
/// segment, a final `/...` for the rest, the bare prefix included; paths are compared as sent.
fn capture(template: &'static str, path: &str) -> Option<Vec<(&'static str, String)>> {
    let trimmed = path.strip_suffix('/').unwrap_or(path);
    if template == path || template == trimmed {
        return Some(Vec::new());
    }
    if let Some(prefix) = template.strip_suffix("/...") {
        let rest = path.strip_prefix(prefix)?;
        let rest = if rest.is_empty() {
            rest
        } else {
            rest.strip_prefix('/')?
        };
        return Some(vec![("...", rest.to_owned())]);
    }
    if !template.contains(':') {
        return None;
    }
    let mut params = Vec::new();
    let mut segments = trimmed.split('/');
    for expected in template.split('/') {
        let segment = segments.next()?;
        match expected.strip_prefix(':') {
            Some(name) if !segment.is_empty() => params.push((name, segment.to_owned())),
            None if expected == segment => {}
            _ => return None,
        }
    }
    segments.next().is_none().then_some(params)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::response::Response;

    fn table() -> RouteTable {
        let mut table = RouteTable::default();
        let answer = |_: Cx, _: Request| async { Ok(Response::text("")) };
        table.add(Method::GET, "/", answer);
        table.add(Method::GET, "/status", answer);
        table.add(Method::PUT, "/status", answer);
        table.add(Method::POST, "/status/change", answer);
        table.add(Method::GET, "/status/:code", answer);
        table.add(Method::GET, "/files/...", answer);
        table
    }

    fn found(method: Method, path: &str) -> String {
        match table().find(&method, path) {
            Match::Handler {
                template, params, ..
            } => format!("{template} {params:?}"),
            Match::OtherMethods { allow, .. } => format!("405 {allow}"),
            Match::Nothing => "404".to_owned(),
        }
    }

    #[test]
    fn exact_routes_ignore_one_trailing_slash() {
        assert_eq!(found(Method::GET, "/"), "/ []");
        assert_eq!(found(Method::GET, "/status"), "/status []");
        assert_eq!(found(Method::GET, "/status/"), "/status []");
        assert_eq!(found(Method::GET, "/status//"), "404");
        assert_eq!(found(Method::GET, "/Status"), "404");
        assert_eq!(found(Method::GET, "/nothing"), "404");
    }

    #[test]
    fn parameters_take_one_segment_after_the_exact_routes() {
        assert_eq!(
            found(Method::GET, "/status/503"),
            r#"/status/:code [("code", "503")]"#
        );
        assert_eq!(
            found(Method::GET, "/status/503/"),
            r#"/status/:code [("code", "503")]"#
        );
        assert_eq!(found(Method::GET, "/status/503/x"), "404");
        assert_eq!(found(Method::POST, "/status/change"), "/status/change []");
    }

    #[test]
    fn a_wildcard_takes_the_rest_and_its_bare_prefix() {
        assert_eq!(found(Method::GET, "/files"), r#"/files/... [("...", "")]"#);
        assert_eq!(
            found(Method::GET, "/files/a/b"),
            r#"/files/... [("...", "a/b")]"#
        );
        assert_eq!(found(Method::GET, "/filesystem"), "404");
    }

    #[test]
    fn other_methods_are_listed_and_head_is_get() {
        assert_eq!(found(Method::HEAD, "/status"), "/status []");
        assert_eq!(
            found(Method::DELETE, "/status"),
            "405 GET, HEAD, PUT, OPTIONS"
        );
        assert_eq!(found(Method::GET, "/status/change"), "405 POST, OPTIONS");
    }
}
