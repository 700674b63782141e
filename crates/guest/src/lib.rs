//! What spinfo's components share, so that each of them reads as its business only.
//!
//! A component is a route table and one handler per endpoint:
//!
//! ```
//! use spinfo_guest::names::attribute::STATUS_STATE;
//! use spinfo_guest::names::metric::STATUS_CHANGES;
//! use spinfo_guest::names::values::StatusState;
//! use spinfo_guest::{Answer, App, Cx, KeyValue, Problem, Request, Response, Severity, StatusCode};
//!
//! pub fn app() -> App {
//!     App::new("greeter", env!("CARGO_PKG_VERSION"))
//!         .get("/greet/:name", greet)
//!         .post("/greet/:name", remember)
//! }
//!
//! async fn greet(cx: Cx, request: Request) -> Answer {
//!     let greeting = cx.variable("greeting").await?;
//!     cx.count(&STATUS_CHANGES, 1, &[KeyValue::new(STATUS_STATE.key, StatusState::Ok.as_str())]);
//!     Ok(Response::text(format!("{greeting}, {}", request.param("name"))))
//! }
//!
//! async fn remember(cx: Cx, request: Request) -> Answer {
//!     cx.authorize(&request).await?; // 401 without the admin token
//!     let name = request.param("name").into_owned();
//!     let note = request.bytes(1024).await?; // 413 past 1 KiB
//!     if note.is_empty() {
//!         return Err(Problem::bad_request("the note is empty").field("body", "must not be empty"));
//!     }
//!     let mut span = cx.span("remember");
//!     span.set("note.size", note.len() as i64);
//!     span.cx().store("default").await?.set(&name, &note).await?; // 503 without the store
//!     cx.log(Severity::Info, "note remembered", [KeyValue::new("name", name)]);
//!     Ok(Response::empty(StatusCode::NO_CONTENT))
//! }
//!
//! // At the root of the crate: the entry in WebAssembly, and a test that spin.toml has these routes.
//! // spinfo_guest::export!(app);
//!
//! // And a test of the greeting, natively:
//! use spinfo_guest::testing::{TestApp, TestRequest};
//! let greeter = TestApp::builder(app()).variable("greeting", "Hello").build();
//! assert_eq!(greeter.call(TestRequest::get("/greet/Eve")).text(), "Hello, Eve");
//! ```
//!
//! The crate adds to every answer what the HTTP contract asks of all: `traceresponse`, `nosniff`, HEAD, OPTIONS, 404,
//! 405 with `allow`, problem documents; and to every request a span, a metric and a log record over OTLP.
//!
//! The map, in reading order; each module knows only modules that come later, and `handle` knows them all:
//! - `app`, a component before its first request, and `handle`, the way of a request through it, with `handle::finish`, its
//!   span, metric and log record, and `handle::store`, the store whose operations are spans;
//! - what a handler gets and gives: `admin`, `route`, `cx`, `request`, `problem`, `response`, `negotiate`, `html`;
//! - `instance`, what stays between requests, and `telemetry`, buffers and export;
//! - the ground, which knows nothing of requests: `platform` (the seam to the host), `store`, `body`, `fields`, `trace` (W3C
//!   headers), `time`;
//! - `serve`, the entry in WebAssembly, and `testing`, a host for native tests.

mod admin;
mod app;
mod body;
mod cx;
mod fields;
mod handle;
mod html;
mod instance;
mod negotiate;
mod platform;
mod problem;
mod request;
mod response;
mod route;
#[cfg(target_family = "wasm")]
mod serve;
mod store;
mod telemetry;
#[cfg(not(target_family = "wasm"))]
pub mod testing;
mod time;
mod trace;

pub use app::App;
pub use body::{BodyError, LimitedBody};
pub use bytes::Bytes;
pub use cx::{Cx, Span};
pub use handle::store::Store;
pub use html::escape;
pub use http::{Method, StatusCode};
pub use negotiate::{Media, negotiate};
pub use opentelemetry::logs::Severity;
pub use opentelemetry::{KeyValue, Value};
pub use problem::{FieldError, Problem};
pub use request::Request;
pub use response::{PAGE_POLICY, Response};
pub use route::Answer;
#[cfg(target_family = "wasm")]
#[doc(hidden)]
pub use serve::{serve, wasip3};
pub use spinfo_names as names;
pub use store::StoreError;
pub use time::{rfc3339, unix_nanos};

/// Makes a component of an `fn() -> App`. In WebAssembly it exports `wasi:http/handler`, as `spin_sdk::http_service` does, but
/// with the request as the host has it: the SDK's own copies all of it, and asks for parts that no handler reads. In tests it is
/// the one that compares the routes with spin.toml.
#[macro_export]
macro_rules! export {
    ($app:ident) => {
        #[cfg(target_family = "wasm")]
        mod exported {
            struct Component;

            impl $crate::wasip3::exports::http::handler::Guest for Component {
                async fn handle(
                    request: $crate::wasip3::http::types::Request,
                ) -> Result<
                    $crate::wasip3::http::types::Response,
                    $crate::wasip3::http::types::ErrorCode,
                > {
                    $crate::serve(super::$app, request).await
                }
            }

            $crate::wasip3::http::service::export!(Component);
        }

        #[cfg(test)]
        #[test]
        fn the_routes_are_the_triggers_of_the_manifest() {
            $crate::testing::assert_routes_are_triggers(&$app());
        }
    };
}
