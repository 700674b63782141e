//! Fleets from a file.

use std::path::PathBuf;

use tempfile::TempDir;

use crate::program::run;
use crate::server::{Server, answer};

fn file(text: &str) -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("fleet.toml");
    std::fs::write(&path, text).unwrap();
    (folder, path)
}

#[test]
fn targets_and_defaults_come_from_the_file_and_flags_win() {
    let server = Server::start(|_| answer(200, ""));
    let url = server.url();
    let (_folder, path) = file(&format!(
        "count = 9\ninterval = '20ms'\nchange_interval = 0\nheaders = {{ X-Fleet = 'yes' }}\n\
         [[target]]\nurl = '{url}/a'\nname = 'first'\n\
         [[target]]\nurl = '{url}/b'\npath = '/health'\n"
    ));
    let ended = run(&["--config", path.to_str().unwrap(), "--count", "2"]);
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    let requests = ended.requests();
    let of = |name: &str| {
        requests
            .iter()
            .filter(|request| request["target"] == name)
            .count()
    };
    assert_eq!(
        (requests.len(), of("first"), of(&format!("{url}/b"))),
        (4, 2, 2)
    );
    let mut paths: Vec<_> = server
        .requests()
        .into_iter()
        .map(|request| request.path)
        .collect();
    paths.sort();
    assert_eq!(paths, ["/a/status", "/a/status", "/b/health", "/b/health"]);
    assert!(
        server
            .requests()
            .iter()
            .all(|request| request.header("x-fleet") == Some("yes"))
    );
}

#[test]
fn mistakes_are_named_with_file_line_and_key() {
    for (text, expected) in [
        (
            "interval = '1s'\nintervall = '2s'\n",
            ":2: the key intervall is not known; known are ",
        ),
        (
            "[[target]]\nurl = 'http://h'\ninterval = 'often'\n",
            ":3: interval: write a time such as 500ms, 30s or 2m",
        ),
        ("[[target]]\nurl = \n", ":2: "),
        (
            "",
            "there is no target: name a URL or write [[target]] into ",
        ),
    ] {
        let (_folder, path) = file(text);
        let ended = run(&["--config", path.to_str().unwrap()]);
        assert_eq!((ended.code, ended.stdout.len()), (Some(2), 0), "{text}");
        assert!(
            ended.stderr.starts_with("error: ") && ended.stderr.contains(expected),
            "{text}\n{}",
            ended.stderr
        );
        assert!(
            ended.stderr.contains(path.to_str().unwrap()),
            "{}",
            ended.stderr
        );
    }
}

#[test]
fn a_file_that_is_not_there_is_named() {
    let ended = run(&["--config", "/does/not/exist.toml"]);
    assert_eq!(ended.code, Some(2));
    assert!(
        ended
            .stderr
            .contains("cannot read /does/not/exist.toml: No such file"),
        "{}",
        ended.stderr
    );
}
