//! What a host counts only when something is wrong.

use http::Request;
use spinfo_proof::stack::{Stack, wait};
use spinfo_tests::{Client, FixtureApp, Up};

/// A host that turns requests away, and whose component may not call where it wants to.
pub(crate) fn requests_are_turned_away(stack: &Stack) {
    let app = FixtureApp::echo("");
    let up = Up::new(app.manifest()).args([
        "--workers",
        "1",
        "--max-in-flight",
        "1",
        "--max-queue",
        "0",
    ]);
    // A replica of spinfo as the others are, though of another application.
    let up = stack.exporting(up, "limited,service.namespace=spinfo");
    let host = up.env("OTEL_SERVICE_NAME", "spinfo").start();
    let send = |deed: &str, argument: &str| {
        let request = Request::get("/")
            .header("x-do", deed)
            .header("x-arg", argument);
        let request = request.body(Vec::new()).expect("a good request");
        Client::connect(host.address).send(request).status.as_u16()
    };
    assert_eq!(send("fetch", "http://127.0.0.1:1/"), 502);
    assert_eq!(send("print", "a line of the guest"), 200);
    std::thread::scope(|threads| {
        let waits = threads.spawn(|| send("wait", "5000"));
        wait::until("the only place to be taken", || {
            let page = host.admin("/metrics");
            let working = page.text().lines().any(|line| {
                line.starts_with("http_server_active_requests{") && line.ends_with(" 1")
            });
            working.then_some(()).ok_or_else(|| page.text().to_owned())
        });
        assert_eq!(send("", ""), 503);
        assert_eq!(waits.join().expect("requests don't panic"), 200);
    });
    let prometheus = stack.prometheus();
    for query in [
        r#"spinfo_outbound_denied_total{instance="limited", wasm_component="a"}"#,
        r#"spinfo_rejections_total{instance="limited", spinfo_rejection_reason="queue_full"}"#,
    ] {
        wait::until(query, || {
            let value = prometheus.value(query)?;
            value
                .is_some_and(|value| value >= 1.0)
                .then_some(())
                .ok_or_else(|| format!("{value:?}"))
        });
    }
    let query = r#"{service_name="spinfo"} | service_instance_id="limited" | stream="stdout""#;
    wait::until("what the guest wrote to stdout", || {
        let lines = stack.loki().lines(query, 600)?;
        let found = lines
            .iter()
            .any(|line| line.text == "out a line of the guest");
        found.then_some(()).ok_or_else(|| format!("{lines:#?}"))
    });
}
