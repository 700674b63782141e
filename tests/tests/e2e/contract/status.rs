//! `status`: the simulated state.

use serde_json::Value;
use serde_json::json;
use spinfo_tests::Answer;
use std::net::SocketAddr;

use super::{Servers, ask, get, is_problem};

fn as_json(address: SocketAddr, method: &str, path: &str, body: &Value) -> Answer {
    ask(
        address,
        method,
        path,
        &[("content-type", "application/json")],
        body.to_string(),
    )
}

#[test]
fn the_status_is_what_was_put_until_it_is_deleted() {
    Servers::with(&[]).each(|address| {
        let first = get(address, "/status");
        assert_eq!(first.status, 200);
        assert_eq!(
            (&first.json()["state"], &first.json()["code"]),
            (&json!("ok"), &json!(200))
        );

        let put = as_json(
            address,
            "PUT",
            "/status",
            &json!({ "code": 418, "message": "<tea>", "ttl_seconds": 600 }),
        );
        assert_eq!(put.status, 200, "{put:?}");
        let status = get(address, "/status");
        assert_eq!(status.status, 418);
        assert_eq!(status.header("content-type"), "application/json");
        let body = status.json();
        assert_eq!(
            (&body["state"], &body["message"]),
            (&json!("degraded"), &json!("<tea>"))
        );
        assert!(
            body["changed_at"].is_string() && body["expires_at"].is_string(),
            "{body}"
        );
        assert!(body["revision"].as_u64() > first.json()["revision"].as_u64());

        assert_eq!(ask(address, "DELETE", "/status", &[], "").status, 200);
        assert_eq!(get(address, "/status").status, 200);
    });
}

#[test]
fn the_status_moves_on_by_one_state_at_a_time() {
    Servers::with(&[]).each(|address| {
        for state in ["degraded", "failing", "ok", "degraded"] {
            assert_eq!(
                ask(address, "POST", "/status/change", &[], "").json()["state"],
                state
            );
            assert_eq!(get(address, "/status").json()["state"], state);
        }
    });
}

#[test]
fn a_status_with_mistakes_is_refused_field_by_field() {
    Servers::with(&[]).each(|address| {
        let answer = as_json(
            address,
            "PUT",
            "/status",
            &json!({ "code": 99, "percent": 101, "colour": "red" }),
        );
        is_problem(&answer, 422);
        let fields: Vec<_> = answer.json()["errors"]
            .as_array()
            .unwrap()
            .iter()
            .map(|error| error["field"].clone())
            .collect();
        for field in ["code", "percent", "colour"] {
            assert!(
                fields.contains(&json!(field)),
                "{field} is not in {fields:?}"
            );
        }
        is_problem(
            &ask(
                address,
                "PUT",
                "/status",
                &[("content-type", "application/json")],
                "{",
            ),
            400,
        );
        is_problem(
            &ask(
                address,
                "PUT",
                "/status",
                &[("content-type", "application/json")],
                vec![b' '; 65 << 10],
            ),
            413,
        );
    });
}

#[test]
fn a_status_expires_by_itself() {
    Servers::with(&[]).each(|address| {
        as_json(
            address,
            "PUT",
            "/status",
            &json!({ "code": 500, "ttl_seconds": 1 }),
        );
        spinfo_tests::deadline::until("the state to expire", || {
            (get(address, "/status").status == 200).then_some(())
        });
    });
}

#[test]
fn changes_need_the_token_when_there_is_one() {
    Servers::with(&["admin_token=s3cret"]).each(|address| {
        for (method, path) in [
            ("PUT", "/status"),
            ("POST", "/status/change"),
            ("DELETE", "/status"),
            ("POST", "/readyz/disable"),
            ("POST", "/readyz/enable"),
        ] {
            for wrong in [
                &[][..],
                &[("authorization", "Bearer s3creT")],
                &[("authorization", "Basic czNjcmV0")],
            ] {
                let answer = ask(address, method, path, wrong, "");
                is_problem(&answer, 401);
                assert!(
                    answer.header("www-authenticate").starts_with("Bearer"),
                    "{answer:?}"
                );
            }
        }
        let right = [("authorization", "Bearer s3cret")];
        assert_eq!(
            ask(address, "POST", "/status/change", &right, "").json()["state"],
            "degraded"
        );
        assert_eq!(ask(address, "DELETE", "/status", &right, "").status, 200);
    });
}
