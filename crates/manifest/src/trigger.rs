//! `[[trigger.http]]`: which route starts which component.

use crate::document::Item;
use crate::error::{Error, Warning};
use crate::route::RoutePattern;
use crate::section::Section;

/// The paths below which the host itself answers, whatever the routes say.
pub const WELL_KNOWN_PREFIX: &str = "/.well-known/spin/";

/// One HTTP trigger.
#[derive(Clone, Debug)]
pub struct HttpTrigger {
    /// As given, or made from the component's id.
    pub id: String,
    /// Id of the component in [`Application::components`](crate::Application::components).
    pub component: String,
    /// Where it can be reached.
    pub route: Route,
}

/// Where a trigger can be reached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Route {
    /// By requests from outside.
    Path(RoutePattern),
    /// By other components only (`route = { private = true }`).
    Private,
}

/// A trigger as read, before its component is looked up.
pub(crate) struct TriggerEntry<'t> {
    pub(crate) id: String,
    pub(crate) component: Item<'t>,
    pub(crate) route_item: Item<'t>,
    pub(crate) route: Route,
}

/// What Spin knows and this crate refuses: key, reason, remedy.
const UNSUPPORTED: [(&str, &str, &str); 3] = [
    (
        "static_response",
        "answers without a component are not supported",
        "answer from a component",
    ),
    (
        "components",
        "more than one component per trigger is not supported",
        "name one as component",
    ),
    (
        "dependencies",
        "middleware components are not supported",
        "compose the middleware with the component before, for example with wac",
    ),
];

/// Reads one entry of `[[trigger.http]]`.
pub(crate) fn read<'t>(
    item: Item<'t>,
    warnings: &mut Vec<Warning>,
) -> Result<TriggerEntry<'t>, Error> {
    let mut section = item.section()?;
    let id = section.string("id")?.unwrap_or_default();
    for (key, reason, remedy) in UNSUPPORTED {
        if let Some(item) = section.take_unadvised(key) {
            return Err(item.unsupported(reason, remedy));
        }
    }
    let component = section.require(
        "component",
        "name the component that answers: component = \"…\"",
    )?;
    let (route_item, route) = read_route(&mut section, warnings)?;
    section.finish()?;
    Ok(TriggerEntry {
        id,
        component,
        route_item,
        route,
    })
}

/// Takes `route` and `executor`.
pub(crate) fn read_route<'t>(
    section: &mut Section<'t>,
    warnings: &mut Vec<Warning>,
) -> Result<(Item<'t>, Route), Error> {
    let item = section.require(
        "route",
        "give the path to answer: route = \"/…\", or route = { private = true }",
    )?;
    let route = parse_route(&item)?;
    if let Some(executor) = section.take("executor") {
        read_executor(executor, warnings)?;
    }
    Ok((item, route))
}

fn parse_route(item: &Item<'_>) -> Result<Route, Error> {
    const REMEDY: &str = "write a path like \"/hello\", or { private = true }";
    if let Some(path) = item.as_str() {
        return match RoutePattern::parse(path) {
            Ok(pattern) => Ok(Route::Path(pattern)),
            Err(Error::Route { reason, remedy, .. }) => Err(item.invalid(reason, remedy)),
            Err(other) => Err(other),
        };
    }
    if !item.is_table() {
        return Err(item.invalid(
            format!("must be a path or a table, not {}", item.type_name()),
            REMEDY,
        ));
    }
    let mut section = item.clone().section()?;
    let private = section.require("private", REMEDY)?.boolean()?;
    section.finish()?;
    match private {
        true => Ok(Route::Private),
        false => Err(item.invalid("private = false means nothing", REMEDY)),
    }
}

fn read_executor(item: Item<'_>, warnings: &mut Vec<Warning>) -> Result<(), Error> {
    let mut section = item.section()?;
    let kind = section.require("type", "write executor = { type = \"http\" }, or remove it")?;
    match kind.as_str() {
        Some("http" | "spin") => {}
        Some("wagi") => {
            return Err(kind.unsupported(
                "the Wagi executor is not supported",
                "build the component for wasi:http and remove the executor",
            ));
        }
        _ => return Err(kind.invalid("unknown executor", "write \"http\", or remove the executor")),
    }
    for item in section.rest() {
        warnings.push(Warning(
            *item.problem("has no effect on this executor", "remove it"),
        ));
    }
    Ok(())
}

/// What of a route doesn't work as one would think, given the triggers before it: reason and remedy.
pub(crate) fn check_route(route: &Route, earlier: &[HttpTrigger]) -> Vec<(String, &'static str)> {
    const OWN_ROUTE: &str = "give each trigger a route of its own";
    let Route::Path(pattern) = route else {
        return vec![];
    };
    let mut problems = vec![];
    for trigger in earlier {
        let Route::Path(known) = &trigger.route else {
            continue;
        };
        if known.as_str() == pattern.as_str() {
            let reason = format!(
                "replaces the same route of trigger {:?}, which gets no requests",
                trigger.id
            );
            problems.push((reason, OWN_ROUTE));
        } else if known.is_same(pattern) {
            let reason = format!(
                "matches the same paths as trigger {:?}, which gets them all",
                trigger.id
            );
            problems.push((reason, OWN_ROUTE));
        }
    }

    if pattern.is_dead() {
        let reason = "matches no path at all, since a wildcard stands before its end";
        problems.push((reason.to_owned(), "put the wildcard last"));
    } else if pattern.is_literal() && pattern.matches(pattern.path()).is_none() {
        let reason =
            "doesn't match itself: a dot after a slash is joined to the text before it, as in Spin";
        problems.push((
            reason.to_owned(),
            "use a route without a dot at the start of a segment",
        ));
    }
    if pattern.as_str().contains(['?', '#']) {
        problems.push((
            "has a query or fragment, which paths never have".to_owned(),
            "remove it",
        ));
    }
    if pattern.matched().starts_with(WELL_KNOWN_PREFIX) {
        problems.push((
            format!("the host itself answers below {WELL_KNOWN_PREFIX}"),
            "use another route",
        ));
    }
    problems
}
