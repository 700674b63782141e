//! The live table, on a terminal of the test.

use std::fs::File;
use std::io::{Read as _, Write as _};
use std::process::{Child, Command};
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};

use rustix::fs::{Mode, OFlags};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{Action, LocalModes, Termios, Winsize, tcflow, tcgetattr, tcsetwinsize};

use crate::program::{PATIENCE, command};
use crate::server::{Server, answer};

const OK: &str = r#"{"state":"ok","code":200,"revision":0}"#;

const TAKE: &str = "\u{1b}[?1049h";
const GIVE_BACK: &str = "\u{1b}[?1049l";
const SHOW_CURSOR: &str = "\u{1b}[?25h";

/// A pseudo-terminal and what was written to it.
struct Terminal {
    keyboard: File,
    /// The side of programs. It stays open here, so that its settings can be looked at after the program has ended.
    line: File,
    shown: Arc<(Mutex<Vec<u8>>, Condvar)>,
}

impl Terminal {
    fn open() -> Self {
        let keyboard =
            openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).expect("there are pseudo-terminals");
        rustix::io::fcntl_setfd(&keyboard, rustix::io::FdFlags::CLOEXEC).unwrap();
        grantpt(&keyboard).unwrap();
        unlockpt(&keyboard).unwrap();
        let name = ptsname(&keyboard, Vec::new()).unwrap();
        let flags = OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC;
        let line = File::from(rustix::fs::open(name, flags, Mode::empty()).unwrap());
        let size = Winsize {
            ws_row: 24,
            ws_col: 80,
            ws_xpixel: 0,
            ws_ypixel: 0,
        };
        tcsetwinsize(&line, size).unwrap();

        let keyboard = File::from(keyboard);
        let shown = Arc::<(Mutex<Vec<u8>>, Condvar)>::default();
        let (mut screen, seen) = (keyboard.try_clone().unwrap(), shown.clone());
        // It ends with an error when nobody has the other side any more.
        std::thread::spawn(move || {
            let mut bytes = [0; 4096];
            while let Ok(count @ 1..) = screen.read(&mut bytes) {
                seen.0.lock().unwrap().extend_from_slice(&bytes[..count]);
                seen.1.notify_all();
            }
        });
        Self {
            keyboard,
            line,
            shown,
        }
    }

    fn press(&self, key: &str) {
        (&self.keyboard).write_all(key.as_bytes()).unwrap();
    }

    fn settings(&self) -> Termios {
        tcgetattr(&self.line).unwrap()
    }

    /// Waits for a text after the first `from` bytes, and returns how many bytes there are now.
    fn wait_for(&self, text: &str, from: usize) -> usize {
        let (shown, more) = &*self.shown;
        let missing = |shown: &mut Vec<u8>| {
            !String::from_utf8_lossy(&shown[from.min(shown.len())..]).contains(text)
        };
        let (shown, waited) = more
            .wait_timeout_while(shown.lock().unwrap(), PATIENCE, missing)
            .unwrap();
        let (count, found) = (shown.len(), !waited.timed_out());
        drop(shown);
        assert!(
            found,
            "there is no {text:?} among the last of {:?}",
            self.last()
        );
        count
    }

    /// The last frames.
    fn last(&self) -> String {
        let text = self.text();
        let start = text.char_indices().rev().nth(2000).map_or(0, |(at, _)| at);
        text[start..].to_owned()
    }

    /// All that was written by a program which has ended.
    fn whole(&self) -> String {
        const END: &str = "all was read up to here";
        (&self.line).write_all(END.as_bytes()).unwrap();
        self.wait_for(END, 0);
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

/// Whether keys are read one by one and not shown.
fn is_raw(settings: &Termios) -> bool {
    !settings
        .local_modes
        .intersects(LocalModes::ICANON | LocalModes::ECHO)
}

#[test]
fn however_it_ends_the_terminal_is_as_before() {
    let server = Server::start(|_| answer(200, OK));
    for end in ["q", "\u{3}", "TERM", "INT", "HUP"] {
        let terminal = Terminal::open();
        let before = terminal.settings();
        let program = Program::start(
            &terminal,
            &[&server.url(), "-i", "20ms"],
            &[("TERM", "xterm")],
        );
        terminal.wait_for("P95", 0);
        terminal.wait_for("\u{1b}[32mok", 0);
        assert!(is_raw(&terminal.settings()));
        match end {
            "TERM" | "INT" | "HUP" => program.signal(end),
            key => terminal.press(key),
        }
        let (code, said) = program.wait();
        assert_eq!(code, Some(0), "{end:?}: {said}");
        assert!(said.contains("errors     none"), "{end:?}: {said}");

        let text = terminal.whole();
        assert!(text.starts_with(TAKE), "{text:?}");
        let after = text
            .split_once(GIVE_BACK)
            .expect("the screen is given back");
        assert!(after.0.contains(SHOW_CURSOR), "{text:?}");
        assert_eq!(
            after.1, "",
            "the table is not drawn on the user's own screen"
        );
        let now = terminal.settings();
        assert_eq!(
            (now.local_modes, now.input_modes),
            (before.local_modes, before.input_modes),
            "{end:?}"
        );
        assert_eq!(
            (now.output_modes, now.control_modes),
            (before.output_modes, before.control_modes),
            "{end:?}"
        );
    }
}

#[test]
fn r_begins_the_numbers_anew_and_leaves_the_summary_whole() {
    let server = Server::start(|_| answer(200, ""));
    let terminal = Terminal::open();
    let program = Program::start(
        &terminal,
        &[&server.url(), "-i", "20ms"],
        &[("TERM", "xterm")],
    );
    let seen = terminal.wait_for("  0:00:01", 0);
    let requests = server.requests().len();
    terminal.press("r");
    terminal.wait_for("  0:00:00", seen);
    terminal.press("q");
    let (code, said) = program.wait();
    assert_eq!(code, Some(0), "{said}");
    let counted = said
        .split(" requests")
        .next()
        .and_then(|before| before.rsplit(' ').next());
    let counted: usize = counted
        .and_then(|count| count.replace(',', "").parse().ok())
        .unwrap_or_else(|| panic!("no count in {said}"));
    assert!(counted >= requests, "{counted} of at least {requests}");
}

#[test]
fn colour_is_left_out_and_a_dumb_terminal_gets_plain_lines() {
    let server = Server::start(|_| answer(200, OK));
    let run = |environment: &[(&str, &str)]| {
        let terminal = Terminal::open();
        let program = Program::start(
            &terminal,
            &[&server.url(), "-i", "20ms", "-n", "30"],
            environment,
        );
        let (code, said) = program.wait();
        assert_eq!(code, Some(0), "{said}");
        terminal.whole()
    };
    let colours = |text: &str| text.contains("\u{1b}[32m");
    assert!(colours(&run(&[("TERM", "xterm")])));
    let plain = run(&[("TERM", "xterm"), ("NO_COLOR", "1")]);
    assert!(
        plain.contains(TAKE) && !colours(&plain) && !plain.contains("\u{1b}[1m"),
        "{plain:?}"
    );
    for dumb in [&[("TERM", "dumb")][..], &[]] {
        let text = run(dumb);
        assert!(
            text.lines().count() >= 30 && !text.contains('\u{1b}'),
            "{text:?}"
        );
    }
}

#[test]
fn what_a_server_says_does_not_reach_the_terminal() {
    let server = Server::start(|_| {
        answer(
            200,
            r#"{"state":"\u001b]0;\u202eown\u0007\u009b2J","code":200,"revision":0}"#,
        )
    });
    let terminal = Terminal::open();
    let program = Program::start(
        &terminal,
        &[&server.url(), "-i", "20ms"],
        &[("TERM", "xterm")],
    );
    terminal.wait_for("]0;own", 0);
    terminal.press("q");
    assert_eq!(program.wait().0, Some(0));
    let text = terminal.whole();
    assert!(
        !text.contains("\u{1b}]") && !text.contains(['\u{7}', '\u{9b}', '\u{202e}']),
        "{text:?}"
    );
}

#[test]
fn a_terminal_that_stands_still_holds_nothing_up() {
    let server = Server::start(|_| answer(200, OK));
    let terminal = Terminal::open();
    // As Ctrl-S does, or a connection to the terminal that hangs.
    tcflow(&terminal.line, Action::OOff).unwrap();
    let program = Program::start(
        &terminal,
        &[&server.url(), "-i", "20ms"],
        &[("TERM", "xterm")],
    );
    server.wait_for_requests(20);
    program.signal("TERM");
    let (code, said) = program.wait();
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("errors     none"), "{said}");
    assert!(!is_raw(&terminal.settings()));
    assert_eq!(terminal.text(), "");
}
