//! `POST /status/change`: on to the next state, ok → degraded → failing → ok. What was set by `PUT` counts by its stage.

use spinfo_guest::{Answer, Cx, Request, StoreError};

use crate::state::{Stage, change, current};
use crate::wish::Wish;

pub(crate) async fn advance(cx: Cx, request: Request) -> Answer {
    cx.authorize(&request).await?;
    let stage = match current(&cx).await {
        Ok(state) => state.stage(),
        Err(StoreError::Corrupt { .. }) => Stage::Failing,
        Err(error) => return Err(error.into()),
    };
    let next = match stage {
        Stage::Ok => Wish::degraded(),
        Stage::Degraded => Wish::failing(),
        Stage::Failing => Wish::ok(),
    };
    change(&cx, next, None).await
}

#[cfg(test)]
mod tests {
    use spinfo_guest::Method;
    use spinfo_guest::testing::{TestApp, TestRequest};

    use crate::app;

    #[test]
    fn the_states_go_round() {
        let status = TestApp::new(app());
        for (revision, (name, code)) in [
            ("degraded", 200),
            ("failing", 503),
            ("ok", 200),
            ("degraded", 200),
        ]
        .into_iter()
        .enumerate()
        {
            let changed = status.call(TestRequest::post("/status/change"));
            assert_eq!(
                (changed.status.as_u16(), &changed.json()["state"]),
                (200, &name.into())
            );
            let shown = status.call(TestRequest::get("/status"));
            assert_eq!(
                (shown.status.as_u16(), &shown.json()["state"]),
                (code, &name.into())
            );
            assert_eq!(shown.json()["revision"], revision + 1);
        }
    }

    #[test]
    fn an_error_set_by_hand_goes_on_to_ok() {
        let status = TestApp::new(app());
        status.call(TestRequest::new(Method::PUT, "/status").json(r#"{"code":500}"#));
        assert_eq!(
            status.call(TestRequest::post("/status/change")).json()["state"],
            "ok"
        );
    }

    #[test]
    fn other_methods_are_refused() {
        let answer = TestApp::new(app()).call(TestRequest::get("/status/change"));
        assert_eq!(
            (answer.status.as_u16(), answer.header("allow")),
            (405, "POST, OPTIONS")
        );
    }
}
