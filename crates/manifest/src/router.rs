//! Which component answers a path, and what it is told about the match.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use crate::route::{Captures, RoutePattern};
use crate::trigger::{HttpTrigger, Route};

/// What a chained request (`http://ID.spin.internal/…`) is matched against.
const CHAINED_ROUTE: &str = "/...";
/// Spin has no base path since manifest version 2; the header is still there.
const BASE_PATH: &str = "/";

/// The routes of an application in the order in which they are tried.
#[derive(Clone, Debug)]
pub struct Router {
    routes: Vec<PublicRoute>,
    /// Every component's id, in order.
    components: Vec<String>,
    /// Ids of the components that have a trigger, be it a private one.
    triggered: BTreeSet<String>,
}

/// A route that requests from outside can reach.
#[derive(Clone, Debug)]
pub struct PublicRoute {
    /// The route.
    pub pattern: RoutePattern,
    /// Id of the component that answers it.
    pub component: String,
    /// That component's position in [`Application::components`](crate::Application::components).
    pub component_index: usize,
    /// The trigger's position in [`Application::triggers`](crate::Application::triggers).
    pub trigger_index: usize,
    /// `spin-path-match-NAME` for each parameter, in order; empty where that is no header name.
    parameter_headers: Vec<String>,
}

/// A path that a route matches.
#[derive(Clone, Debug)]
pub struct RouteMatch<'a> {
    component: &'a str,
    component_index: usize,
    route: Option<(usize, &'a PublicRoute)>,
    path: &'a str,
    captures: Captures<'a>,
}

impl Router {
    /// Sorts the routes of `triggers` to `components`, their ids in order. Of two triggers with the same route, the later
    /// answers.
    pub(crate) fn over<'a>(
        triggers: &[HttpTrigger],
        components: impl Iterator<Item = &'a String>,
    ) -> Self {
        let components: Vec<String> = components.cloned().collect();
        let mut distinct: Vec<PublicRoute> = vec![];
        for (trigger_index, trigger) in triggers.iter().enumerate() {
            let Route::Path(pattern) = &trigger.route else {
                continue;
            };
            // Parsing has checked that the component is there.
            let mut ids = components.iter();
            let Some(component_index) = ids.position(|id| *id == trigger.component) else {
                continue;
            };
            let route = PublicRoute {
                parameter_headers: pattern.parameters().map(parameter_header).collect(),
                pattern: pattern.clone(),
                component: trigger.component.clone(),
                component_index,
                trigger_index,
            };
            match distinct
                .iter_mut()
                .find(|known| known.pattern.as_str() == pattern.as_str())
            {
                Some(known) => *known = route,
                None => distinct.push(route),
            }
        }
        let mut routes = BTreeMap::new();
        for (at, route) in distinct.iter().enumerate() {
            routes.insert(Precedence(&route.pattern), at);
        }
        let routes = routes
            .into_values()
            .map(|at| distinct[at].clone())
            .collect();
        let triggered = triggers
            .iter()
            .map(|trigger| trigger.component.clone())
            .collect();
        Self {
            routes,
            components,
            triggered,
        }
    }

    /// The public routes, in the order in which they are tried.
    pub fn routes(&self) -> &[PublicRoute] {
        &self.routes
    }

    /// Finds who answers `path` (as sent: not decoded, without the query), in time linear in the length of the path and
    /// the number of routes, and without allocating unless the route has parameters.
    pub fn find<'a>(&'a self, path: &'a str) -> Option<RouteMatch<'a>> {
        self.routes.iter().enumerate().find_map(|(index, route)| {
            route.pattern.matches(path).map(|captures| RouteMatch {
                component: &route.component,
                component_index: route.component_index,
                route: Some((index, route)),
                path,
                captures,
            })
        })
    }

    /// The triggers without parameters and wildcard whose path another route answers, each with the trigger of that route.
    pub(crate) fn unreachable<'t>(
        &self,
        triggers: &'t [HttpTrigger],
    ) -> Vec<(&'t HttpTrigger, &'t HttpTrigger)> {
        let mut found = vec![];
        for trigger in triggers {
            let Route::Path(pattern) = &trigger.route else {
                continue;
            };
            let answering = self.find(pattern.path()).and_then(|found| found.route);
            let Some((_, answering)) = answering.filter(|_| pattern.is_literal()) else {
                continue;
            };
            // Equal routes have been reported on the way.
            if !pattern.is_same(&answering.pattern) {
                found.push((trigger, &triggers[answering.trigger_index]));
            }
        }
        found
    }

    /// The match for a request that another component sends to `http://ID.spin.internal`, whatever routes the component
    /// has; `None` if there is no such component or no trigger names it.
    pub fn chain<'a>(&'a self, component: &str, path: &'a str) -> Option<RouteMatch<'a>> {
        let component_index = self.components.iter().position(|id| id == component)?;
        self.triggered.get(component)?;
        let component = &self.components[component_index];
        Some(RouteMatch {
            component,
            component_index,
            route: None,
            path,
            captures: Captures::default(),
        })
    }
}

/// The order in which routes are tried, for a `BTreeMap`.
///
/// The order is not total: with a dot involved, each of two routes may go before the other, and which one does depends on
/// the steps of the map. Spin's router keeps its routes in such a map, so the same map gives the same order.
struct Precedence<'a>(&'a RoutePattern);

impl Ord for Precedence<'_> {
    fn cmp(&self, other: &Self) -> Ordering {
        match self.0.goes_before(other.0) {
            true => Ordering::Less,
            // Never equal: of two that match the same paths, the earlier stays in front.
            false => Ordering::Greater,
        }
    }
}

impl PartialOrd for Precedence<'_> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Precedence<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Precedence<'_> {}

impl PublicRoute {
    /// The route for people and for telemetry's `http.route`: as in [`RoutePattern::matched`], but `/` for the root.
    pub fn template(&self) -> &str {
        Some(self.pattern.matched())
            .filter(|route| !route.is_empty())
            .unwrap_or("/")
    }
}

impl<'a> RouteMatch<'a> {
    /// Id of the component that answers.
    pub fn component(&self) -> &'a str {
        self.component
    }

    /// That component's position in [`Application::components`](crate::Application::components), for tables made beside it.
    pub fn component_index(&self) -> usize {
        self.component_index
    }

    /// The matched route's position in [`Router::routes`]; `None` for a chained request.
    pub fn route_index(&self) -> Option<usize> {
        self.route.map(|(index, _)| index)
    }

    /// The route for telemetry's `http.route`.
    pub fn template(&self) -> &'a str {
        self.route
            .map_or(CHAINED_ROUTE, |(_, route)| route.template())
    }

    /// `spin-matched-route`: the route without its trailing slash, so nothing at all for `/`.
    pub fn matched_route(&self) -> &'a str {
        self.route
            .map_or(CHAINED_ROUTE, |(_, route)| route.pattern.matched())
    }

    /// `spin-raw-component-route`: the route as written.
    pub fn raw_component_route(&self) -> &'a str {
        self.route
            .map_or(CHAINED_ROUTE, |(_, route)| route.pattern.as_str())
    }

    /// `spin-component-route`: the route as written, without `/...`.
    pub fn component_route(&self) -> &'a str {
        self.route
            .map_or("", |(_, route)| route.pattern.component_route())
    }

    /// `spin-base-path`: always `/`.
    pub fn base_path(&self) -> &'static str {
        BASE_PATH
    }

    /// `spin-path-info`: what the wildcard stands for, with a slash before it, and one behind it if the path ends in one.
    pub fn path_info(&self) -> Cow<'a, str> {
        if self.route.is_none() {
            return self.path.into();
        }
        let Some(Range { start, end }) = self.captures.wildcard.clone() else {
            return "".into();
        };
        let slash = self.path.ends_with('/');
        match self.path[..start].strip_suffix('/') {
            _ if start == end => if slash { "/" } else { "" }.into(),
            Some(before) => self.path[before.len()..end + usize::from(slash)].into(),
            // Only routes like "/v.*" have no slash before.
            None => format!("/{}", &self.path[start..end + usize::from(slash)]).into(),
        }
    }

    /// The route's parameters: name as written, value as sent.
    pub fn parameters(&self) -> impl Iterator<Item = (&'a str, &'a str)> {
        let names = self
            .route
            .into_iter()
            .flat_map(|(_, route)| route.pattern.parameters());
        names.zip(self.captures.values.iter().copied())
    }

    /// The headers that tell the component about the match: all of Spin's but `spin-full-url` and `spin-client-addr`,
    /// which depend on the connection. Later ones replace earlier ones of the same name, and the client's own.
    pub fn spin_headers(&self) -> impl Iterator<Item = (&'a str, Cow<'a, str>)> + use<'_, 'a> {
        let fixed = [
            ("spin-path-info", self.path_info()),
            ("spin-matched-route", self.matched_route().into()),
            ("spin-base-path", self.base_path().into()),
            (
                "spin-raw-component-route",
                self.raw_component_route().into(),
            ),
            ("spin-component-route", self.component_route().into()),
        ];
        let names = self
            .route
            .into_iter()
            .flat_map(|(_, route)| &route.parameter_headers);
        let values = self.captures.values.iter().map(|value| Cow::from(*value));
        let parameters = names.map(String::as_str).zip(values);
        fixed
            .into_iter()
            .chain(parameters.filter(|(name, _)| !name.is_empty()))
    }
}

/// `spin-path-match-NAME`, lower case with dashes; empty if a header can't have that name (RFC 9110, section 5.1).
fn parameter_header(name: &str) -> String {
    let name = name.replace('_', "-").to_ascii_lowercase();
    let token = name
        .bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte));
    if token {
        format!("spin-path-match-{name}")
    } else {
        String::new()
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::Application;

    /// A router over `routes`, each answered by the component `a`.
    fn router(routes: &[&str]) -> Router {
        let mut text = "spin_manifest_version = 2\napplication = { name = 'x' }\n".to_owned();
        for route in routes {
            text += &format!("[[trigger.http]]\nroute = '{route}'\ncomponent = 'a'\n");
        }
        text += "[component.a]\nsource = 'a.wasm'\n";
        Router::new(&Application::parse(&text, Path::new(""), Path::new("spin.toml")).unwrap())
    }

    #[test]
    fn text_goes_before_parameters_before_wildcards() {
        let router = router(&["/...", "/:p", "/a", "/a/...", "/a/:p", "/a/b", "/:p/b"]);
        for (path, route) in [
            ("/a", "/a"),
            ("/b", "/:p"),
            ("/a/b", "/a/b"),
            ("/a/c", "/a/:p"),
            ("/a/c/d", "/a/..."),
            ("/b/b", "/:p/b"),
            ("/b/c", "/..."),
            ("/", "/..."),
        ] {
            assert_eq!(
                router.find(path).unwrap().raw_component_route(),
                route,
                "{path}"
            );
        }
    }

    #[test]
    fn many_routes_keep_the_order() {
        let many: Vec<String> = (0..100).map(|n| format!("/n{n}/...")).collect();
        let mut routes: Vec<&str> = many.iter().map(String::as_str).collect();
        routes.extend(["/...", "/n7/x", "/:p/x"]);
        let router = router(&routes);
        assert_eq!(router.find("/n7/x").unwrap().template(), "/n7/x");
        assert_eq!(router.find("/n8/x").unwrap().template(), "/n8/...");
        assert_eq!(router.find("/m/x").unwrap().template(), "/:p/x");
        assert_eq!(router.find("/m/y").unwrap().template(), "/...");
    }

    #[test]
    fn path_info_keeps_one_slash_at_each_end() {
        let router = router(&["/f/...", "/v.*", "/x"]);
        for (path, info) in [
            ("/f", ""),
            ("/f/", "/"),
            ("/f//", "/"),
            ("/f/a", "/a"),
            ("/f/a/b/", "/a/b/"),
            ("/f/a//", "/a/"),
            ("/f//a", "//a"),
            ("//f/a", "/a"),
            ("/v.1", "/1"),
            ("/v.1/", "/1/"),
            ("/x/", ""),
        ] {
            assert_eq!(router.find(path).unwrap().path_info(), info, "{path}");
        }
    }

    #[test]
    fn parameters_become_headers_where_they_can() {
        let router = router(&["/:user_ID/:b b"]);
        let found = router.find("/bob/1").unwrap();
        assert_eq!(
            found.parameters().collect::<Vec<_>>(),
            [("user_ID", "bob"), ("b b", "1")]
        );
        let headers: Vec<_> = found
            .spin_headers()
            .filter(|(name, _)| name.starts_with("spin-path-match"))
            .collect();
        assert_eq!(headers, [("spin-path-match-user-id", Cow::from("bob"))]);
    }

    #[test]
    fn the_root_has_a_template_though_its_matched_route_is_empty() {
        let router = router(&["/"]);
        let found = router.find("/").unwrap();
        assert_eq!(
            (found.matched_route(), found.template(), found.route_index()),
            ("", "/", Some(0))
        );
    }
}
