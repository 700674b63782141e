//! Lines to stdout, written by a thread of its own: a reader that stops reading must not stop the requests.

use std::io::{self, BufWriter, Write};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, channel, sync_channel};
use std::time::{Duration, Instant};

use anyhow::Context as _;

/// Lines that wait for the reader; what comes on top is left out and counted. Some megabytes.
const QUEUE: usize = 8192;

/// How long the end waits for a reader that has stopped reading.
const PATIENCE: Duration = Duration::from_secs(2);

/// A queue of lines.
pub(super) struct Sink {
    lines: SyncSender<String>,
    /// How the writing ended.
    ended: Receiver<io::Result<()>>,
    left_out: u64,
}

impl Sink {
    /// Writes to stdout.
    pub(super) fn stdout() -> anyhow::Result<Self> {
        Self::new(io::stdout(), QUEUE)
    }

    fn new(out: impl Write + Send + 'static, queue: usize) -> anyhow::Result<Self> {
        let (lines, waiting) = sync_channel(queue);
        let (end, ended) = channel();
        std::thread::Builder::new()
            .name("output".to_owned())
            .spawn(move || {
                // Said before the queue is closed, so that whoever sees it closed finds the reason.
                let _ = end.send(write(out, &waiting));
                drop(waiting);
            })
            .context("cannot start the output's thread")?;
        Ok(Self {
            lines,
            ended,
            left_out: 0,
        })
    }

    /// Adds a line, or counts it as left out.
    ///
    /// # Errors
    /// An earlier line could not be written: with `BrokenPipe` nobody reads any more.
    pub(super) fn line(&mut self, line: String) -> io::Result<()> {
        match self.lines.try_send(line) {
            Ok(()) => Ok(()),
            Err(TrySendError::Full(_)) => {
                self.left_out += 1;
                Ok(())
            }
            // Told once.
            Err(TrySendError::Disconnected(_)) => self.ended.try_recv().unwrap_or(Ok(())),
        }
    }

    /// Adds the last line, for which room is made if the reader allows it.
    pub(super) fn last(&self, mut line: String) {
        let end = Instant::now() + PATIENCE;
        while let Err(TrySendError::Full(back)) = self.lines.try_send(line) {
            if Instant::now() > end {
                return;
            }
            line = back;
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// Waits until all is written, though not for ever. Returns how many lines were left out, and how the writing ended if that has not
    /// been told before.
    pub(super) fn finish(self) -> (u64, io::Result<()>) {
        drop(self.lines);
        let ended = self.ended.recv_timeout(PATIENCE).unwrap_or(Ok(()));
        (self.left_out, ended)
    }
}

fn write(out: impl Write, lines: &Receiver<String>) -> io::Result<()> {
    let mut out = BufWriter::new(out);
    while let Ok(line) = lines.recv() {
        writeln!(out, "{line}")?;
        while let Ok(line) = lines.try_recv() {
            writeln!(out, "{line}")?;
        }
        // Someone may wait for this line.
        out.flush()?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::Sender;
    use std::sync::{Arc, Mutex};

    use super::*;

    /// A reader that takes nothing until it is let.
    struct Stuck(Receiver<()>, Arc<Mutex<Vec<u8>>>);

    impl Write for Stuck {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            let _ = self.0.recv();
            self.1.lock().unwrap().extend(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_reader_that_is_stuck_costs_lines_and_no_time() {
        let (go, wait): (Sender<()>, _) = channel();
        let text = Arc::new(Mutex::new(Vec::new()));
        let mut sink = Sink::new(Stuck(wait, text.clone()), 4).unwrap();
        for n in 0..100 {
            assert!(sink.line(n.to_string()).is_ok());
        }
        drop(go);
        sink.last("end".to_owned());
        let (left_out, ended) = sink.finish();
        assert!(left_out >= 90 && ended.is_ok(), "{left_out} {ended:?}");
        let text = String::from_utf8(text.lock().unwrap().clone()).unwrap();
        assert!(
            text.starts_with("0\n1\n") && text.ends_with("\nend\n"),
            "{text}"
        );
        assert_eq!(text.lines().count() as u64, 100 - left_out + 1);
    }

    /// Takes nothing.
    struct Broken(io::ErrorKind);

    impl Write for Broken {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(self.0.into())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn why_nothing_can_be_written_is_told_once() {
        for kind in [io::ErrorKind::BrokenPipe, io::ErrorKind::StorageFull] {
            let mut sink = Sink::new(Broken(kind), 4).unwrap();
            let end = Instant::now() + Duration::from_secs(30);
            let error = loop {
                assert!(Instant::now() < end);
                match sink.line(String::new()) {
                    Ok(()) => std::thread::yield_now(),
                    Err(error) => break error,
                }
            };
            assert_eq!(error.kind(), kind);
            assert!(sink.line(String::new()).is_ok());
            assert!(sink.finish().1.is_ok());

            // Of a single line only the end can tell.
            let mut sink = Sink::new(Broken(kind), 4).unwrap();
            assert!(sink.line(String::new()).is_ok());
            assert_eq!(sink.finish().1.unwrap_err().kind(), kind);
        }
    }
}
