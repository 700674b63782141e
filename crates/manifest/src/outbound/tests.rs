use super::*;

fn allows(pattern: &str, scheme: &str, host: &str, port: u16) -> bool {
    AllowedHosts::parse(&[pattern])
        .unwrap()
        .allows(scheme, host, port)
}

#[test]
fn a_request_needs_scheme_host_and_port_of_one_pattern() {
    for (pattern, url, expected) in [
        ("http://example.com", ("http", "example.com", 80), true),
        ("http://example.com", ("http", "EXAMPLE.com", 80), true),
        ("http://example.com", ("http", "example.com", 8080), false),
        ("http://example.com", ("https", "example.com", 443), false),
        ("https://example.com/", ("https", "example.com", 443), true),
        ("http://example.com:", ("http", "example.com", 80), true),
        ("http://example.com:*", ("http", "example.com", 65535), true),
        ("*://example.com:443", ("https", "example.com", 443), true),
        ("http://*", ("http", "anything.test", 80), true),
        ("http://*", ("http", "anything.test", 81), false),
        ("*://*:*", ("https", "::1", 1), true),
        (
            "http://*.example.com",
            ("http", "a.b.example.com", 80),
            true,
        ),
        ("http://*.example.com", ("http", "example.com", 80), false),
        (
            "http://*.example.com",
            ("http", "badexample.com", 80),
            false,
        ),
        ("http://h:8000..9000", ("http", "h", 8000), true),
        ("http://h:8000..9000", ("http", "h", 8999), true),
        ("http://h:8000..9000", ("http", "h", 9000), false),
        ("http://h:0..65535", ("http", "h", 65535), false),
        ("http://10.0.0.0/8", ("http", "10.1.2.3", 80), true),
        ("http://10.0.0.0/8:*", ("http", "10.1.2.3", 8080), true),
        ("http://10.0.0.0/8", ("http", "11.0.0.1", 80), false),
        ("http://10.0.0.0/8", ("http", "10.example.com", 80), false),
        ("http://[::1]:80", ("http", "::1", 80), true),
        ("http://[::1]", ("http", "[::1]", 80), true),
        ("http://fe80::/10", ("http", "[fe80::1]", 80), true),
        ("http://127.1", ("http", "127.0.0.1", 80), true),
        (
            "http://bücher.example",
            ("http", "xn--bcher-kva.example", 80),
            true,
        ),
        ("http://self", ("http", "self", 80), false),
        (
            "http://hello.spin.internal",
            ("http", "hello.spin.internal", 80),
            true,
        ),
        (
            "http://*.spin.internal",
            ("http", "hello.spin.internal", 80),
            true,
        ),
        (
            "http://*.spin.internal",
            ("http", "a.hello.spin.internal", 80),
            false,
        ),
        ("http://h", ("http", "not a host", 80), false),
        ("http://h", ("http", "", 80), false),
    ] {
        let (scheme, host, port) = url;
        assert_eq!(
            allows(pattern, scheme, host, port),
            expected,
            "{pattern} {url:?}"
        );
    }
}

#[test]
fn the_application_itself_has_to_be_named() {
    let own = |pattern: &str| AllowedHosts::parse(&[pattern]).unwrap().allows_self("http");
    assert!(own("http://self"));
    assert!(own("http://self.alt"));
    assert!(own("*://*:*"));
    assert!(!own("https://self"));
    assert!(!own("http://localhost"));
}

#[test]
fn an_empty_variable_switches_its_pattern_off() {
    let allowed = AllowedHosts::parse(&["", "http://", "https://"]).unwrap();
    assert!(allowed.is_empty());
    assert!(!allowed.allows("http", "localhost", 80));
}

#[test]
fn the_hint_is_the_line_to_add() {
    let hint = AllowedHosts::hint("hello", "https", "example.com", 443);
    assert_eq!(
        hint,
        "to allow it, add \"https://example.com\" to component.hello.allowed_outbound_hosts"
    );
    for (scheme, host, port, pattern) in [
        ("http", "::1", 8080, "http://[::1]:8080"),
        ("http", "h", 443, "http://h:443"),
        ("ftp", "h", 21, "ftp://h:21"),
    ] {
        assert!(AllowedHosts::hint("c", scheme, host, port).contains(&format!("{pattern:?}")));
        assert!(allows(pattern, scheme, host, port), "{pattern}");
    }
}
