//! `DELETE /status`: back to ok.

use spinfo_guest::{Answer, Cx, Request};

use crate::fault::Fault;
use crate::state::change;

pub(crate) async fn reset(cx: Cx, request: Request) -> Answer {
    cx.authorize(&request).await?;
    change(&cx, Fault::none(), None).await
}

#[cfg(test)]
mod tests {
    use spinfo_guest::Method;
    use spinfo_guest::testing::{TestApp, TestRequest};

    use crate::app;

    #[test]
    fn the_fault_is_gone_and_the_revision_goes_on() {
        let status = TestApp::new(app());
        status.call(
            TestRequest::new(Method::PUT, "/status").json(r#"{"code":500,"ttl_seconds":60}"#),
        );
        let answer = status.call(TestRequest::new(Method::DELETE, "/status"));
        assert_eq!(answer.status, 200);
        let shown = status.call(TestRequest::get("/status"));
        assert_eq!(shown.status, 200);
        assert_eq!(
            (&shown.json()["revision"], &shown.json()["expires_at"]),
            (&2.into(), &serde_json::Value::Null)
        );
    }
}
