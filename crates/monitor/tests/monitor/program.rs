//! A run of the program, and what it says.

use std::io::{BufRead as _, BufReader, Read as _};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use serde_json::Value;

/// How long a test waits before it fails. Far more than anything takes, because a machine that compiles beside the tests is slow.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// A running program. It is killed when it is dropped.
pub(crate) struct Program {
    child: Child,
    lines: Receiver<String>,
    stderr_lines: Receiver<String>,
    readers: Vec<JoinHandle<()>>,
}

/// What a program has said and how it has ended.
pub(crate) struct Ended {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: Vec<String>,
    pub(crate) stderr: String,
}

/// The program with nothing of the test's environment but what is given.
pub(crate) fn command(arguments: &[&str], environment: &[(&str, &str)]) -> Command {
    let program = Command::new(env!("CARGO_BIN_EXE_spinfo-monitor"));
    of(program, arguments, environment)
}

fn of(mut command: Command, arguments: &[&str], environment: &[(&str, &str)]) -> Command {
    command
        .env_clear()
        .envs(environment.iter().copied())
        .args(arguments);
    command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}

/// Runs the program to its end.
pub(crate) fn run(arguments: &[&str]) -> Ended {
    Program::start(arguments).wait()
}

impl Program {
    pub(crate) fn start(arguments: &[&str]) -> Self {
        Self::start_with(arguments, &[])
    }

    pub(crate) fn start_with(arguments: &[&str], environment: &[(&str, &str)]) -> Self {
        Self::spawn(command(arguments, environment))
    }

    /// As `nohup` starts it.
    pub(crate) fn start_ignoring_hangup(arguments: &[&str]) -> Self {
        let script = "trap '' HUP; exec \"$0\" \"$@\"";
        let program = env!("CARGO_BIN_EXE_spinfo-monitor");
        Self::spawn(of(
            Command::new("sh"),
            &[&["-c", script, program], arguments].concat(),
            &[],
        ))
    }

    fn spawn(mut command: Command) -> Self {
        let mut child = command.spawn().expect("the program can be started");
        let (stdout, lines) = read(child.stdout.take().expect("stdout is piped"));
        let (stderr, stderr_lines) = read(child.stderr.take().expect("stderr is piped"));
        Self {
            child,
            lines,
            stderr_lines,
            readers: vec![stdout, stderr],
        }
    }

    /// Reads JSON lines until one is found.
    pub(crate) fn wait_for(&self, what: &str, found: impl Fn(&Value) -> bool) -> Value {
        let end = Instant::now() + PATIENCE;
        loop {
            let line = next(&self.lines, end).unwrap_or_else(|| panic!("there is no {what}"));
            let value = parse(&line);
            if found(&value) {
                return value;
            }
        }
    }

    /// Reads lines of stderr until one has this text.
    pub(crate) fn wait_for_log(&self, text: &str) -> Value {
        let end = Instant::now() + PATIENCE;
        loop {
            let line = next(&self.stderr_lines, end)
                .unwrap_or_else(|| panic!("stderr does not say {text}"));
            if line.contains(text) {
                return parse(&line);
            }
        }
    }

    pub(crate) fn signal(&self, name: &str) {
        let pid = self.child.id().to_string();
        let status = Command::new("kill").args(["-s", name, &pid]).status();
        assert!(status.expect("there is kill").success());
    }

    /// Stops reading stdout, as `head` does.
    pub(crate) fn close_stdout(&mut self) {
        self.lines = channel().1;
    }

    /// Waits for the end, and reads what has not been read yet.
    pub(crate) fn wait(mut self) -> Ended {
        let end = Instant::now() + PATIENCE;
        let mut stdout = Vec::new();
        while let Some(line) = next(&self.lines, end) {
            stdout.push(line);
        }
        let mut stderr = String::new();
        while let Some(line) = next(&self.stderr_lines, end) {
            stderr += &line;
            stderr.push('\n');
        }
        let status = self.child.wait().expect("the program can be waited for");
        for reader in self.readers.drain(..) {
            reader.join().expect("a reader does not panic");
        }
        Ended {
            code: status.code(),
            stdout,
            stderr,
        }
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Ended {
    /// Objects of one kind.
    pub(crate) fn of_kind(&self, kind: &str) -> Vec<Value> {
        let all = self.stdout.iter().map(|line| parse(line));
        all.filter(|value| value["kind"] == kind).collect()
    }

    pub(crate) fn requests(&self) -> Vec<Value> {
        self.of_kind("request")
    }

    pub(crate) fn changes(&self) -> Vec<Value> {
        self.of_kind("change")
    }

    /// The summary of the only target. It is in the last line.
    pub(crate) fn summary(&self) -> Value {
        let last = parse(self.stdout.last().expect("there is output"));
        assert_eq!(last["kind"], "summary");
        assert_eq!(last["targets"].as_array().map(Vec::len), Some(1));
        last["targets"][0].clone()
    }
}

fn parse(line: &str) -> Value {
    serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"))
}

/// `None` at the end of the stream.
fn next(lines: &Receiver<String>, end: Instant) -> Option<String> {
    match lines.recv_timeout(end.saturating_duration_since(Instant::now())) {
        Ok(line) => Some(line),
        Err(RecvTimeoutError::Disconnected) => None,
        Err(RecvTimeoutError::Timeout) => panic!("the program has been silent for too long"),
    }
}

fn read(stream: impl std::io::Read + Send + 'static) -> (JoinHandle<()>, Receiver<String>) {
    let (sender, lines) = channel();
    let reader = std::thread::spawn(move || {
        let mut stream = BufReader::new(stream);
        let mut line = String::new();
        while stream.by_ref().read_line(&mut line).is_ok_and(|n| n > 0) {
            // Nobody listens: the pipe is closed, as that of a reader that has ended.
            if sender.send(line.trim_end().to_owned()).is_err() {
                return;
            }
            line.clear();
        }
    });
    (reader, lines)
}
