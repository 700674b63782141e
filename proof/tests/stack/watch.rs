//! The probe and the monitor, which watch a host of their own while everything else is tested.

use std::process::{Child, Command, Stdio};

use spinfo_proof::stack::Stack;
use spinfo_proof::stack::wait::{until, until_equal};
use spinfo_tests::Host;
use spinfo_tests::outside::{monitor_command, probe_command};
use spinfo_tests::tls::Certificate;

/// How far back to look, in seconds: longer than all of it takes.
const LATELY: u64 = 900;

/// A host with a certificate, and who watches it until this is dropped.
pub(crate) struct Watch {
    watchers: [Child; 2],
    _host: Host,
    _certificate: Certificate,
}

/// Starts them. The monitor has a second target, which is not there.
pub(crate) fn start(stack: &Stack) -> Watch {
    let certificate = Certificate::new();
    let [file, key] = [certificate.file(), certificate.key()];
    let [file, key] = [&file, &key].map(|path| path.display().to_string());
    let host = stack
        .spinfo("watched")
        .args(["--tls-cert", &file, "--tls-key", &key])
        .start();
    let url = format!("https://{}", host.address);
    let probe = probe_command(&["--interval", "1s", "--cacert", &file, &url]);
    let monitor = monitor_command(&[
        "--interval",
        "200ms",
        "--change-interval",
        "1s",
        "--cacert",
        &file,
        &url,
        // The discard service, which nobody runs.
        "http://127.0.0.1:9",
    ]);
    Watch {
        watchers: [probe, monitor].map(|command| begin(stack, command)),
        _host: host,
        _certificate: certificate,
    }
}

fn begin(stack: &Stack, mut command: Command) -> Child {
    command
        .envs(stack.telemetry_of_clients())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    command
        .spawn()
        .unwrap_or_else(|error| panic!("{command:?}: {error}"))
}

impl Drop for Watch {
    fn drop(&mut self) {
        for watcher in &mut self.watchers {
            // It may have ended by itself, which other checks notice.
            let _ = watcher.kill();
            let _ = watcher.wait();
        }
    }
}

/// What the probe found out, under the names of the dashboards and the alerts.
pub(crate) fn the_probe_reports(stack: &Stack) {
    let prometheus = stack.prometheus();
    for (what, query) in [
        ("success", "probe_success"),
        (
            "a clock that is right for certain",
            "abs(spinfo_probe_clock_offset_seconds) + spinfo_probe_clock_error_bound_seconds < bool 1",
        ),
        (
            "a certificate",
            "probe_ssl_earliest_cert_expiry - time() > bool 86400",
        ),
        ("a status", "probe_http_status_code == bool 200"),
    ] {
        until_equal(what, &Some(1.0), || prometheus.value(query));
    }
}

/// What the monitor found out: changes that took effect, one target that answers and one that doesn't.
pub(crate) fn the_monitor_reports(stack: &Stack) {
    let prometheus = stack.prometheus();
    for (what, query) in [
        (
            "changes",
            r#"sum(spinfo_monitor_changes_total{spinfo_monitor_result="ok"}) > bool 1"#,
        ),
        (
            "answers",
            r#"sum(http_client_request_duration_seconds_count{error_type=""}) > bool 10"#,
        ),
        (
            "failures",
            r#"sum(http_client_request_duration_seconds_count{error_type="connect", server_port="9"}) > bool 10"#,
        ),
    ] {
        until_equal(what, &Some(1.0), || prometheus.value(query));
    }
    until("exemplars of the monitor's requests", || {
        let traces = prometheus.exemplars("http_client_request_duration_seconds_bucket", LATELY)?;
        (!traces.is_empty())
            .then_some(())
            .ok_or_else(|| "there are none".to_owned())
    });
    until("a trace from the monitor to the host", || {
        let query = r#"{ resource.service.name = "spinfo-monitor" } > { resource.service.name = "spinfo" && kind = server }"#;
        let found = stack.tempo().search(query, LATELY)?;
        (!found.is_empty())
            .then_some(())
            .ok_or_else(|| "there is none".to_owned())
    });
    until("log lines about the target that is not there", || {
        let query = r#"{service_name="spinfo-monitor"} | severity_number >= 13"#;
        let lines = stack.loki().lines(query, LATELY)?;
        (!lines.is_empty())
            .then_some(())
            .ok_or_else(|| "there are none".to_owned())
    });
}
