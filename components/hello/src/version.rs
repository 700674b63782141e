//! `GET /version`: version and commit.

use serde::Serialize;
use spinfo_guest::{Answer, Cx, Request, Response};

#[derive(Serialize)]
struct Version<'a> {
    version: &'a str,
    commit: &'a str,
}

pub(crate) async fn show(cx: Cx, _request: Request) -> Answer {
    Ok(Response::json(&Version {
        version: cx.version(),
        commit: &cx.variable("revision").await?,
    })?)
}

#[cfg(test)]
mod tests {
    use spinfo_guest::testing::{TestApp, TestRequest};

    use crate::app;

    #[test]
    fn the_commit_is_the_variable_revision() {
        let hello = TestApp::builder(app())
            .variable("revision", "abc123")
            .build();
        let answer = hello.call(TestRequest::get("/version"));
        assert_eq!(
            answer.text(),
            concat!(
                r#"{"version":""#,
                env!("CARGO_PKG_VERSION"),
                r#"","commit":"abc123"}"#,
                "\n"
            )
        );
    }
}
