//! What is secret is sent to the server that it is for, and shown to nobody.

use crate::program::{Said, command};
use crate::server::{Reply, Server, answer, well};

const SECRETS: [&str; 4] = ["hunter2", "swordfish", "aHVudGVyMg", "xyzzy"];

/// Everything that the program leaves behind.
fn everything(arguments: &[&str], environment: &[(&str, &str)]) -> (Said, String) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("spinfo.prom");
    let mut command = command(arguments);
    command
        .args(["--prometheus", file.to_str().unwrap()])
        .envs(environment.iter().copied());
    let said = Said::of(command.output().unwrap());
    let file = std::fs::read_to_string(file).unwrap_or_default();
    let all = format!("{}{}{file}", said.stdout, said.stderr);
    (said, all)
}

fn assert_no_secret(all: &str) {
    for secret in SECRETS {
        assert!(!all.contains(secret), "{secret} in {all}");
    }
}

#[test]
fn no_output_has_a_secret() {
    let server = Server::start(|request| match request.path.split('?').next() {
        Some("/sick") => Reply::Send(answer("500 Internal Server Error", &[], "")),
        Some("/away") => Reply::Send(answer("302 Found", &["location: /sick?sig=xyzzy"], "")),
        Some("/half") => Reply::Last(b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n".to_vec()),
        _ => well(request),
    });
    let with_secrets = |path: &str| {
        let url = server.url(path).replace("http://", "http://me:hunter2@");
        format!("{url}?sig=xyzzy")
    };
    for path in ["/", "/sick", "/away", "/half"] {
        for format in [&[][..], &["-v"], &["--json"]] {
            let url = with_secrets(path);
            let arguments = [&[&*url, "-H", "X-Token: swordfish"], format].concat();
            let (_, all) = everything(&arguments, &[]);
            assert!(all.contains("sig=REDACTED"), "{all}");
            assert_no_secret(&all);
        }
    }
    let request = &server.requests()[0];
    assert_eq!(
        request.header("authorization"),
        Some("Basic bWU6aHVudGVyMg==")
    );
    assert_eq!(request.header("x-token"), Some("swordfish"));
    assert_eq!(request.path, "/?sig=xyzzy");
}

#[test]
fn nor_has_an_error() {
    for arguments in [
        &["http://me:hunter2@"][..],
        &["http://me:hunter2@h:99999/"],
        &["http://h/", "http://me:hunter2@h/"],
        &["http://h/", "Authorization: hunter2"],
        &["http://h/", "-H", "hunter2"],
        &["http://h/", "--proxy", "socks5://me:hunter2@p"],
        &["http://me:hunter2@127.0.0.1:1/"],
        &["http://h/", "--proxy", "http://me:hunter2@127.0.0.1:1"],
    ] {
        let (said, all) = everything(arguments, &[]);
        assert_ne!(said.code, 0);
        assert_no_secret(&all);
    }
    let proxy = [("http_proxy", "http://me:hunter2@127.0.0.1:1")];
    let (said, all) = everything(&["http://example.invalid/"], &proxy);
    assert_eq!(said.code, 2);
    assert!(all.contains("proxy"), "{all}");
    assert_no_secret(&all);
}

#[test]
fn a_secret_in_a_file_is_sent() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("token");
    std::fs::write(&file, "Bearer swordfish\n").unwrap();
    let server = Server::start(well);
    let header = format!("Authorization: @{}", file.display());
    let (_, all) = everything(&[&server.url("/"), "-H", &header, "-v"], &[]);
    assert_no_secret(&all);
    // The clock is asked as the page is.
    for request in server.requests() {
        assert_eq!(request.header("authorization"), Some("Bearer swordfish"));
    }
}

#[test]
fn another_server_does_not_get_it() {
    let other = Server::start(well);
    let location = format!("location: {}", other.url("/"));
    let server = Server::start(move |_| Reply::Send(answer("302 Found", &[&location], "")));
    let url = server.url("/").replace("http://", "http://me:hunter2@");
    let (_, all) = everything(&[&url, "-H", "X-Token: swordfish", "-H", "X-Plain: 1"], &[]);
    assert!(all.contains("HTTP 200"), "{all}");
    let requests = other.requests();
    assert!(requests.len() > 1, "the page and its clock");
    for request in requests {
        assert_eq!(request.header("authorization"), None);
        assert_eq!(request.header("x-token"), None);
        assert_eq!(request.header("x-plain"), Some("1"));
    }
}
