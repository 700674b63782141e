//! `GET /panic`: the instance traps. This request gets a 500 from the host, nobody else should notice.

use spinfo_guest::{Answer, Cx, Request};

/// # Panics
/// Always: that is what it is for.
pub(crate) async fn trap(cx: Cx, _request: Request) -> Answer {
    panic!("/panic was called, trace {}", cx.trace_id())
}

#[cfg(test)]
mod tests {
    use spinfo_guest::testing::{TestApp, TestRequest};

    use crate::app;

    #[test]
    #[should_panic(expected = "/panic was called, trace 4bf92f3577b34da6a3ce929d0e0e4736")]
    fn it_panics_and_names_the_trace() {
        let traceparent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
        TestApp::new(app()).call(TestRequest::get("/panic").header("traceparent", traceparent));
    }
}
