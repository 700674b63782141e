//! The signals that stop a program.

use std::io;

use crate::exit;

/// SIGTERM and SIGINT, for some programs SIGHUP too. Elsewhere than on Unix, Ctrl-C.
pub struct Signals {
    #[cfg(unix)]
    terminate: tokio::signal::unix::Signal,
    #[cfg(unix)]
    interrupt: tokio::signal::unix::Signal,
    #[cfg(unix)]
    hangup: Option<tokio::signal::unix::Signal>,
}

#[cfg(unix)]
impl Signals {
    /// Listens for SIGTERM and SIGINT from now on. Needs a runtime.
    ///
    /// # Errors
    /// The system's.
    pub fn listen() -> io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
            hangup: None,
        })
    }

    /// Listens for SIGHUP too, unless the process was told to ignore it, as `nohup` does.
    ///
    /// # Errors
    /// The system's.
    pub fn listen_with_hangup() -> io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        // Before it is listened for: that is a change of what the process does with it.
        let ignored = std::fs::read_to_string("/proc/self/status")
            .is_ok_and(|status| ignores_hangup(&status));
        let mut signals = Self::listen()?;
        if !ignored {
            signals.hangup = Some(signal(SignalKind::hangup())?);
        }
        Ok(signals)
    }

    /// The name of the next signal.
    pub async fn next(&mut self) -> &'static str {
        let hangup = async {
            match &mut self.hangup {
                Some(hangup) => hangup.recv().await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            _ = self.terminate.recv() => "SIGTERM",
            _ = self.interrupt.recv() => "SIGINT",
            _ = hangup => "SIGHUP",
        }
    }
}

#[cfg(not(unix))]
impl Signals {
    /// Listens for Ctrl-C.
    ///
    /// # Errors
    /// None here.
    pub fn listen() -> io::Result<Self> {
        Ok(Self {})
    }

    /// There is no SIGHUP here.
    ///
    /// # Errors
    /// None here.
    pub fn listen_with_hangup() -> io::Result<Self> {
        Self::listen()
    }

    /// The name of the next signal.
    pub async fn next(&mut self) -> &'static str {
        // Were it impossible to hear Ctrl-C, the system would end the process itself.
        let _ = tokio::signal::ctrl_c().await;
        "Ctrl-C"
    }
}

impl Signals {
    /// Waits for the first signal and logs it. From then on a second one ends the process at once.
    pub async fn stop(self) -> &'static str {
        self.stop_or(std::future::pending()).await
    }

    /// Waits for the first signal, or for `other` to be as good as one, whose name it gives.
    pub async fn stop_or(mut self, other: impl Future<Output = &'static str>) -> &'static str {
        let signal = tokio::select! {
            signal = self.next() => signal,
            signal = other => signal,
        };
        tracing::info!(
            signal,
            "stopping: finishing what is under way; a second signal ends at once"
        );
        self.exit_on_next();
        signal
    }

    /// From now on the next signal ends the process at once, with [`exit::INTERRUPTED`].
    pub fn exit_on_next(mut self) {
        tokio::spawn(async move {
            self.next().await;
            std::process::exit(exit::INTERRUPTED.into());
        });
    }
}

/// Reads `SigIgn`, in which the lowest bit is SIGHUP (proc_pid_status(5)). Where there is no such file nothing is known to be ignored.
#[cfg(unix)]
fn ignores_hangup(status: &str) -> bool {
    let mask = status
        .lines()
        .find_map(|line| line.strip_prefix("SigIgn:"))
        .and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
    mask.is_some_and(|mask| mask & 1 == 1)
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn nohup_is_seen() {
        assert!(ignores_hangup(
            "Name:\tx\nSigIgn:\t0000000000001001\nSigCgt:\t0000000000000000\n"
        ));
        assert!(!ignores_hangup(
            "SigIgn:\t0000000000001000\nSigCgt:\t0000000000000001\n"
        ));
        assert!(!ignores_hangup(""));
    }
}
