//! `GET /status`: the simulated state, as its status code and as JSON, after its delay.

use std::time::Duration;

use spinfo_guest::{Answer, Cx, Problem, Request, Response, StatusCode};

use crate::state::current;

pub(crate) async fn show(cx: Cx, _request: Request) -> Answer {
    let mut state = current(&cx).await?;
    if !state.fault.hits(cx.random()) {
        state = state.spared();
    }
    if state.fault.delay_ms > 0 {
        cx.sleep(Duration::from_millis(state.fault.delay_ms)).await;
    }
    let status = StatusCode::from_u16(state.fault.code).map_err(Problem::internal)?;
    Ok(Response::json(&state.document())?
        .status(status)
        .header("cache-control", "no-store"))
}

#[cfg(test)]
mod tests {
    use spinfo_guest::testing::{TestApp, TestRequest};

    use crate::app;

    #[test]
    fn it_is_ok_at_first() {
        let answer = TestApp::new(app()).call(TestRequest::get("/status"));
        assert_eq!(answer.status, 200);
        assert_eq!(
            answer.text(),
            "{\"state\":\"ok\",\"code\":200,\"message\":\"ok\",\"changed_at\":null,\"expires_at\":null,\"revision\":0}\n"
        );
        assert_eq!(answer.header("cache-control"), "no-store");
    }

    #[test]
    fn a_lost_store_is_a_503_problem() {
        let status = TestApp::new(app());
        status.store("default").set_broken(true);
        let answer = status.call(TestRequest::get("/status"));
        assert_eq!(answer.status, 503);
        assert_eq!(
            answer.json()["detail"],
            "the key-value store is not available"
        );
        assert_eq!(answer.header("content-type"), "application/problem+json");
        status.store("default").set_broken(false);
        assert_eq!(status.call(TestRequest::get("/status")).status, 200);
    }

    #[test]
    fn a_value_of_another_version_is_not_guessed_at_and_can_be_replaced() {
        let status = TestApp::new(app());
        for value in ["", "nonsense", r#"{"schema":2}"#] {
            status.store("default").insert("status", value);
            assert_eq!(
                status.call(TestRequest::get("/status")).status,
                500,
                "{value}"
            );
        }
        assert_eq!(
            status
                .call(TestRequest::new(spinfo_guest::Method::DELETE, "/status"))
                .status,
            200
        );
        assert_eq!(status.call(TestRequest::get("/status")).status, 200);
    }
}
