//! Takes the terminal over, and gives it back whatever happens.

use std::io::{self, IsTerminal as _, Write as _};
use std::sync::Once;
use std::sync::atomic::{AtomicBool, Ordering};

use crossterm::cursor::{Hide, MoveTo, Show};
use crossterm::terminal::{
    BeginSynchronizedUpdate, Clear, ClearType, DisableLineWrap, EnableLineWrap,
    EndSynchronizedUpdate, EnterAlternateScreen, LeaveAlternateScreen, disable_raw_mode,
    enable_raw_mode, size,
};
use crossterm::{execute, queue};

use super::layout::Size;
use super::style::Line;

/// What a terminal has that says it has no size, as some serial lines do.
const USUAL: Size = Size {
    columns: 80,
    rows: 24,
};

/// Whether there is something to give back. A process has one terminal.
static TAKEN: AtomicBool = AtomicBool::new(false);

/// The terminal at standard output, in raw mode. Its drop gives the terminal back.
#[derive(Debug)]
pub(super) struct Screen(());

impl Screen {
    /// Writes nothing yet, so it never waits.
    ///
    /// # Errors
    /// Standard output or input is no terminal.
    pub(super) fn take() -> io::Result<Self> {
        // The mode is that of the terminal where keys are read, even if the output goes to a file.
        if !io::stdout().is_terminal() {
            return Err(io::Error::other("standard output is not a terminal"));
        }
        restore_before_panics();
        enable_raw_mode()?;
        TAKEN.store(true, Ordering::SeqCst);
        Ok(Self(()))
    }

    /// Keeps what the user had on the screen, and begins an empty one.
    pub(super) fn begin(&self) -> io::Result<()> {
        execute!(io::stdout(), EnterAlternateScreen, Hide, DisableLineWrap)
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        restore();
    }
}

/// Whether the terminal is still ours. It is not after a panic anywhere in the process.
pub(super) fn is_taken() -> bool {
    TAKEN.load(Ordering::SeqCst)
}

fn restore() {
    if TAKEN.swap(false, Ordering::SeqCst) {
        // There is nobody to tell: the terminal may be gone, which is then the reason why the program ends.
        let _ = disable_raw_mode();
        let _ = execute!(
            io::stdout(),
            EndSynchronizedUpdate,
            EnableLineWrap,
            Show,
            LeaveAlternateScreen
        );
    }
}

/// Ends raw mode, which needs nothing to be written.
pub(super) fn cook() {
    // As in `restore`.
    let _ = disable_raw_mode();
}

/// A panic's message would be lost with the alternate screen, and its lines be stairs in raw mode.
fn restore_before_panics() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let next = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            restore();
            next(panic);
        }));
    });
}

/// How much room there is now.
pub(super) fn room() -> Size {
    match size() {
        Ok((columns, rows)) if columns > 0 && rows > 0 => Size {
            columns: columns.into(),
            rows: rows.into(),
        },
        _ => USUAL,
    }
}

/// Replaces what is on the screen. `afresh` after somebody else may have written there.
pub(super) fn draw(lines: &[Line], colour: bool, afresh: bool) -> io::Result<()> {
    let bytes = frame(lines, colour, afresh)?;
    let mut out = io::stdout().lock();
    out.write_all(&bytes)?;
    out.flush()
}

/// One piece, so that a slow line never shows half a frame. A line is cleared before it is written: after one that fills the row, the cursor
/// stands on its last character. The last one clears all below it too.
fn frame(lines: &[Line], colour: bool, afresh: bool) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    queue!(bytes, BeginSynchronizedUpdate)?;
    if afresh {
        queue!(bytes, Clear(ClearType::All))?;
    }
    for (row, line) in (0u16..).zip(lines) {
        let is_last = usize::from(row) + 1 == lines.len();
        let clear = if is_last {
            ClearType::FromCursorDown
        } else {
            ClearType::UntilNewLine
        };
        queue!(bytes, MoveTo(0, row), Clear(clear))?;
        bytes.extend_from_slice(line.paint(colour).as_bytes());
    }
    queue!(bytes, EndSynchronizedUpdate)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::frame;
    use crate::view::style::{Line, Tone};

    #[test]
    fn a_frame_is_lines_at_their_places() {
        let lines = [
            Line::of(Tone::Bad, "one\u{1b}[9;9H"),
            Line::of(Tone::Plain, "two"),
        ];
        let bytes = frame(&lines, true, true).expect("memory takes everything");
        assert_eq!(
            String::from_utf8(bytes).expect("it is text"),
            "\u{1b}[?2026h\u{1b}[2J\
             \u{1b}[1;1H\u{1b}[K\u{1b}[31mone\u{fffd}[9;9H\u{1b}[0m\
             \u{1b}[2;1H\u{1b}[Jtwo\u{1b}[?2026l"
        );
    }
}
