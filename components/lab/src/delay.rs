//! `GET /delay/{seconds}`: the answer comes after that time; other requests of the instance go on.

use serde::Serialize;
use spinfo_guest::{Answer, Cx, Request, Response};

use crate::seconds;

#[derive(Serialize)]
struct Delay {
    delay: u64,
}

pub(crate) async fn wait(cx: Cx, request: Request) -> Answer {
    let delay = seconds::of(&request)?;
    cx.sleep(delay).await;
    Ok(Response::json(&Delay {
        delay: delay.as_secs(),
    })?
    .header("cache-control", "no-store"))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use spinfo_guest::testing::{TestApp, TestRequest};

    use crate::app;

    #[test]
    fn the_answer_comes_after_the_delay() {
        let lab = TestApp::new(app());
        let answer = lab.call(TestRequest::get("/delay/60"));
        assert_eq!(answer.text(), "{\"delay\":60}\n");
        assert_eq!(lab.elapsed(), Duration::from_secs(60));
    }

    #[test]
    fn what_can_not_be_waited_for_is_400_at_once() {
        let lab = TestApp::new(app());
        for bad in ["61", "-1", "1.5", "abc", "99999999999999999999", "%31%20"] {
            let answer = lab.call(TestRequest::get(&format!("/delay/{bad}")));
            assert_eq!(answer.status, 400, "{bad}");
            assert_eq!(answer.json()["errors"][0]["field"], "seconds");
        }
        assert_eq!(lab.elapsed(), Duration::ZERO);
    }
}
