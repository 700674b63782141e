//! `spinfo health`, the health check of containers.

use std::net::TcpListener;
use std::process::{Command, Output, Stdio};

use spinfo_tests::lines::Lines;
use spinfo_tests::{Up, artifacts, deadline};

fn health(arguments: &[&str]) -> Output {
    Command::new(artifacts::host())
        .arg("health")
        .args(arguments)
        .output()
        .unwrap()
}

#[track_caller]
fn unwell(arguments: &[&str], why: &str) {
    let output = health(arguments);
    let error = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{error}");
    assert!(error.contains(why), "{why:?} is not in {error}");
}

#[test]
fn the_exit_code_says_whether_a_server_is_well() {
    let mut host = Up::spinfo().start();
    let readyz = format!("http://{}/readyz", host.admin);
    let output = health(&[&readyz]);
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    assert_eq!(output.stdout, b"");

    unwell(&[&host.url("/status/503")], "503 Service Unavailable");
    unwell(
        &[&host.url("/delay/30"), "--timeout", "100ms"],
        "no answer within 100ms",
    );
    host.stop();
    unwell(&[&readyz], &readyz);
}

#[test]
fn it_goes_on_asking_and_says_what_changed() {
    let mut host = Up::spinfo().start();
    let readyz = format!("http://{}/readyz", host.admin);
    let mut watcher = Command::new(artifacts::host())
        .args(["health", "--every", "20ms", &readyz])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = Lines::collect(watcher.stdout.take().unwrap());
    deadline::until("it to be well", || {
        (lines.so_far() == ["healthy"]).then_some(())
    });
    host.stop();
    deadline::until("it to be noticed as gone", || {
        lines
            .so_far()
            .get(1)?
            .starts_with("unhealthy: ")
            .then_some(())
    });
    let terminated = Command::new("kill").arg(watcher.id().to_string()).status();
    assert!(terminated.unwrap().success());
    assert_eq!(watcher.wait().unwrap().code(), Some(0));
    let said = lines.to_the_end();
    assert_eq!(said[0], "healthy");
    assert!(
        said[1..].iter().all(|line| line.contains(&readyz)),
        "{said:?}"
    );
}

#[test]
fn what_accepts_and_says_nothing_is_not_well() {
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/", silent.local_addr().unwrap());
    unwell(&[&url, "--timeout", "50ms"], "no answer");
}

#[test]
fn a_url_that_cannot_be_asked_is_named() {
    unwell(&["https://127.0.0.1/"], "http://127.0.0.1:9797/readyz");
    unwell(&["/readyz"], "can't be asked");
}
