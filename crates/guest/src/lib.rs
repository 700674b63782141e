//! What spinfo's components share, so that each of them reads as its business only.
//!
//! A component is a route table and one handler per endpoint:
//!
//! ```
//! use spinfo_guest::{Answer, App, Cx, KeyValue, Metric, Problem, Request, Response, Severity};
//!
//! const GREETINGS: Metric =
//!     Metric { name: "spinfo.greetings", unit: "{greeting}", description: "Greetings.", buckets: &[] };
//!
//! pub fn app() -> App {
//!     App::new("greeter", env!("CARGO_PKG_VERSION"))
//!         .get("/greet/:name", greet)
//!         .post("/greet/:name", remember)
//! }
//!
//! async fn greet(cx: Cx, request: Request) -> Answer {
//!     let greeting = cx.variable("greeting").await?;
//!     cx.count(&GREETINGS, 1, &[KeyValue::new("kind", "plain")]);
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
//!     Ok(Response::see_other("/greet"))
//! }
//!
//! // The entry, in WebAssembly only:
//! // #[cfg(target_family = "wasm")]
//! // spinfo_guest::export!(app);
//!
//! // And a test, natively:
//! use spinfo_guest::testing::{TestApp, TestRequest};
//! let greeter = TestApp::builder(app()).variable("greeting", "Hello").build();
//! assert_eq!(greeter.call(TestRequest::get("/greet/Eve")).text(), "Hello, Eve");
//! ```
//!
//! The crate adds to every answer what the HTTP contract asks of all: `traceresponse`, `nosniff`, HEAD, OPTIONS, 404,
//! 405 with `allow`, problem documents; and to every request a span, a metric and a log record over OTLP.
//!
//! The map, in reading order: `app` (a request's way), `route`, `request`, `fields`, `body`, `negotiate`, `response`, `problem`,
//! `html`, `cx` (what a handler gets), `admin`, `store`, `trace` (W3C headers), `telemetry` (buffers and export),
//! `time`, `instance` (what stays between requests), `platform` (the seam to the host), `serve` (WebAssembly only) and
//! `testing` (native only).

mod admin;
mod app;
mod body;
mod cx;
mod fields;
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
pub use store::{Store, StoreError};
pub use telemetry::metrics::Metric;
pub use time::{rfc3339, unix_nanos};
