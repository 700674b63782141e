//! The same for the programs that watch a server from outside.

use std::process::Command;

use http::Request;
use spinfo_names::Sender;
use spinfo_names::span::{RESOURCES, SPANS};
use spinfo_tests::outside::{exporting, monitor_command, probe_command, run};
use spinfo_tests::tls::Certificate;
use spinfo_tests::{Host, Receiver, Up};

use super::{
    assert_documented, assert_listed, groups, listed_metrics, metrics, records, resources, spans,
};

const OUTSIDE: &[Sender] = &[Sender::Probe, Sender::Monitor];

#[test]
fn what_probe_and_monitor_send_is_what_the_document_lists() {
    let certificate = Certificate::new();
    let (cert, key) = (certificate.file(), certificate.key());
    let (cert, key) = (cert.to_str().unwrap(), key.to_str().unwrap());
    let secure = Up::spinfo()
        .args(["--tls-cert", cert, "--tls-key", key])
        .start();
    let plain = Up::spinfo().start();
    let receiver = Receiver::start();

    check(
        &receiver,
        0,
        &["--cacert", cert, &format!("https://{}", secure.address)],
    );
    watch(
        &receiver,
        0,
        &["--change-interval", "100ms", &plain.url("")],
    );
    fail(&plain);
    check(&receiver, 2, &[&plain.url("/status")]);
    let strict = ["--listen", "127.0.0.1:0", "--fail-over", "50%"];
    watch(&receiver, 1, &[&strict[..], &[&plain.url("")]].concat());

    receiver.look(|received| {
        assert_listed(&[
            (resources(received), groups(RESOURCES, OUTSIDE)),
            (spans(received), groups(SPANS, OUTSIDE)),
            (metrics(received), listed_metrics(OUTSIDE)),
        ]);
        assert_documented("Their log records", &records(received));
    });
}

fn check(receiver: &Receiver, code: i32, arguments: &[&str]) {
    drive(probe_command(arguments), receiver, code);
}

/// Six requests, the later ones after a change where there are any.
fn watch(receiver: &Receiver, code: i32, arguments: &[&str]) {
    let mut command = monitor_command(&["--interval", "50ms", "--count", "6"]);
    command.args(arguments);
    drive(command, receiver, code);
}

fn drive(mut command: Command, receiver: &Receiver, code: i32) {
    let environment = "deployment.environment.name=test";
    let command = exporting(&mut command, receiver).env("OTEL_RESOURCE_ATTRIBUTES", environment);
    let said = run(command);
    assert_eq!(said.code, code, "{said:?}");
}

/// From here on the status is an error that the monitor has not asked for.
fn fail(host: &Host) {
    let put = Request::put("/status").header("content-type", "application/json");
    let put = put.body(br#"{"code": 503}"#.to_vec()).unwrap();
    assert_eq!(host.send(put).status, 200);
}
