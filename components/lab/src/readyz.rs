//! `GET /readyz`, and `POST /readyz/enable` and `/readyz/disable` to take the service out of rotation and back. The
//! switch is in the key-value store, so it holds for every replica.

use spinfo_guest::{Answer, Cx, KeyValue, Problem, Request, Response, Severity, StatusCode};

use crate::healthz::OK;

/// There is a value under this key while readiness is switched off.
const DISABLED: &str = "lab/readyz-disabled";

const STORE: &str = "default";

pub(crate) async fn show(cx: Cx, _request: Request) -> Answer {
    if cx.store(STORE).await?.exists(DISABLED).await? {
        return Err(Problem::unavailable(
            "readiness is switched off; POST /readyz/enable switches it on",
        ));
    }
    Ok(Response::json(&OK)?.header("cache-control", "no-store"))
}

pub(crate) async fn enable(cx: Cx, request: Request) -> Answer {
    cx.authorize(&request).await?;
    cx.store(STORE).await?.delete(DISABLED).await?;
    Ok(accepted(&cx, true))
}

pub(crate) async fn disable(cx: Cx, request: Request) -> Answer {
    cx.authorize(&request).await?;
    cx.store(STORE).await?.set(DISABLED, b"1").await?;
    Ok(accepted(&cx, false))
}

fn accepted(cx: &Cx, ready: bool) -> Response {
    cx.log(
        Severity::Info,
        "readiness switched",
        [KeyValue::new("ready", ready)],
    );
    Response::empty(StatusCode::ACCEPTED)
}

#[cfg(test)]
mod tests {
    use spinfo_guest::testing::{TestApp, TestRequest};

    use crate::app;

    fn ready(lab: &TestApp) -> u16 {
        lab.call(TestRequest::get("/readyz")).status.as_u16()
    }

    #[test]
    fn the_switch_goes_off_and_on() {
        let lab = TestApp::new(app());
        assert_eq!(ready(&lab), 200);
        assert_eq!(lab.call(TestRequest::post("/readyz/disable")).status, 202);
        assert_eq!(ready(&lab), 503);
        assert_eq!(lab.call(TestRequest::post("/readyz/disable")).status, 202);
        assert_eq!(lab.call(TestRequest::post("/readyz/enable")).status, 202);
        assert_eq!(ready(&lab), 200);
    }

    #[test]
    fn the_switch_asks_for_the_admin_token() {
        let lab = TestApp::builder(app())
            .variable("admin_token", "s3cret")
            .build();
        let refused =
            lab.call(TestRequest::post("/readyz/disable").header("authorization", "Bearer wrong"));
        assert_eq!(refused.status, 401);
        assert!(refused.header("www-authenticate").starts_with("Bearer"));
        assert_eq!(ready(&lab), 200);
        let accepted =
            lab.call(TestRequest::post("/readyz/disable").header("authorization", "Bearer s3cret"));
        assert_eq!(accepted.status, 202);
        assert_eq!(ready(&lab), 503);
    }

    #[test]
    fn get_does_not_switch() {
        let answer = TestApp::new(app()).call(TestRequest::get("/readyz/disable"));
        assert_eq!(
            (answer.status.as_u16(), answer.header("allow")),
            (405, "POST, OPTIONS")
        );
    }

    #[test]
    fn without_the_store_it_is_not_ready() {
        let lab = TestApp::new(app());
        lab.store("default").set_broken(true);
        let answer = lab.call(TestRequest::get("/readyz"));
        assert_eq!(answer.status, 503);
        assert_eq!(
            answer.json()["detail"],
            "the key-value store is not available"
        );
    }
}
