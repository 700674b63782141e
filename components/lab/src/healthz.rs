//! `GET /healthz`: whether the component runs. It asks nobody else, so a lost store doesn't get it restarted.

use serde::Serialize;
use spinfo_guest::{Answer, Cx, Request, Response};

#[derive(Serialize)]
pub(crate) struct Health {
    status: &'static str,
}

/// podinfo's answer of a healthy and of a ready server.
pub(crate) const OK: Health = Health { status: "OK" };

pub(crate) async fn show(_cx: Cx, _request: Request) -> Answer {
    Ok(Response::json(&OK)?.header("cache-control", "no-store"))
}

#[cfg(test)]
mod tests {
    use spinfo_guest::testing::{TestApp, TestRequest};

    use crate::app;

    #[test]
    fn it_is_healthy_without_a_store() {
        let lab = TestApp::new(app());
        lab.store("default").set_broken(true);
        let answer = lab.call(TestRequest::get("/healthz"));
        assert_eq!(
            (answer.status.as_u16(), answer.text().as_str()),
            (200, "{\"status\":\"OK\"}\n")
        );
    }
}
