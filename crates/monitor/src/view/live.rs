//! The live table. A thread of its own draws it and reads keys, so neither a slow terminal nor a stopped one delays a request.

use std::io;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant, SystemTime};

use anyhow::Context as _;
use crossterm::event::{self, Event, KeyCode, KeyEventKind, KeyModifiers};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use super::layout::{self, Frame};
use super::screen::{self, Screen};
use crate::stats::Snapshot;

/// Between two frames: more often is harder to read and costs a slow line too much.
const FRAME: Duration = Duration::from_millis(250);

/// How long a key or a new frame may wait to be noticed.
const POLL: Duration = Duration::from_millis(50);

/// How long the end waits for a terminal that doesn't take what is written.
const PATIENCE: Duration = Duration::from_secs(1);

/// What the user wants.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Command {
    /// The end of the run: by q, by Ctrl-C, which is no signal while keys are read one by one, or since the terminal is gone.
    Quit,
    /// Numbers from zero.
    Reset,
}

/// The table on the terminal. Its drop gives the terminal back, and so does a panic.
#[derive(Debug)]
pub struct Live {
    slot: Arc<Mutex<Slot>>,
    ended: Receiver<()>,
    thread: Option<JoinHandle<()>>,
}

/// What the thread is to draw next. It is locked for as long as it takes to put something in or out, never while drawing.
#[derive(Debug, Default)]
struct Slot {
    frame: Option<Frame>,
    stopping: bool,
    closing: bool,
}

impl Live {
    /// Takes the terminal at standard output and input over. Commands come as the user gives them; the receiver ends when the terminal is gone.
    ///
    /// # Errors
    /// There is no such terminal, or no thread.
    pub fn start(colour: bool) -> anyhow::Result<(Self, UnboundedReceiver<Command>)> {
        let screen =
            Screen::take().context("cannot draw on this terminal; --output lines needs none")?;
        let slot = Arc::new(Mutex::new(Slot::default()));
        let (end, ended) = channel();
        let (commands, receiver) = unbounded_channel();
        let painter = Painter {
            slot: Arc::clone(&slot),
            colour,
            commands,
        };
        let thread = thread::Builder::new()
            .name("view".to_owned())
            .spawn(move || painter.run(screen, end))
            .context("cannot start a thread for the terminal")?;
        Ok((
            Self {
                slot,
                ended,
                thread: Some(thread),
            },
            receiver,
        ))
    }

    /// Draws these numbers, unless newer ones come before their turn. Never waits.
    pub fn draw(&self, targets: Vec<Snapshot>) {
        let mut slot = lock(&self.slot);
        let stopping = slot.stopping;
        slot.frame = Some(Frame {
            targets,
            stopping,
            now: SystemTime::now(),
        });
    }

    /// From here on the table says that the run is about to end.
    pub fn stopping(&self) {
        let mut slot = lock(&self.slot);
        slot.stopping = true;
        if let Some(frame) = &mut slot.frame {
            frame.stopping = true;
        }
    }

    /// Gives the terminal back.
    pub fn finish(self) {
        drop(self);
    }
}

impl Drop for Live {
    fn drop(&mut self) {
        lock(&self.slot).closing = true;
        match (self.ended.recv_timeout(PATIENCE), self.thread.take()) {
            (Err(RecvTimeoutError::Disconnected), Some(thread)) => {
                // A panic in the thread has been reported already.
                let _ = thread.join();
            }
            // It hangs in a write to a terminal that is not read, and is left to the end of the process.
            _ => screen::cook(),
        }
    }
}

/// The slot is whole at all times, so a panic elsewhere does not spoil it.
fn lock(slot: &Mutex<Slot>) -> std::sync::MutexGuard<'_, Slot> {
    slot.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What the thread has.
struct Painter {
    slot: Arc<Mutex<Slot>>,
    colour: bool,
    commands: UnboundedSender<Command>,
}

impl Painter {
    /// `_end` tells by its drop that the terminal has been given back, so it is dropped after the screen.
    fn run(self, screen: Screen, _end: Sender<()>) {
        let painted = screen.begin().and_then(|()| self.paint_until_closed());
        if painted.is_err() {
            // Without a terminal there is nobody who could end the run.
            let _ = self.commands.send(Command::Quit);
        }
        drop(screen);
    }

    fn paint_until_closed(&self) -> io::Result<()> {
        let mut shown: Option<Frame> = None;
        let mut next = Instant::now();
        loop {
            let mut afresh = false;
            if event::poll(POLL)? {
                let event = event::read()?;
                afresh = wants_all(&event);
                if let Some(command) = command(&event) {
                    let _ = self.commands.send(command);
                }
            }
            if !screen::is_taken() {
                return Ok(());
            }
            let (fresh, closing) = {
                let mut slot = lock(&self.slot);
                let due = afresh || Instant::now() >= next;
                (due.then(|| slot.frame.take()).flatten(), slot.closing)
            };
            if closing {
                return Ok(());
            }
            if fresh.is_some() || afresh {
                shown = fresh.or(shown);
                if let Some(frame) = &shown {
                    screen::draw(&layout::screen(frame, screen::room()), self.colour, afresh)?;
                }
                next = Instant::now() + FRAME;
            }
        }
    }
}

fn command(event: &Event) -> Option<Command> {
    let Event::Key(key) = event else {
        return None;
    };
    if key.kind == KeyEventKind::Release {
        return None;
    }
    match (key.code, key.modifiers) {
        (KeyCode::Char('c'), KeyModifiers::CONTROL) => Some(Command::Quit),
        (KeyCode::Char('q' | 'Q'), KeyModifiers::NONE | KeyModifiers::SHIFT) => Some(Command::Quit),
        (KeyCode::Char('r' | 'R'), KeyModifiers::NONE | KeyModifiers::SHIFT) => {
            Some(Command::Reset)
        }
        _ => None,
    }
}

/// The terminal has another size, or the user asks by Ctrl-L for a clean screen.
fn wants_all(event: &Event) -> bool {
    match event {
        Event::Resize(..) => true,
        Event::Key(key) => key.code == KeyCode::Char('l') && key.modifiers == KeyModifiers::CONTROL,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use crossterm::event::{Event, KeyCode, KeyEvent, KeyEventKind, KeyModifiers};

    use super::{Command, command, wants_all};

    fn key(character: char, modifiers: KeyModifiers) -> Event {
        Event::Key(KeyEvent::new(KeyCode::Char(character), modifiers))
    }

    #[test]
    fn keys() {
        assert_eq!(command(&key('q', KeyModifiers::NONE)), Some(Command::Quit));
        assert_eq!(command(&key('Q', KeyModifiers::SHIFT)), Some(Command::Quit));
        assert_eq!(
            command(&key('c', KeyModifiers::CONTROL)),
            Some(Command::Quit)
        );
        assert_eq!(command(&key('r', KeyModifiers::NONE)), Some(Command::Reset));
        for other in [
            key('c', KeyModifiers::NONE),
            key('q', KeyModifiers::ALT),
            key('r', KeyModifiers::CONTROL),
            Event::FocusLost,
        ] {
            assert_eq!(command(&other), None, "{other:?}");
        }
    }

    #[test]
    fn a_key_counts_once() {
        let up = KeyEvent::new_with_kind(
            KeyCode::Char('q'),
            KeyModifiers::NONE,
            KeyEventKind::Release,
        );
        assert_eq!(command(&Event::Key(up)), None);
    }

    #[test]
    fn a_new_size_is_drawn_at_once() {
        assert!(wants_all(&Event::Resize(80, 24)));
        assert!(wants_all(&key('l', KeyModifiers::CONTROL)));
        assert!(!wants_all(&key('l', KeyModifiers::NONE)));
    }
}
