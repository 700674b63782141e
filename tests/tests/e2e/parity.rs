//! Requests to the fixture `echo`, and what the real Spin made of them. With `SPIN` set, Spin itself is asked again.

use std::net::SocketAddr;

use serde_json::Value;
use spinfo_tests::{FixtureApp, Host, Spin, Up, artifacts, wire};

/// Where we answer better than Spin, which closes the connection without an answer (RFC 9112 section 3.2).
const DIFFERENCES: [(&str, u16); 2] = [("HTTP/1.0, no Host", 200), ("HTTP/1.1, no Host", 400)];

fn recorded() -> Value {
    let file = artifacts::workspace().join("crates/manifest/tests/spin-4.1/requests.json");
    serde_json::from_str(&std::fs::read_to_string(file).unwrap()).unwrap()
}

/// The application that was recorded.
fn app(recorded: &Value) -> FixtureApp {
    let mut manifest =
        String::from("spin_manifest_version = 2\n[application]\nname = \"parity\"\n");
    let mut trigger = |route: &str, component: &str| {
        manifest += &format!("[[trigger.http]]\nroute = {route}\ncomponent = \"{component}\"\n");
    };
    for route in recorded["routes"].as_array().unwrap() {
        trigger(&route.to_string(), "a");
    }
    trigger("\"/dup\"", "b");
    trigger("{ private = true }", "c");
    for component in ["a", "b", "c"] {
        manifest += &format!(
            "[component.{component}]\nsource = \"echo.wasm\"\nenvironment = {{ ID = \"{component}\" }}\n"
        );
    }
    FixtureApp::new(&manifest)
}

/// The servers to ask, each with the cases in which it differs from the recording.
fn servers(app: &FixtureApp) -> (Host, Option<Spin>) {
    let host = Up::new(app.manifest()).start();
    let spin = Spin::program().map(|program| Spin::up(&program, &app.manifest(), &[]));
    (host, spin)
}

#[test]
fn guests_see_the_requests_that_they_see_on_spin() {
    let recorded = recorded();
    let app = app(&recorded);
    let (host, spin) = servers(&app);
    let addresses = [Some(host.address), spin.as_ref().map(|spin| spin.address)];
    let mut failures = Vec::new();
    for address in addresses.into_iter().flatten() {
        for case in recorded["requests"].as_array().unwrap() {
            if let Err(failure) = compare(address, case) {
                failures.push(format!("{address}: {case}\n    {failure}"));
            }
        }
    }
    assert!(
        failures.is_empty(),
        "{} differences\n{}",
        failures.len(),
        failures.join("\n")
    );
}

fn compare(address: SocketAddr, case: &Value) -> Result<(), String> {
    let Some(request) = case["request"].as_str() else {
        return Ok(());
    };
    let mut bytes = format!("{request} HTTP/1.1\r\nHost: {address}\r\n");
    for field in case["headers"].as_array().unwrap() {
        bytes += &format!(
            "{}: {}\r\n",
            field[0].as_str().unwrap(),
            field[1].as_str().unwrap()
        );
    }
    bytes += &format!(
        "Connection: close\r\n\r\n{}",
        case["body"].as_str().unwrap()
    );
    let answer = wire::exchange(address, bytes.as_bytes());
    let status = wire::status(&answer).map(|status| status.to_string());
    expect("status", status.as_deref(), case["answer"].as_str())?;

    let Some(expected) = case["guest_saw"].as_object() else {
        return Ok(());
    };
    let body = wire::parts(&answer).1;
    let seen: Value = serde_json::from_str(&body).map_err(|error| format!("{error}: {body}"))?;
    let port = address.port().to_string();
    let plain = |text: &str| text.replace(&format!("127.0.0.1:{port}"), "127.0.0.1:PORT");
    let fields: Vec<(String, String)> = seen["headers"]
        .as_array()
        .unwrap()
        .iter()
        .map(|field| {
            (
                field[0].as_str().unwrap().to_owned(),
                plain(field[1].as_str().unwrap()),
            )
        })
        .collect();
    let field = |name: &str| {
        fields
            .iter()
            .find(|(other, _)| other == name)
            .map(|(_, value)| value.as_str())
    };
    for (name, value) in expected {
        match (name.as_str(), value.as_str()) {
            ("request", Some(value)) => {
                let request = format!(
                    "{} {}",
                    seen["method"].as_str().unwrap(),
                    seen["uri"].as_str().unwrap()
                );
                expect("request", Some(&*plain(&request)), Some(value))?;
            }
            // The client's port is another each time.
            ("spin-client-addr", Some(_)) => {
                let host = field(name)
                    .and_then(|value| value.rsplit_once(':'))
                    .map(|(host, _)| host);
                expect(name, host, Some("127.0.0.1"))?;
            }
            (name, Some(value)) => expect(name, field(name), Some(value))?,
            (_, None) => compare_headers(value, &fields)?,
        }
    }
    let spin = |name: &str| name.starts_with("spin-") && name != "spin-client-addr";
    match fields
        .iter()
        .find(|(name, _)| spin(name) && !expected.contains_key(name))
    {
        Some(more) => Err(format!("Spin has no {more:?}")),
        None => Ok(()),
    }
}

/// The recording has the fields that are not about the body, the connection or Spin.
fn compare_headers(expected: &Value, fields: &[(String, String)]) -> Result<(), String> {
    const NOT_RECORDED: [&str; 5] = [
        "content-length",
        "transfer-encoding",
        "traceparent",
        "tracestate",
        "baggage",
    ];
    let mut seen: Vec<_> = fields
        .iter()
        .filter(|(name, _)| !name.starts_with("spin-") && !NOT_RECORDED.contains(&name.as_str()))
        .map(|(name, value)| format!("{name}: {value:?}"))
        .collect();
    seen.sort();
    let expected: Vec<_> = expected
        .as_array()
        .unwrap()
        .iter()
        .map(|field| field.as_str().unwrap())
        .collect();
    if seen == expected {
        Ok(())
    } else {
        Err(format!("header fields: {seen:?}, not {expected:?}"))
    }
}

fn expect(what: &str, seen: Option<&str>, expected: Option<&str>) -> Result<(), String> {
    if seen == expected {
        Ok(())
    } else {
        Err(format!("{what}: {seen:?}, not {expected:?}"))
    }
}

#[test]
fn odd_requests_get_the_answers_that_spin_gives_or_better_ones() {
    let recorded = recorded();
    let app = app(&recorded);
    let (host, spin) = servers(&app);
    let cases = recorded["requests"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|case| !case["raw"].is_null());
    let mut count = 0;
    for case in cases {
        let name = case["raw"].as_str().unwrap();
        let as_spin = case["answer"][0]
            .as_str()
            .map(|status| status.parse().unwrap());
        let ours = DIFFERENCES
            .iter()
            .find(|(other, _)| *other == name)
            .map(|(_, status)| *status);
        let bytes = odd_request(name);
        assert_eq!(
            wire::status(&wire::exchange(host.address, &bytes)),
            ours.or(as_spin),
            "{name}"
        );
        if let Some(spin) = &spin {
            assert_eq!(
                wire::status(&wire::exchange(spin.address, &bytes)),
                as_spin,
                "{name}, Spin"
            );
        }
        count += 1;
    }
    assert_eq!(count, 8, "a recorded case has no request here");
}

fn odd_request(name: &str) -> Vec<u8> {
    let with = |fields: &str| {
        format!("GET /status HTTP/1.1\r\nHost: example.org\r\nConnection: close\r\n{fields}\r\n")
    };
    let text = match name {
        "HTTP/1.0, no Host" => "GET /status HTTP/1.0\r\n\r\n".into(),
        "HTTP/1.1, no Host" => "GET /status HTTP/1.1\r\nConnection: close\r\n\r\n".into(),
        "bad request line" => "GET\r\n\r\n".into(),
        "header line without colon" => with("no colon here\r\n"),
        "obs-fold" => with("X-Folded: a\r\n b\r\n"),
        "space before colon" => with("X-Space : a\r\n"),
        "101 headers" => with(
            &(0..101)
                .map(|number| format!("X-{number}: a\r\n"))
                .collect::<String>(),
        ),
        "header of 100 KiB" => with(&format!("X-Large: {}\r\n", "a".repeat(100 << 10))),
        other => panic!("no bytes for {other:?}"),
    };
    text.into_bytes()
}

#[test]
fn of_two_triggers_on_one_route_the_later_wins() {
    let app = app(&recorded());
    let (host, spin) = servers(&app);
    for address in [Some(host.address), spin.as_ref().map(|spin| spin.address)]
        .into_iter()
        .flatten()
    {
        let request = format!(
            "GET /dup HTTP/1.1\r\nHost: {address}\r\nX-Do: env\r\nConnection: close\r\n\r\n"
        );
        let environment: Value =
            serde_json::from_str(&wire::parts(&wire::exchange(address, request.as_bytes())).1)
                .unwrap();
        assert_eq!(environment["ID"], "b");
    }
}
