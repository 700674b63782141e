//! Whatever comes in, nothing panics, and what has to hold holds.

use std::path::Path;

use proptest::prelude::*;
use spinfo_manifest::{
    AllowedHosts, Application, HostPattern, RoutePattern, Router, RuntimeConfig, Template,
    VariableOverride, VariableSources, Variables,
};

/// A manifest with something of everything, to be spoilt.
const MANIFEST: &str = include_str!("../good/full.toml");
const OLD_MANIFEST: &str = include_str!("../good/v1.toml");
const RUNTIME_CONFIG: &str = include_str!("../runtime-good/full.toml");

fn parse(text: &str) -> Option<Application> {
    Application::parse(text, Path::new("/app"), Path::new("spin.toml"))
        .map_err(|error| error.to_string())
        .ok()
}

/// Does with an application what a host does, but for reading files.
fn use_application(application: &Application, path: &str) {
    if let Some(found) = Router::new(application).find(path) {
        found.spin_headers().for_each(drop);
    }
    let environment = |_: &str| Some("http://x".to_owned());
    let sources = VariableSources {
        overrides: &[],
        providers: &[],
        environment: &environment,
    };
    let Ok(variables) = Variables::resolve(application, &sources) else {
        return;
    };
    for component in application.components.values() {
        let _ = variables.of(component);
        let _ = variables.allowed_hosts(component);
    }
    let _ = RuntimeConfig::default().stores_for(application, None);
}

/// `text` with a piece replaced; positions are clamped to character boundaries.
fn spoil(text: &str, from: usize, length: usize, with: &str) -> String {
    let boundary = |at: usize| {
        (0..=at.min(text.len()))
            .rev()
            .find(|at| text.is_char_boundary(*at))
            .unwrap_or(0)
    };
    let (start, end) = (boundary(from), boundary(from.saturating_add(length)));
    format!("{}{with}{}", &text[..start], &text[end..])
}

/// Pieces of manifests, and nonsense.
fn piece() -> impl Strategy<Value = String> {
    prop_oneof![
        any::<String>(),
        prop::sample::select(vec![
            "\"",
            "=",
            "[",
            "]",
            "{",
            "}",
            "{{",
            "}}",
            "\n",
            "1",
            "-1",
            "99999999999999999999",
            "1.5",
            "true",
            "1979-05-27",
            "[]",
            "{}",
            "[[trigger.http]]\n",
            "é",
            "/...",
            ":",
            "*",
            "\\u0000",
        ])
        .prop_map(str::to_owned),
    ]
}

fn route() -> impl Strategy<Value = String> {
    let segment = prop::sample::select(vec![
        "a", "b.c", ".", "..", "...", "*", ":p", ":", "*x", "", "é", ":é.x", "/",
    ]);
    prop_oneof![
        any::<String>(),
        prop::collection::vec(segment, 0..8).prop_map(|parts| parts.join("/"))
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_text_makes_parsing_panic(text in any::<String>()) {
        prop_assert!(parse(&text).is_none());
        let _ = RuntimeConfig::parse(&text, Path::new("/etc"), Path::new("runtime-config.toml"));
        let _ = text.parse::<VariableOverride>();
    }

    #[test]
    fn spoilt_manifests_are_refused_or_work(
        from in 0..2000usize, length in 0..40usize, with in piece(), old in any::<bool>(), path in route(),
    ) {
        let text = spoil(if old { OLD_MANIFEST } else { MANIFEST }, from, length, &with);
        if let Some(application) = parse(&text) {
            use_application(&application, &path);
        }
    }

    #[test]
    fn spoilt_runtime_configurations_are_refused_or_work(from in 0..900usize, length in 0..40usize, with in piece()) {
        let text = spoil(RUNTIME_CONFIG, from, length, &with);
        let _ = RuntimeConfig::parse(&text, Path::new("/etc"), Path::new("runtime-config.toml"));
    }

    #[test]
    fn templates_without_braces_stay_as_they_are(text in "[^{]*") {
        let template = Template::parse(&text).unwrap();
        prop_assert!(template.is_literal());
        prop_assert_eq!(template.render(|_| None).unwrap(), text);
    }

    #[test]
    fn any_template_renders_or_names_its_mistake(text in "([a-z]|\\{\\{|\\}\\}| |é)*") {
        if let Ok(template) = Template::parse(&text) {
            prop_assert!(template.render(|_| Some("v")).is_ok());
        }
    }

    #[test]
    fn routes_and_paths_match_or_not(routes in prop::collection::vec(route(), 1..20), path in route()) {
        let mut manifest = "spin_manifest_version = 2\napplication = { name = 'x' }\n[component.a]\nsource = 'x'\n".to_owned();
        for route in routes.iter().filter(|route| RoutePattern::parse(route).is_ok()) {
            let route = serde_json::to_string(route).unwrap().replace('\u{7f}', "");
            manifest += &format!("[[trigger.http]]\nroute = {route}\ncomponent = 'a'\n");
        }
        if let Some(application) = parse(&manifest) {
            use_application(&application, &path);
        }
    }

    #[test]
    fn literal_routes_match_themselves_alone(route in "(/[a-z]{1,4}){1,4}", other in "(/[a-z]{1,4}){1,4}") {
        let manifest = format!(
            "spin_manifest_version = 2\napplication = {{ name = 'x' }}\n[component.a]\nsource = 'x'\n\
             [[trigger.http]]\nroute = '{route}'\ncomponent = 'a'\n"
        );
        let router = Router::new(&parse(&manifest).unwrap());
        prop_assert_eq!(router.find(&route).unwrap().matched_route(), &route);
        prop_assert_eq!(router.find(&other).is_some(), other == route);
    }

    #[test]
    fn host_patterns_parse_or_not(text in piece(), scheme in "[a-z*]{0,5}", host in piece(), port in any::<u16>()) {
        let _ = HostPattern::parse(&text);
        if let Ok(allowed) = AllowedHosts::parse(&[format!("{scheme}://{host}:{port}"), "http://*:*".to_owned()]) {
            let _ = allowed.allows(&scheme, &host, port);
        }
    }

    #[test]
    fn a_named_host_and_port_is_allowed_and_no_other(host in "[a-z]{1,9}(\\.[a-z]{1,9}){0,3}", port in 1..u16::MAX) {
        let allowed = AllowedHosts::parse(&[format!("http://{host}:{port}")]).unwrap();
        prop_assert!(allowed.allows("http", &host, port));
        prop_assert!(!allowed.allows("https", &host, port));
        prop_assert!(!allowed.allows("http", &host, port + 1));
        let longer = format!("x{host}");
        prop_assert!(!allowed.allows("http", &longer, port));
    }
}
