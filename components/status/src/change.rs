//! `POST /status/change`: on to the next state, ok → degraded → failing → ok. A fault set by `PUT` counts as the state that it is
//! reported as.

use spinfo_guest::names::values::StatusState;
use spinfo_guest::{Answer, Cx, Request, StoreError};

use crate::fault::Fault;
use crate::state::{change, current};

pub(crate) async fn advance(cx: Cx, request: Request) -> Answer {
    cx.authorize(&request).await?;
    let now = match current(&cx).await {
        Ok(state) => state.reported(),
        Err(StoreError::Corrupt { .. }) => StatusState::Failing,
        Err(error) => return Err(error.into()),
    };
    let next = match now {
        StatusState::Ok => Fault::degraded(),
        StatusState::Degraded => Fault::failing(),
        StatusState::Failing => Fault::none(),
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
