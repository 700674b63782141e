//! What is shown on a terminal, which is one of the test.

use std::fs::File;
use std::io::{Read as _, Write as _};
use std::process::{Child, Command};
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};

use rustix::fs::{Mode, OFlags};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{Action, tcflow};

use crate::program::{PATIENCE, command};
use crate::server::{Server, answer};
use crate::status::StatusServer;

/// A pseudo-terminal and what was written to it.
struct Terminal {
    /// The side of programs.
    line: File,
    shown: Arc<(Mutex<Vec<u8>>, Condvar)>,
}

impl Terminal {
    fn open() -> Self {
        let screen =
            openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).expect("there are pseudo-terminals");
        rustix::io::fcntl_setfd(&screen, rustix::io::FdFlags::CLOEXEC).unwrap();
        grantpt(&screen).unwrap();
        unlockpt(&screen).unwrap();
        let name = ptsname(&screen, Vec::new()).unwrap();
        let flags = OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC;
        let line = File::from(rustix::fs::open(name, flags, Mode::empty()).unwrap());
        let shown = Arc::<(Mutex<Vec<u8>>, Condvar)>::default();
        let (mut screen, seen) = (File::from(screen), shown.clone());
        // It ends with an error when nobody has the other side any more.
        std::thread::spawn(move || {
            let mut bytes = [0; 4096];
            while let Ok(count @ 1..) = screen.read(&mut bytes) {
                seen.0.lock().unwrap().extend_from_slice(&bytes[..count]);
                seen.1.notify_all();
            }
        });
        Self { line, shown }
    }

    fn wait_for(&self, text: &str) {
        let (shown, more) = &*self.shown;
        let missing = |shown: &mut Vec<u8>| !String::from_utf8_lossy(shown).contains(text);
        let (shown, waited) = more
            .wait_timeout_while(shown.lock().unwrap(), PATIENCE, missing)
            .unwrap();
        let shown = String::from_utf8_lossy(&shown);
        assert!(!waited.timed_out(), "there is no {text:?} in {shown:?}");
    }

    /// All that was written by a program which has ended.
    fn whole(&self) -> String {
        const END: &str = "all was read up to here";
        (&self.line).write_all(END.as_bytes()).unwrap();
        self.wait_for(END);
        self.text().replace(END, "")
    }

    /// What has been read so far.
    fn text(&self) -> String {
        String::from_utf8_lossy(&self.shown.0.lock().unwrap()).into_owned()
    }
}

/// The program on a terminal. It is killed when it is dropped.
struct Program(Child);

impl Program {
    fn start(terminal: &Terminal, arguments: &[&str], environment: &[(&str, &str)]) -> Self {
        let mut command = command(arguments, environment);
        command
            .stdin(terminal.line.try_clone().unwrap())
            .stdout(terminal.line.try_clone().unwrap());
        Self(command.spawn().expect("the program can be started"))
    }

    fn signal(&self, name: &str) {
        let status = Command::new("kill")
            .args(["-s", name, &self.0.id().to_string()])
            .status();
        assert!(status.expect("there is kill").success());
    }

    /// The exit code and what was said on stderr.
    fn wait(mut self) -> (Option<i32>, String) {
        let end = Instant::now() + PATIENCE;
        let status = loop {
            if let Some(status) = self.0.try_wait().unwrap() {
                break status;
            }
            assert!(Instant::now() < end, "the program goes on");
            std::thread::sleep(Duration::from_millis(5));
        };
        let mut said = String::new();
        self.0
            .stderr
            .take()
            .unwrap()
            .read_to_string(&mut said)
            .unwrap();
        (status.code(), said)
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// All that a run shows that ends by itself.
fn shown(arguments: &[&str], environment: &[(&str, &str)]) -> String {
    let terminal = Terminal::open();
    let (code, said) = Program::start(&terminal, arguments, environment).wait();
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("requests, "), "{said}");
    // Logs and the summary may be read on the same terminal.
    assert!(
        !said.contains(['\u{1b}', '\u{7}', '\u{9b}', '\u{202e}']),
        "{said:?}"
    );
    terminal.whole()
}

const XTERM: (&str, &str) = ("TERM", "xterm");

#[test]
fn each_request_and_each_change_is_a_coloured_line() {
    let status = StatusServer::start();
    let flags = ["-i", "20ms", "-n", "40", "--change-interval", "300ms"];
    let text = shown(&[&[status.url().as_str()], &flags[..]].concat(), &[XTERM]);
    let lines: Vec<_> = text.lines().collect();
    let endpoint = format!("\u{1b}[1m{}/status\u{1b}[0m", status.url());
    let ok = lines
        .iter()
        .filter(|line| line.contains("\u{1b}[32m ok   \u{1b}[0m") && line.contains(&endpoint));
    assert_eq!(
        ok.filter(|line| !line.contains("put back")).count(),
        40,
        "{text}"
    );
    assert!(lines.len() > 40, "{text}");
    assert!(
        text.contains(" changed to\u{1b}[33m failing\u{1b}[0m (revision 1), seen after "),
        "{text}"
    );
}

#[test]
fn colour_is_left_out_where_it_is_not_wanted_or_not_understood() {
    let server = Server::start(|_| answer(500, ""));
    let url = server.url();
    for environment in [&[XTERM, ("NO_COLOR", "1")][..], &[("TERM", "dumb")], &[]] {
        let text = shown(&[&url, "-i", "20ms", "-n", "3"], environment);
        assert!(!text.contains('\u{1b}'), "{text:?}");
        let failed = text.matches(" 500 ").count();
        assert_eq!((text.lines().count(), failed), (3, 3), "{text:?}");
    }
    assert!(
        shown(&[&url, "-n", "2", "-i", "20ms"], &[XTERM, ("NO_COLOR", "")])
            .contains("\u{1b}[31m FAIL")
    );
}

#[test]
fn what_a_server_says_does_not_reach_the_terminal() {
    let document = r#"{"state":"\u001b]0;\u202eown\u0007\u009b2J","code":200,"revision":0}"#;
    for code in [200, 500] {
        let server = Server::start(move |_| answer(code, document));
        let text = shown(&[&server.url(), "-i", "20ms", "-n", "3"], &[XTERM]);
        assert!(text.contains("]0;own2J"), "{text:?}");
        assert!(
            !text.contains("\u{1b}]") && !text.contains(['\u{7}', '\u{9b}', '\u{202e}']),
            "{text:?}"
        );
    }
}

#[test]
fn a_terminal_that_stands_still_holds_nothing_up() {
    let server = Server::start(|_| answer(200, ""));
    let terminal = Terminal::open();
    // As Ctrl-S does, or a connection to the terminal that hangs.
    tcflow(&terminal.line, Action::OOff).unwrap();
    let program = Program::start(&terminal, &[&server.url(), "-i", "20ms"], &[XTERM]);
    server.wait_for_requests(20);
    program.signal("TERM");
    let (code, said) = program.wait();
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("errors     none"), "{said}");
    assert_eq!(terminal.text(), "");
}
