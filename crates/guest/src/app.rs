//! A component before its first request: its name, version and routes.

use std::future::Future;

use http::Method;

use crate::cx::Cx;
use crate::request::Request;
use crate::route::{Answer, RouteTable};

/// The component's name, version and route table.
pub struct App {
    pub(crate) name: &'static str,
    pub(crate) version: &'static str,
    pub(crate) routes: RouteTable,
}

impl App {
    /// `name` is the component's id in spin.toml, `version` its `CARGO_PKG_VERSION`.
    pub fn new(name: &'static str, version: &'static str) -> Self {
        Self {
            name,
            version,
            routes: RouteTable::default(),
        }
    }

    /// GET and HEAD.
    #[must_use]
    pub fn get<F, Fut>(self, template: &'static str, handler: F) -> Self
    where
        F: Fn(Cx, Request) -> Fut + 'static,
        Fut: Future<Output = Answer> + 'static,
    {
        self.route(Method::GET, template, handler)
    }

    /// POST
    #[must_use]
    pub fn post<F, Fut>(self, template: &'static str, handler: F) -> Self
    where
        F: Fn(Cx, Request) -> Fut + 'static,
        Fut: Future<Output = Answer> + 'static,
    {
        self.route(Method::POST, template, handler)
    }

    /// PUT
    #[must_use]
    pub fn put<F, Fut>(self, template: &'static str, handler: F) -> Self
    where
        F: Fn(Cx, Request) -> Fut + 'static,
        Fut: Future<Output = Answer> + 'static,
    {
        self.route(Method::PUT, template, handler)
    }

    /// DELETE
    #[must_use]
    pub fn delete<F, Fut>(self, template: &'static str, handler: F) -> Self
    where
        F: Fn(Cx, Request) -> Fut + 'static,
        Fut: Future<Output = Answer> + 'static,
    {
        self.route(Method::DELETE, template, handler)
    }

    /// One row of the table. A template is a path, with `:name` for one segment and a final `/...` for the rest.
    #[must_use]
    pub fn route<F, Fut>(mut self, method: Method, template: &'static str, handler: F) -> Self
    where
        F: Fn(Cx, Request) -> Fut + 'static,
        Fut: Future<Output = Answer> + 'static,
    {
        self.routes.add(method, template, handler);
        self
    }
}
