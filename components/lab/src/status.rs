//! `GET`, `POST` and `PUT /status/{code}`: an answer with that status code.

use serde::Serialize;
use spinfo_guest::{Answer, Cx, Problem, Request, Response, StatusCode};

#[derive(Serialize)]
struct Status {
    status: u16,
}

pub(crate) async fn show(_cx: Cx, request: Request) -> Answer {
    let code = request
        .param("code")
        .parse()
        .ok()
        .filter(|code| (200..=599).contains(code));
    let Some(status) = code.and_then(|code| StatusCode::from_u16(code).ok()) else {
        return Err(
            Problem::bad_request("the path names no status code that can be answered")
                .field("code", "must be a whole number from 200 to 599"),
        );
    };
    Ok(Response::json(&Status {
        status: status.as_u16(),
    })?
    .status(status)
    .header("cache-control", "no-store"))
}

#[cfg(test)]
mod tests {
    use spinfo_guest::Method;
    use spinfo_guest::testing::{TestApp, TestRequest};

    use crate::app;

    #[test]
    fn the_code_is_answered() {
        let lab = TestApp::new(app());
        for code in [200, 201, 302, 404, 418, 503, 599] {
            for method in [Method::GET, Method::POST, Method::PUT] {
                let answer = lab.call(TestRequest::new(method, &format!("/status/{code}")));
                assert_eq!(answer.status, code);
                assert_eq!(answer.json(), serde_json::json!({"status": code}));
            }
        }
    }

    #[test]
    fn codes_that_forbid_a_body_have_none() {
        let lab = TestApp::new(app());
        for (code, length) in [(204, ""), (205, "0"), (304, "")] {
            let answer = lab.call(TestRequest::get(&format!("/status/{code}")));
            assert_eq!((answer.status.as_u16(), answer.text().as_str()), (code, ""));
            assert_eq!(answer.header("content-length"), length, "{code}");
        }
    }

    #[test]
    fn other_codes_are_400() {
        let lab = TestApp::new(app());
        for bad in [
            "100", "101", "199", "600", "1000", "0", "abc", "-200", "%00",
        ] {
            let answer = lab.call(TestRequest::get(&format!("/status/{bad}")));
            assert_eq!(answer.status, 400, "{bad}");
            assert_eq!(answer.json()["errors"][0]["field"], "code");
        }
    }
}
