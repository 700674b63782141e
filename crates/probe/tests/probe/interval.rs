//! Checks one after another.

use std::io::{BufRead as _, BufReader, Lines};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use crate::program::command;
use crate::server::{Reply, Server, answer, well};

/// The program while it checks.
struct Running {
    child: Child,
    lines: Option<Lines<BufReader<ChildStdout>>>,
}

impl Running {
    fn start(arguments: &[&str]) -> Self {
        let mut child = command(&[arguments, &["--no-clock"]].concat())
            .stdout(Stdio::piped())
            .spawn()
            .expect("the program runs");
        let stdout = child.stdout.take().expect("a pipe");
        Self {
            child,
            lines: Some(BufReader::new(stdout).lines()),
        }
    }

    fn line(&mut self) -> String {
        let lines = self.lines.as_mut().expect("it is read");
        lines.next().expect("another line").expect("text")
    }

    /// Sends the signal and gives the exit code.
    fn stop(mut self, signal: &str) -> i32 {
        let sent = Command::new("kill")
            .args([signal, &self.child.id().to_string()])
            .status()
            .expect("kill runs");
        assert!(sent.success());
        self.child
            .wait()
            .expect("it ends")
            .code()
            .expect("by itself")
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It has ended unless the test has failed.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn checks_go_on_until_a_signal_and_the_last_one_counts() {
    for (signal, healthy, code) in [("-TERM", true, 0), ("-INT", false, 2)] {
        let well_now = Arc::new(AtomicBool::new(true));
        let state = well_now.clone();
        let server = Server::start(move |request| {
            if state.load(Ordering::SeqCst) {
                well(request)
            } else {
                Reply::Send(answer("500 Internal Server Error", &[], ""))
            }
        });
        let mut running = Running::start(&[&server.url("/"), "--interval", "20ms"]);
        for _ in 0..3 {
            assert!(running.line().starts_with("SPINFO OK"));
        }
        if !healthy {
            well_now.store(false, Ordering::SeqCst);
            while !running.line().starts_with("SPINFO CRITICAL") {}
        }
        assert_eq!(running.stop(signal), code);
    }
}

#[test]
fn a_check_that_is_stopped_says_so() {
    let (asked, arrived) = std::sync::mpsc::channel();
    let server = Server::start(move |_| {
        asked.send(()).unwrap();
        Reply::Hang(Vec::new())
    });
    let mut running = Running::start(&[&server.url("/")]);
    arrived.recv().unwrap();
    let mut lines = running.lines.take().unwrap();
    assert_eq!(running.stop("-TERM"), 3);
    let line = lines.next().unwrap().unwrap();
    assert_eq!(
        line,
        "SPINFO UNKNOWN - stopped by SIGTERM before the check was done"
    );
}

#[test]
fn json_is_one_line_a_check_and_the_interval_is_kept() {
    let server = Server::start(well);
    let mut running = Running::start(&[&server.url("/"), "--interval", "100ms", "--json"]);
    let first: serde_json::Value = serde_json::from_str(&running.line()).unwrap();
    let began = Instant::now();
    for _ in 0..5 {
        let report: serde_json::Value = serde_json::from_str(&running.line()).unwrap();
        assert_eq!(report["status"], "ok");
        assert!(report["timestamp"].as_str() > first["timestamp"].as_str());
    }
    // Five intervals, less the jitter of the last and what the first line took to get here.
    assert!(
        began.elapsed() > Duration::from_millis(400),
        "{:?}",
        began.elapsed()
    );
    assert_eq!(running.stop("-TERM"), 0);
}

#[test]
fn each_check_is_a_connection_of_its_own() {
    // Else a server that takes no more connections would not be noticed.
    let server = Server::start(|_| Reply::Last(answer("200 OK", &[], "well")));
    let mut running = Running::start(&[&server.url("/"), "--interval", "10ms"]);
    for _ in 0..3 {
        let line = running.line();
        assert!(line.contains("time_connect="), "{line}");
    }
    assert_eq!(running.stop("-TERM"), 0);
}

#[test]
fn a_stop_does_not_wait_for_a_server_that_hangs() {
    let server = Server::start(|request| match request.index {
        0 => well(request),
        _ => Reply::Hang(Vec::new()),
    });
    let mut running =
        Running::start(&[&server.url("/"), "--interval", "10ms", "--timeout", "10min"]);
    running.line();
    while server.requests().len() < 2 {
        std::thread::yield_now();
    }
    assert_eq!(
        running.stop("-TERM"),
        0,
        "the code of the check that was finished"
    );
}

#[test]
fn the_end_of_the_reader_is_the_end() {
    let server = Server::start(well);
    let mut running = Running::start(&[&server.url("/"), "--interval", "10ms"]);
    running.line();
    // Closes the pipe.
    running.lines = None;
    assert_eq!(running.child.wait().unwrap().code(), Some(0));
}
