//! Lines to stdout, written by a thread of its own: a reader that stops reading must not stop the requests.

use std::io::{self, BufWriter, Write};
use std::sync::mpsc::{
    Receiver, RecvTimeoutError, SyncSender, TrySendError, channel, sync_channel,
};
use std::time::Duration;

use anyhow::Context as _;

use super::Closed;

/// Lines that wait for the reader; what comes on top is left out and counted. Some megabytes.
const QUEUE: usize = 8192;

/// How long the end waits for a reader that has stopped reading.
const PATIENCE: Duration = Duration::from_secs(2);

/// A queue of lines.
pub(crate) struct Sink {
    lines: SyncSender<String>,
    /// Disconnected when all is written.
    written: Receiver<()>,
    left_out: u64,
}

impl Sink {
    /// Writes to stdout.
    pub(crate) fn stdout() -> anyhow::Result<Self> {
        Self::new(io::stdout(), QUEUE)
    }

    fn new(out: impl Write + Send + 'static, queue: usize) -> anyhow::Result<Self> {
        let (lines, waiting) = sync_channel(queue);
        let (end, written) = channel::<()>();
        std::thread::Builder::new()
            .name("output".to_owned())
            .spawn(move || {
                // A reader that is gone shows in the queue's being closed.
                let _ = write(out, &waiting);
                drop((waiting, end));
            })
            .context("cannot start the output's thread")?;
        Ok(Self {
            lines,
            written,
            left_out: 0,
        })
    }

    /// Adds a line, or counts it as left out.
    ///
    /// # Errors
    /// When nobody reads.
    pub(crate) fn line(&mut self, line: String) -> Result<(), Closed> {
        match self.lines.try_send(line) {
            Ok(()) => Ok(()),
            Err(TrySendError::Full(_)) => {
                self.left_out += 1;
                Ok(())
            }
            Err(TrySendError::Disconnected(_)) => Err(Closed),
        }
    }

    /// Adds the last line, for which room is made if the reader allows it.
    ///
    /// # Errors
    /// When nobody reads.
    pub(crate) fn last(&self, mut line: String) -> Result<(), Closed> {
        let end = std::time::Instant::now() + PATIENCE;
        loop {
            line = match self.lines.try_send(line) {
                Ok(()) => return Ok(()),
                Err(TrySendError::Full(line)) if std::time::Instant::now() < end => line,
                Err(_) => return Err(Closed),
            };
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// Waits until all is written, though not for ever. Returns how many lines were left out.
    pub(crate) fn finish(self) -> u64 {
        drop(self.lines);
        // Nothing is ever sent: it ends with a disconnection or not in time.
        let (Ok(()) | Err(RecvTimeoutError::Disconnected | RecvTimeoutError::Timeout)) =
            self.written.recv_timeout(PATIENCE);
        self.left_out
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
        assert!(sink.last("end".to_owned()).is_ok());
        let left_out = sink.finish();
        assert!(left_out >= 90, "{left_out}");
        let text = String::from_utf8(text.lock().unwrap().clone()).unwrap();
        assert!(
            text.starts_with("0\n1\n") && text.ends_with("\nend\n"),
            "{text}"
        );
        assert_eq!(text.lines().count() as u64, 100 - left_out + 1);
    }

    #[test]
    fn a_reader_that_is_gone_is_noticed() {
        struct Gone;
        impl Write for Gone {
            fn write(&mut self, _: &[u8]) -> io::Result<usize> {
                Err(io::ErrorKind::BrokenPipe.into())
            }

            fn flush(&mut self) -> io::Result<()> {
                Ok(())
            }
        }
        let mut sink = Sink::new(Gone, 4).unwrap();
        let end = std::time::Instant::now() + Duration::from_secs(30);
        while sink.line(String::new()).is_ok() {
            assert!(std::time::Instant::now() < end);
            std::thread::yield_now();
        }
        assert_eq!(sink.line(String::new()).err().map(|Closed| ()), Some(()));
    }
}
