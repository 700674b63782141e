//! `hello` and `now`: the greeting, what runs, and the time.

use serde_json::json;

use super::{HTML, Servers, ask, get};

#[test]
fn the_greeting_is_exactly_the_variable() {
    Servers::with(&[]).each(|address| {
        let answer = get(address, "/");
        assert_eq!(
            (answer.status.as_u16(), answer.text()),
            (200, "Hello World")
        );
        assert_eq!(answer.header("content-length"), "11");
        assert!(answer.header("vary").contains("accept"));
    });
    Servers::with(&["greeting=Hello SRE! <é>"]).each(|address| {
        assert_eq!(get(address, "/").text(), "Hello SRE! <é>");
        let page = ask(address, "GET", "/", &HTML, "");
        assert_eq!(page.header("content-type"), "text/html; charset=utf-8");
        assert!(
            page.text().contains("Hello SRE! &lt;é&gt;"),
            "{}",
            page.text()
        );
        assert!(
            page.header("content-security-policy")
                .contains("default-src 'none'")
        );
    });
}

#[test]
fn the_links_of_the_page_lead_somewhere() {
    Servers::with(&[]).each(|address| {
        let page = ask(address, "GET", "/", &HTML, "");
        let links = page.text().split("<a href=\"").skip(1);
        let links: Vec<_> = links.filter_map(|rest| rest.split('"').next()).collect();
        assert!(links.len() > 5, "{links:?}");
        for link in links {
            assert_eq!(get(address, link).status, 200, "{link}");
        }
    });
}

#[test]
fn info_and_version_say_what_runs() {
    Servers::with(&["revision=0123abc", "color=#ff0000", "message=hi"]).each(|address| {
        let info = get(address, "/api/info").json();
        for (member, value) in [
            ("name", "spinfo"),
            ("revision", "0123abc"),
            ("color", "#ff0000"),
            ("message", "hi"),
        ] {
            assert_eq!(info[member], value);
        }
        for member in ["hostname", "version", "runtime"] {
            assert!(
                info[member].as_str().is_some_and(|text| !text.is_empty()),
                "{member}: {info}"
            );
        }
        let version = get(address, "/version").json();
        assert_eq!(
            version,
            json!({ "version": info["version"], "commit": "0123abc" })
        );
    });
}

#[test]
fn now_is_the_time() {
    let clock = || {
        let now = std::time::SystemTime::now()
            .duration_since(std::time::UNIX_EPOCH)
            .unwrap();
        u64::try_from(now.as_nanos()).unwrap()
    };
    Servers::with(&[]).each(|address| {
        let answer = get(address, "/now");
        assert_eq!(answer.header("cache-control"), "no-store");
        let text = answer.text();
        // 2026-01-02T03:04:05.678901234Z and a newline.
        assert_eq!(
            (text.len(), &text[10..11], &text[19..20], &text[29..]),
            (31, "T", ".", "Z\n"),
            "{text:?}"
        );

        let before = clock();
        let answer = ask(
            address,
            "GET",
            "/now",
            &[("accept", "application/json")],
            "",
        );
        let after = clock();
        assert_eq!(answer.header("content-type"), "application/json");
        let now = answer.json();
        let stamp = |member: &str| now[member].as_u64().unwrap();
        assert!(before <= stamp("received_ns"), "{now}");
        assert!(stamp("received_ns") <= stamp("unix_ns"), "{now}");
        assert!(stamp("unix_ns") <= stamp("transmitted_ns"), "{now}");
        assert!(stamp("transmitted_ns") <= after, "{now}");
    });
}
