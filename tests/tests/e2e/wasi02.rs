//! Components of WASI 0.2, alone and beside those of WASI 0.3.

use http::Request;
use spinfo_tests::{FixtureApp, Up};

fn app() -> FixtureApp {
    FixtureApp::new(
        r#"
        spin_manifest_version = 2
        [application]
        name = "mixed"
        [[trigger.http]]
        route = "/new/..."
        component = "new"
        [[trigger.http]]
        route = "/old/:id/..."
        component = "old"
        [component.new]
        source = "echo.wasm"
        allowed_outbound_hosts = ["http://old.spin.internal"]
        [component.old]
        source = "proxy02.wasm"
        "#,
    )
}

#[test]
fn a_component_of_wasi_02_is_served_and_routed() {
    let app = app();
    let host = Up::new(app.manifest()).start();
    let answer = host.get("/old/7/rest?q=1");
    assert_eq!(answer.status, 203);
    assert_eq!(answer.header("x-fixture"), "proxy02");
    let seen = answer.json();
    assert_eq!(seen["path_with_query"], "/old/7/rest?q=1");
    assert_eq!(seen["authority"], host.address.to_string());
    let field = |name: &str| {
        let fields = seen["headers"].as_array().unwrap();
        fields
            .iter()
            .find(|field| field[0] == name)
            .map(|field| field[1].as_str().unwrap().to_owned())
    };
    assert_eq!(field("spin-path-info").as_deref(), Some("/rest"));
    assert_eq!(field("spin-path-match-id").as_deref(), Some("7"));
    assert_eq!(
        field("spin-raw-component-route").as_deref(),
        Some("/old/:id/...")
    );
    assert_eq!(host.get("/new/x").json()["method"], "GET");
}

#[test]
fn bodies_stream_through_it() {
    let app = app();
    let host = Up::new(app.manifest()).start();
    let body: Vec<u8> = (0..3 << 20)
        .map(|number: u32| number.to_le_bytes()[0] ^ number.to_le_bytes()[2])
        .collect();
    let answer = host.send(Request::post("/old/1/").body(body.clone()).unwrap());
    assert_eq!(
        (answer.status.as_u16(), answer.body.len()),
        (203, body.len())
    );
    assert!(answer.body == body);
}

#[test]
fn components_of_both_call_each_other() {
    let app = app();
    let host = Up::new(app.manifest()).start();
    let request = Request::get("/new/")
        .header("x-do", "fetch")
        .header("x-arg", "http://old.spin.internal/from/new");
    let answer = host.send(request.body(Vec::new()).unwrap());
    assert_eq!(answer.json()["status"], 203, "{answer:?}");
    assert!(
        answer.json()["body"]
            .as_str()
            .unwrap()
            .contains("/from/new")
    );
}

#[test]
fn it_is_reused_and_survives_many_requests() {
    let app = app();
    let host = Up::new(app.manifest()).start();
    let mut client = spinfo_tests::Client::connect(host.address);
    for number in 0..300 {
        let answer = client.send(
            Request::get(format!("/old/{number}/"))
                .body(Vec::new())
                .unwrap(),
        );
        assert_eq!(answer.status, 203, "request {number}");
    }
}
