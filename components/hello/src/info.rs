//! `GET /api/info`: what runs here, with podinfo's member names.

use std::env;

use serde::Serialize;
use spinfo_guest::{Answer, Cx, Request, Response};

#[derive(Serialize)]
struct Info<'a> {
    name: &'a str,
    hostname: &'a str,
    version: &'a str,
    revision: &'a str,
    color: &'a str,
    message: &'a str,
    os: &'a str,
    arch: &'a str,
    runtime: &'a str,
}

/// The interface that runs the component; the host behind it doesn't tell its name.
const RUNTIME: &str = "wasi:http/service@0.3.0";

/// The standard library has no name for it (`env::consts::OS` is empty).
const OS: &str = if cfg!(target_os = "wasi") {
    "wasi"
} else {
    env::consts::OS
};

pub(crate) async fn show(cx: Cx, _request: Request) -> Answer {
    // A component sees a host name only when the operator hands it one (`--env HOSTNAME=…`).
    let hostname = env::var("HOSTNAME")
        .ok()
        .filter(|name| cfg!(target_family = "wasm") && !name.is_empty());
    Ok(Response::json(&Info {
        name: "spinfo",
        hostname: hostname.as_deref().unwrap_or(cx.instance_id()),
        version: cx.version(),
        revision: &cx.variable("revision").await?,
        color: &cx.variable("color").await?,
        message: &cx.variable("message").await?,
        os: OS,
        arch: env::consts::ARCH,
        runtime: RUNTIME,
    })?)
}

#[cfg(test)]
mod tests {
    use spinfo_guest::testing::{TestApp, TestRequest};

    use crate::app;

    #[test]
    fn the_members_are_podinfos() {
        let hello = TestApp::builder(app())
            .variable("message", "hi")
            .variable("color", "red")
            .variable("revision", "abc123")
            .build();
        let info = hello.call(TestRequest::get("/api/info")).json();
        assert_eq!(info["name"], "spinfo");
        assert_eq!(info["version"], env!("CARGO_PKG_VERSION"));
        assert_eq!(info["revision"], "abc123");
        assert_eq!(info["message"], "hi");
        assert_eq!(info["color"], "red");
        assert_eq!(info["hostname"].as_str().map(str::len), Some(16));
    }
}
