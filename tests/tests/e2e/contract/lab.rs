//! `lab`: podinfo's diagnostics.

use serde_json::json;

use super::{Servers, ask, get, is_problem, is_traced_and_not_sniffed};

#[test]
fn readiness_can_be_switched_off_and_on() {
    Servers::with(&[]).each(|address| {
        assert_eq!(get(address, "/readyz").json(), json!({ "status": "OK" }));
        assert_eq!(ask(address, "POST", "/readyz/disable", &[], "").status, 202);
        is_problem(&get(address, "/readyz"), 503);
        assert_eq!(
            get(address, "/healthz").status,
            200,
            "health is not readiness"
        );
        assert_eq!(ask(address, "POST", "/readyz/enable", &[], "").status, 202);
        assert_eq!(get(address, "/readyz").status, 200);
    });
}

#[test]
fn echo_gives_the_body_back_and_no_type_that_runs() {
    Servers::with(&[]).each(|address| {
        let body: Vec<u8> = (0..1 << 20)
            .map(|number: u32| number.to_le_bytes()[1])
            .collect();
        let answer = ask(address, "POST", "/echo", &[], body.clone());
        assert_eq!(answer.status, 202);
        assert!(answer.body == body, "{} bytes", answer.body.len());
        let answer = ask(
            address,
            "POST",
            "/echo",
            &[("content-type", "text/html")],
            "<script>alert(1)</script>",
        );
        assert_eq!(answer.header("content-type"), "application/octet-stream");
        is_problem(
            &ask(address, "POST", "/echo", &[], vec![b'a'; (1 << 20) + 1]),
            413,
        );
    });
}

#[test]
fn headers_shows_what_the_client_sent() {
    Servers::with(&[]).each(|address| {
        let headers = ask(
            address,
            "GET",
            "/headers",
            &[("x-one", "1"), ("x-one", "2")],
            "",
        )
        .json();
        assert_eq!(headers["x-one"], json!(["1", "2"]));
        assert_eq!(headers["spin-component-route"], json!(["/headers"]));
    });
}

#[test]
fn any_status_can_be_asked_for() {
    Servers::with(&[]).each(|address| {
        for status in [200, 204, 205, 301, 304, 400, 404, 418, 429, 500, 503, 599] {
            let answer = get(address, &format!("/status/{status}"));
            assert_eq!(answer.status, status);
            is_traced_and_not_sniffed(&answer);
        }
        for wrong in ["199", "600", "abc", "-1", "99999999999"] {
            is_problem(&get(address, &format!("/status/{wrong}")), 400);
        }
    });
}

#[test]
fn delays_and_streams_take_their_time_and_no_more() {
    Servers::with(&[]).each(|address| {
        let begun = std::time::Instant::now();
        assert_eq!(get(address, "/delay/1").json(), json!({ "delay": 1 }));
        assert!(begun.elapsed() >= std::time::Duration::from_secs(1));
        assert_eq!(get(address, "/chunked/1").json(), json!({ "delay": 1 }));
        assert!(begun.elapsed() >= std::time::Duration::from_secs(2));
        for wrong in ["/delay/61", "/delay/-1", "/delay/x", "/chunked/61"] {
            is_problem(&get(address, wrong), 400);
        }
    });
}
