//! What the real Spin 4.1 was seen to do, and that this crate does the same.

use std::path::Path;

use serde_json::Value;
use spinfo_manifest::{Application, Error, Router};

use crate::support;

/// Spin starts these and this crate doesn't, by name.
const UNSUPPORTED: [&str; 2] = ["sqlite default", "ai_models"];

fn recorded(file: &str) -> Value {
    let file = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/spin-4.1")
        .join(file);
    serde_json::from_str(&std::fs::read_to_string(file).unwrap()).unwrap()
}

#[test]
fn the_same_manifests_start() {
    let folder = support::folder();
    for case in recorded("manifests.json").as_array().unwrap() {
        let name = case["case"].as_str().unwrap();
        let started = support::start(case["manifest"].as_str().unwrap(), folder.path(), &[]);
        if UNSUPPORTED.contains(&name) {
            let refused = started.unwrap_err();
            assert!(matches!(refused, Error::Unsupported(_)), "{name}");
        } else if let Err(error) = &started {
            assert!(!case["starts"].as_bool().unwrap(), "{name}: {error}");
        } else {
            assert!(case["starts"].as_bool().unwrap(), "{name} starts");
        }
    }
}

/// The application of `requests.json`: its routes, one of them twice, and a private component.
fn application(recorded: &Value) -> Application {
    let mut manifest = "spin_manifest_version = 2\napplication = { name = 'echo' }\n".to_owned();
    let mut trigger = |route: &str, component: &str| {
        manifest += &format!("[[trigger.http]]\nroute = {route}\ncomponent = '{component}'\n");
    };
    for route in recorded["routes"].as_array().unwrap() {
        trigger(&format!("'{}'", route.as_str().unwrap()), "a");
    }
    trigger("'/dup'", "b");
    trigger("{ private = true }", "c");
    for component in ["a", "b", "c"] {
        manifest += &format!("[component.{component}]\nsource = 'echo.wasm'\n");
    }
    Application::parse(&manifest, Path::new(""), Path::new("spin.toml")).unwrap()
}

#[test]
fn the_same_requests_reach_components_with_the_same_headers() {
    let recorded = recorded("requests.json");
    let router = Router::new(&application(&recorded));
    let mut seen = 0;
    for case in recorded["requests"].as_array().unwrap() {
        let Some(request) = case["request"].as_str() else {
            continue;
        };
        let target = request.split_once(' ').unwrap().1;
        let path = target.split_once('?').map_or(target, |(path, _)| path);
        let Some(expected) = case["guest_saw"].as_object() else {
            // The others were answered before routing.
            if case["answer"] == "404" {
                assert!(router.find(path).is_none(), "{request}");
            }
            continue;
        };
        seen += 1;
        let found = router
            .find(path)
            .unwrap_or_else(|| panic!("{request} reaches nobody"));
        let mut headers: Vec<_> = found
            .spin_headers()
            .map(|(k, v)| (k.to_owned(), v.into_owned()))
            .collect();
        headers.sort();
        let of_the_route = |name: &str| {
            name.starts_with("spin-") && !["spin-full-url", "spin-client-addr"].contains(&name)
        };
        let mut expected: Vec<_> = expected
            .iter()
            .filter(|(name, _)| of_the_route(name))
            .map(|(name, value)| (name.clone(), value.as_str().unwrap().to_owned()))
            .collect();
        expected.sort();
        assert_eq!(headers, expected, "{request}");
        assert_eq!(found.component(), "a", "{request}");
    }
    assert!(seen > 30, "only {seen} requests were compared");
}

#[test]
fn of_two_equal_routes_the_later_trigger_answers() {
    let router = Router::new(&application(&recorded("requests.json")));
    assert_eq!(router.find("/dup").unwrap().component(), "b");
    assert_eq!(
        router
            .routes()
            .iter()
            .filter(|route| route.template() == "/dup")
            .count(),
        1
    );
}

#[test]
fn private_components_are_reached_by_chaining_only() {
    let router = Router::new(&application(&recorded("requests.json")));
    assert!(router.routes().iter().all(|route| route.component != "c"));
    let chained = router.chain("c", "/any/where").unwrap();
    assert_eq!((chained.component(), chained.component_index()), ("c", 2));
    assert_eq!(chained.path_info(), "/any/where");
    assert_eq!(chained.matched_route(), "/...");
    assert_eq!(chained.component_route(), "");
    assert!(router.chain("d", "/").is_none());
}
