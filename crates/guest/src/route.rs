//! A component's route table: methods and path templates, spelled like the triggers in spin.toml.

use std::future::Future;

use futures::future::{FutureExt, LocalBoxFuture};
use http::Method;

use crate::cx::Cx;
use crate::fields::Fields;
use crate::problem::Problem;
use crate::request::{Params, Request};
use crate::response::Response;

/// What Spin tells a component about the match. Its own fields come last: it passes the client's of these names on.
const MATCHED_ROUTE: &str = "spin-matched-route";
const PATH_INFO: &str = "spin-path-info";
const PATH_MATCH: &str = "spin-path-match-";

/// The end of a template that matches whatever follows, and the name of the parameter that holds it.
const REST: &str = "...";

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
        params: Params,
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

    /// The templates; one that answers several methods comes several times.
    pub(crate) fn templates(&self) -> impl Iterator<Item = &'static str> {
        self.routes.iter().map(|route| route.template)
    }

    /// The handler of a request: the host says which route it has matched, and the table is asked only for what it doesn't
    /// know, on a host that says nothing or a trigger that takes in all paths.
    pub(crate) fn find(&self, request: &Request) -> Match<'_> {
        let (fields, path) = (request.fields(), request.path());
        let matched = fields.last(MATCHED_ROUTE).and_then(|matched| {
            let template = Some(matched).filter(|it| !it.is_empty()).unwrap_or("/");
            let template = self.templates().find(|known| *known == template)?;
            Some((template, told(template, fields)))
        });
        let captured = || {
            self.templates()
                .find_map(|template| Some((template, capture(template, path)?)))
        };
        let Some((template, params)) = matched.or_else(captured) else {
            return Match::Nothing;
        };
        let wanted = match *request.method() {
            Method::HEAD => &Method::GET,
            ref method => method,
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

/// What the host says that the parameters of the matched `template` stand for.
fn told(template: &'static str, fields: &Fields) -> Params {
    let params = template.split('/').filter_map(|segment| {
        if segment == REST {
            let rest = fields.last(PATH_INFO).unwrap_or_default();
            return Some((REST, rest.trim_matches('/').to_owned()));
        }
        let name = segment.strip_prefix(':')?;
        let field = format!("{PATH_MATCH}{}", name.replace('_', "-"));
        Some((name, fields.last(&field).unwrap_or_default().to_owned()))
    });
    params.collect()
}

/// The parameters when `path` fits `template`: slashes at both ends are ignored, `:name` stands for one segment, a final
/// `/...` for the rest, the bare prefix included; paths are compared as sent. Among the templates of a table the first that
/// fits counts, so exact ones stand before those with parameters.
fn capture(template: &'static str, path: &str) -> Option<Params> {
    let mut params = Vec::new();
    let mut segments = path.trim_matches('/').split('/');
    for expected in template.trim_matches('/').split('/') {
        if expected == REST {
            let rest: Vec<_> = segments.collect();
            params.push((REST, rest.join("/").trim_matches('/').to_owned()));
            return Some(params);
        }
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
    use crate::app::App;
    use crate::testing::{TestRequest, router};

    fn app() -> App {
        async fn answer(_cx: Cx, _request: Request) -> Answer {
            Ok(Response::text(""))
        }
        App::new("test", "0")
            .get("/", answer)
            .get("/status", answer)
            .put("/status", answer)
            .post("/status/change", answer)
            .get("/status/:code", answer)
            .get("/files/:user_id/...", answer)
    }

    fn found(app: &App, request: TestRequest) -> String {
        match app.routes.find(&request.into_request()) {
            Match::Handler {
                template, params, ..
            } => format!("{template} {params:?}"),
            Match::OtherMethods { allow, .. } => format!("405 {allow}"),
            Match::Nothing => "404".to_owned(),
        }
    }

    #[test]
    fn the_table_alone_finds_what_the_host_finds() {
        let app = app();
        let router = router(&app);
        for (path, expected) in [
            ("/", "/ []"),
            ("//", "/ []"),
            ("/status", "/status []"),
            ("/status/", "/status []"),
            ("//status//", "/status []"),
            ("/Status", "404"),
            ("/nothing", "404"),
            ("/status//503", "404"),
            ("/status/503", r#"/status/:code [("code", "503")]"#),
            ("/status/503//", r#"/status/:code [("code", "503")]"#),
            ("/status/503/x", "404"),
            ("/status/change", "405 POST, OPTIONS"),
            (
                "/files/a%20b",
                r#"/files/:user_id/... [("user_id", "a%20b"), ("...", "")]"#,
            ),
            (
                "/files/a/b/c/",
                r#"/files/:user_id/... [("user_id", "a"), ("...", "b/c")]"#,
            ),
            ("/files", "404"),
            ("/filesystem/a", "404"),
        ] {
            let request = TestRequest::get(path);
            assert_eq!(
                found(&app, request.clone().routed(&router)),
                expected,
                "{path}"
            );
            assert_eq!(
                found(&app, request),
                expected,
                "{path} without a host's help"
            );
        }
    }

    #[test]
    fn the_host_s_word_counts_and_not_the_client_s() {
        let app = app();
        let forged = TestRequest::get("/status/503")
            .header("spin-matched-route", "/status")
            .header("spin-path-match-code", "200");
        let routed = forged.routed(&router(&app));
        assert_eq!(found(&app, routed), r#"/status/:code [("code", "503")]"#);
    }

    #[test]
    fn a_trigger_that_the_table_does_not_have_leaves_the_choice_to_it() {
        for route in ["/...", "/status/..."] {
            let chained = TestRequest::get("/status/503").header("spin-matched-route", route);
            assert_eq!(found(&app(), chained), r#"/status/:code [("code", "503")]"#);
        }
    }

    #[test]
    fn other_methods_are_listed_and_head_is_get() {
        let found = |method, path| found(&app(), TestRequest::new(method, path));
        assert_eq!(found(Method::HEAD, "/status"), "/status []");
        assert_eq!(
            found(Method::DELETE, "/status"),
            "405 GET, HEAD, PUT, OPTIONS"
        );
        assert_eq!(found(Method::GET, "/status/change"), "405 POST, OPTIONS");
    }
}
