//! The images, started as a careful operator would.

use std::thread::sleep;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::docker::{Image, docker};

/// The interval of the images' health checks is five seconds.
const PATIENCE: Duration = Duration::from_secs(60);

/// A container that is gone when it is dropped.
struct Container {
    id: String,
}

impl Container {
    /// Without rights, without a writable root, and with little memory.
    fn start(image: &Image, options: &[&str], arguments: &[&str]) -> Self {
        let confined = [
            "run",
            "--detach",
            "--read-only",
            "--cap-drop",
            "ALL",
            "--security-opt",
            "no-new-privileges:true",
            "--memory",
            "256m",
            "--pids-limit",
            "128",
        ];
        let command = confined.iter().chain(options).copied();
        let command = command
            .chain([image.reference.as_str()])
            .chain(arguments.iter().copied());
        Self {
            id: docker(command).trim().to_owned(),
        }
    }

    fn state(&self) -> Value {
        let text = docker(["inspect", "--format", "{{json .State}}", &self.id]);
        serde_json::from_str(&text).expect("docker writes JSON")
    }

    fn logs(&self) -> String {
        docker(["logs", &self.id])
    }

    fn becomes_healthy(&self) {
        let end = Instant::now() + PATIENCE;
        loop {
            let state = self.state();
            if state["Health"]["Status"] == "healthy" {
                return;
            }
            assert!(
                state["Running"] == true && Instant::now() < end,
                "{state}\n{}",
                self.logs()
            );
            sleep(Duration::from_millis(200));
        }
    }

    fn stops_with(&self, code: i32) {
        docker(["stop", "--time", "45", &self.id]);
        assert_eq!(self.state()["ExitCode"], code, "{}", self.logs());
    }
}

impl Drop for Container {
    fn drop(&mut self) {
        docker(["rm", "--force", "--volumes", &self.id]);
    }
}

/// With nothing writable but what the image says, the service gets healthy and answers; the monitor, in its network, sees that, and
/// has its own health; both end by themselves.
pub(crate) fn confined() {
    let service = Container::start(
        &Image::of("spinfo"),
        &[
            "--tmpfs",
            "/var/lib/spinfo:uid=65532,gid=65532",
            "--tmpfs",
            "/var/cache/spinfo:uid=65532,gid=65532",
            "--tmpfs",
            "/tmp",
        ],
        &[],
    );
    service.becomes_healthy();
    let checked = docker([
        "exec",
        &service.id,
        "spinfo-probe",
        "--json",
        "--expect-text",
        "Hello World",
        "http://127.0.0.1:3000/",
    ]);
    let checked: Value = serde_json::from_str(&checked).expect("the probe writes JSON");
    assert!(checked.is_object(), "{checked}");

    let network = format!("container:{}", service.id);
    let monitor = Container::start(
        &Image::of("spinfo-monitor"),
        &["--network", &network],
        &[
            "--interval",
            "100ms",
            "--change-interval",
            "0s",
            "http://127.0.0.1:3000",
        ],
    );
    monitor.becomes_healthy();
    monitor.stops_with(0);
    let logs = monitor.logs();
    let reports: Vec<Value> = logs
        .lines()
        .filter_map(|line| serde_json::from_str(line).ok())
        .filter(|report: &Value| report["success"].is_boolean())
        .collect();
    assert!(!reports.is_empty(), "{logs}");
    for report in reports {
        assert_eq!(report["success"], true, "{report}");
    }
    service.stops_with(0);
}
