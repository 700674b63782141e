//! Flags that make no sense, help, and what is generated from the flags.

use crate::program::{command, probe};

#[test]
fn what_makes_no_sense_is_unknown() {
    for (arguments, part) in [
        (&[][..], "<URL>"),
        (&["ftp://h/"], "ftp"),
        (&["http://h/", "--timeout", "10"], "30s"),
        (&["http://h/", "-w", "5:1"], "1:5"),
        (&["http://h/", "--frobnicate"], "--frobnicate"),
        (
            &["http://h/", "--expect-text", "a", "--expect-body", "b"],
            "cannot be used with",
        ),
        (
            &["http://h/", "--cacert", "/nonexistent/ca.pem"],
            "/nonexistent/ca.pem",
        ),
        (&["http://h/", "--proxy", "gopher://p"], "--proxy"),
        (&["http://h/", "-H", "nonsense"], "colon"),
    ] {
        let said = probe(arguments);
        said.expect(3, part);
        assert_eq!(said.stdout.lines().count(), 1, "{}", said.stdout);
    }
}

#[test]
fn a_reader_of_json_gets_json_for_it() {
    for arguments in [&["ftp://h/", "--json"][..], &["--json", "--frobnicate"]] {
        let said = probe(arguments);
        assert_eq!(said.code, 3);
        assert_eq!(said.json()["status"], "unknown");
    }
}

#[test]
fn telemetry_that_cannot_be_is_named() {
    let mut command = command(&["http://127.0.0.1:9/"]);
    command.env("OTEL_EXPORTER_OTLP_ENDPOINT", "not a url");
    let said = crate::program::Said::of(command.output().unwrap());
    said.expect(3, "OTEL_EXPORTER_OTLP_ENDPOINT");
}

#[test]
fn help_has_defaults_reasons_and_examples() {
    let said = probe(&["--help"]);
    assert_eq!(said.code, 0);
    for part in [
        "Examples:",
        "Exit codes:",
        "[default: 10s]",
        "[default: 1s]",
        "[default: 8]",
        "[default: 2xx]",
        "14days, or a quarter",
        "--interval <TIME>",
        "http_proxy",
        "OTEL_EXPORTER_OTLP_ENDPOINT",
    ] {
        // Lines are broken where the width of the terminal wants it.
        let text = said.stdout.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(text.contains(part), "{part} in {text}");
    }
    let short = probe(&["-h"]);
    assert!(short.stdout.len() < said.stdout.len());
}

#[test]
fn pages_and_completions_come_from_the_same_flags() {
    for (what, part) in [
        ("man", ".TH spinfo-probe"),
        ("bash", "_spinfo__probe()"),
        ("zsh", "#compdef spinfo-probe"),
        ("fish", "complete -c spinfo-probe"),
    ] {
        let said = probe(&["--generate", what]);
        assert_eq!(said.code, 0, "{}", said.stderr);
        assert!(said.stdout.contains(part), "{what}");
        assert!(
            said.stdout.contains("max-skew") || said.stdout.contains(r"max\-skew"),
            "{what}"
        );
    }
}
