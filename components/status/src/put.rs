//! `PUT /status`: sets the state.

use serde_json::{Map, Value};
use spinfo_guest::{Answer, Cx, Request};

use crate::fault;
use crate::state::change;

/// 64 KiB
const LIMIT: u64 = 64 * 1024;

pub(crate) async fn set(cx: Cx, request: Request) -> Answer {
    cx.authorize(&request).await?;
    let members: Map<String, Value> = request.json(LIMIT).await?;
    let (fault, ttl) = fault::parse(&members)?;
    change(&cx, fault, ttl).await
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use serde_json::json;
    use spinfo_guest::Method;
    use spinfo_guest::testing::{TestApp, TestRequest, TestResponse};

    use super::LIMIT;
    use crate::app;

    fn put(body: &str) -> TestRequest {
        TestRequest::new(Method::PUT, "/status").json(body)
    }

    fn get(status: &TestApp) -> TestResponse {
        status.call(TestRequest::get("/status"))
    }

    #[test]
    fn what_is_put_is_shown_with_its_code_and_delay() {
        let status = TestApp::new(app());
        let answer = status.call(put(r#"{"code":503,"message":"down","delay_ms":1500}"#));
        assert_eq!(answer.status, 200);
        assert_eq!(answer.json()["delay_ms"], 1500);
        let shown = get(&status);
        assert_eq!(shown.status, 503);
        assert_eq!(
            shown.json(),
            json!({
                "state": "failing", "code": 503, "message": "down",
                "changed_at": "2026-01-02T03:04:05.000000000Z", "expires_at": null, "revision": 1,
            })
        );
        assert_eq!(status.elapsed(), Duration::from_millis(1500));
    }

    #[test]
    fn it_expires_by_itself_as_one_more_revision() {
        let status = TestApp::new(app());
        status.call(put(r#"{"code":500,"ttl_seconds":10}"#));
        assert_eq!(
            get(&status).json()["expires_at"],
            "2026-01-02T03:04:15.000000000Z"
        );
        status.advance(Duration::from_secs(9));
        assert_eq!(get(&status).status, 500);
        status.advance(Duration::from_secs(1));
        let shown = get(&status);
        assert_eq!(shown.status, 200);
        assert_eq!(
            shown.json(),
            json!({
                "state": "ok", "code": 200, "message": "ok",
                "changed_at": "2026-01-02T03:04:15.000000000Z", "expires_at": null, "revision": 2,
            })
        );
        status.call(put(r#"{"code":500}"#));
        assert_eq!(get(&status).json()["revision"], 3);
    }

    #[test]
    fn a_share_of_the_requests_is_hit() {
        let status = TestApp::new(app());
        status.call(put(r#"{"code":500,"percent":30}"#));
        let hit = (0..1000).filter(|_| get(&status).status == 500).count();
        assert!((200..400).contains(&hit), "{hit} of 1000");
        status.call(put(r#"{"code":500,"percent":0}"#));
        assert!((0..100).all(|_| get(&status).status == 200));
    }

    #[test]
    fn mistakes_are_named() {
        let cases = [
            (r"{}", json!(["code"])),
            (r#"{"code":"503"}"#, json!(["code"])),
            (r#"{"code":199}"#, json!(["code"])),
            (r#"{"code":600}"#, json!(["code"])),
            (r#"{"code":200.5}"#, json!(["code"])),
            (r#"{"code":null}"#, json!(["code"])),
            (r#"{"code":200,"delay_ms":60001}"#, json!(["delay_ms"])),
            (r#"{"code":200,"percent":101}"#, json!(["percent"])),
            (r#"{"code":200,"ttl_seconds":0}"#, json!(["ttl_seconds"])),
            (r#"{"code":200,"message":7}"#, json!(["message"])),
            (r#"{"code":200,"mesage":"x"}"#, json!(["mesage"])),
            (
                r#"{"code":1,"delay_ms":-1,"x":0}"#,
                json!(["x", "code", "delay_ms"]),
            ),
        ];
        let status = TestApp::new(app());
        for (body, fields) in cases {
            let answer = status.call(put(body));
            assert_eq!(answer.status, 422, "{body}");
            let document = answer.json();
            let named: Vec<_> = document["errors"]
                .as_array()
                .unwrap()
                .iter()
                .map(|e| &e["field"])
                .collect();
            assert_eq!(json!(named), fields, "{body}");
        }
        let long = format!(r#"{{"code":200,"message":"{}"}}"#, "é".repeat(257));
        assert_eq!(status.call(put(&long)).status, 422);
        assert_eq!(get(&status).json()["revision"], 0);
    }

    #[test]
    fn a_body_that_is_no_json_object_is_refused() {
        let status = TestApp::new(app());
        assert_eq!(status.call(put("{")).status, 400);
        assert_eq!(status.call(put("")).status, 400);
        assert_eq!(status.call(put("[200]")).status, 422);
        let form = TestRequest::new(Method::PUT, "/status")
            .header("content-type", "text/plain")
            .body("code=200");
        assert_eq!(status.call(form).status, 415);
        let large = format!(r#"{{"code":200}}{}"#, " ".repeat(LIMIT as usize));
        assert_eq!(status.call(put(&large)).status, 413);
    }

    #[test]
    fn a_set_token_is_asked_for_by_all_that_changes() {
        let status = TestApp::builder(app()).variable("admin_token", "t").build();
        for request in [
            put(r#"{"code":500}"#),
            TestRequest::post("/status/change"),
            TestRequest::new(Method::DELETE, "/status"),
        ] {
            assert_eq!(status.call(request.clone()).status, 401);
            assert_eq!(
                status
                    .call(request.header("authorization", "Bearer t"))
                    .status,
                200
            );
        }
        assert_eq!(get(&status).status, 200);
    }
}
