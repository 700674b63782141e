use std::ffi::OsString;
use std::time::Duration;

use clap::Parser as _;

use super::*;
use crate::cli::OutputFlag;

/// What a command line with a fleet file of this text makes.
fn resolve(file: &str, flags: &[&str]) -> Result<Settings, String> {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("fleet.toml"), file).unwrap();
    std::fs::write(folder.path().join("token.txt"), "s3cret\n").unwrap();
    let config = folder.path().join("fleet.toml").into_os_string();
    let flags = flags.iter().map(OsString::from);
    let line: Vec<OsString> = ["spinfo-monitor".into(), "--config".into(), config]
        .into_iter()
        .chain(flags)
        .collect();
    let cli = Cli::try_parse_from(&line).map_err(|error| error.to_string())?;
    let settings = Settings::resolve(&cli, &line, &Environment::default());
    settings.map_err(|error| {
        error
            .to_string()
            .replace(&*folder.path().to_string_lossy(), "")
    })
}

fn target(file: &str, flags: &[&str]) -> TargetSettings {
    resolve(file, flags).unwrap().targets.remove(0)
}

#[test]
fn a_target_takes_its_own_over_the_defaults_and_flags_over_both() {
    let file = r#"
        interval = "10s"
        timeout = "2s"
        change_interval = 0
        output = "lines"
        count = 7

        [[target]]
        url = "https://example.org/app/"
        name = "shop"
        interval = "3s"
        no_keepalive = true

        [[target]]
        url = "http://127.0.0.1:3000"
    "#;
    let settings = resolve(file, &["--timeout", "1s", "http://first.example"]).unwrap();
    let rows: Vec<_> = settings
        .targets
        .iter()
        .map(|target| {
            (
                target.name.as_str(),
                target.interval.as_secs(),
                target.timeout.as_secs(),
                target.keepalive,
            )
        })
        .collect();
    assert_eq!(
        rows,
        [
            ("http://first.example", 10, 1, true),
            ("shop", 3, 1, false),
            ("http://127.0.0.1:3000", 10, 1, true)
        ]
    );
    assert_eq!(
        settings.targets[1].status.to_string(),
        "https://example.org/app/status"
    );
    assert_eq!(
        settings.targets[1].change.to_string(),
        "https://example.org/app/status/change"
    );
    assert_eq!(settings.targets[0].change_interval, None);
    assert_eq!(
        (settings.run.count, settings.run.output),
        (Some(7), OutputFlag::Lines)
    );
}

#[test]
fn flags_win_over_a_target_too() {
    let file = "[[target]]\nurl = 'http://h'\ninterval = '3s'";
    assert_eq!(target(file, &["-i", "5s"]).interval, Duration::from_secs(5));
}

#[test]
fn headers_and_files_are_read_from_beside_the_fleet_file() {
    let file = "admin_token_file = 'token.txt'\n[[target]]\nurl = 'http://h'\nheaders = { X-One = '1', X-Key = '@token.txt' }";
    let target = target(file, &["-H", "x-two: 2"]);
    assert_eq!(target.headers["x-one"], "1");
    assert_eq!(target.headers["x-two"], "2");
    assert_eq!(target.headers["x-key"], "s3cret");
    assert_eq!(target.authorization.as_ref().unwrap(), "Bearer s3cret");
    assert!(!format!("{target:?}").contains("s3cret"));
}

#[test]
fn mistakes_are_named_with_file_line_and_key() {
    let cases = [
        (
            "intervall = '1s'",
            "/fleet.toml:1: the key intervall is not known; known are admin_token_file, cacert, ",
        ),
        (
            "\n\n[[target]]\nurl = 'http://h'\nurls = 1",
            "/fleet.toml:5: the key urls is not known",
        ),
        (
            "[[target]]\nurl = 'http://h'\ncount = 1",
            "/fleet.toml:3: the key count is not known",
        ),
        (
            "timeout = '1s'\ninterval = 'soon'",
            "/fleet.toml:2: interval: write a time such as 500ms, 30s or 2m",
        ),
        (
            "interval = 5",
            "/fleet.toml:1: interval: write a time such as",
        ),
        (
            "keep_state = 'yes'",
            "/fleet.toml:1: keep_state: write true or false",
        ),
        (
            "output = 'xml'",
            "/fleet.toml:1: output: invalid value 'xml'",
        ),
        (
            "[[target]]\nname = 'a'",
            "/fleet.toml:1: target: url is missing",
        ),
        (
            "[[target]]\nurl = 'ftp://h'",
            "/fleet.toml:2: url: the scheme ftp: is not supported",
        ),
        (
            "[target]\nurl = 'http://h'",
            "/fleet.toml:1: target: write [[target]], once for each",
        ),
        (
            "headers = 'a: b'",
            "/fleet.toml:1: headers: write a table of texts",
        ),
        (
            "headers = { 'a b' = 'c' }",
            "/fleet.toml:1: headers: --header: \"a b\" is not a header's name",
        ),
        (
            "resolve = ['h:80']",
            "/fleet.toml:1: resolve: --resolve: \"h:80\" is not HOST:PORT:ADDRESS",
        ),
        (
            "interval = '1s'\ninterval = '2s'",
            "/fleet.toml:2: duplicate key",
        ),
        ("interval = ", "/fleet.toml:1: "),
        (
            "interval = '1s'",
            "there is no target: name a URL or write [[target]] into /fleet.toml",
        ),
    ];
    for (file, expected) in cases {
        let error = resolve(file, &[]).unwrap_err();
        assert!(error.starts_with(expected), "{file}\n{error}");
    }
}

#[test]
fn what_contradicts_itself_is_refused() {
    let error = resolve(
        "ipv4 = true\n[[target]]\nurl = 'http://h'\nipv6 = true",
        &[],
    )
    .unwrap_err();
    assert!(
        error.contains("--ipv4") && error.contains("--ipv6"),
        "{error}"
    );
    let error = resolve("", &["http://h/?a=b"]).unwrap_err();
    assert_eq!(
        error,
        "http://h/: the URL of a target has no query; write it into --path"
    );
}

#[test]
fn the_token_comes_from_the_environment_where_there_is_no_file() {
    let line = ["", "http://h"].map(OsString::from);
    let cli = Cli::try_parse_from(&line).unwrap();
    let environment = |token: &str| Environment {
        token: Some(token.to_owned()),
        variables: Vec::new(),
    };
    let settings = Settings::resolve(&cli, &line, &environment("abc")).unwrap();
    assert_eq!(
        settings.targets[0].authorization.as_ref().unwrap(),
        "Bearer abc"
    );
    let settings = Settings::resolve(&cli, &line, &environment("")).unwrap();
    assert!(settings.targets[0].authorization.is_none());
    let error = Settings::resolve(&cli, &line, &environment("a\nb")).unwrap_err();
    assert_eq!(
        error.to_string(),
        "the token of SPINFO_ADMIN_TOKEN has characters that a header cannot have"
    );
}
