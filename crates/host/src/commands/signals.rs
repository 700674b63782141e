//! The signals that end the process or reload its application.

use std::sync::Arc;

use anyhow::Context as _;
use tokio::sync::Notify;

/// Completes with the first SIGTERM or SIGINT, or when the `terminal` is closed. The second ends the process at once.
pub(super) fn stop_signal(terminal: Arc<Notify>) -> anyhow::Result<impl Future<Output = ()>> {
    let mut signals = Signals::listen().context("cannot listen for signals")?;
    Ok(async move {
        let name = tokio::select! {
            name = signals.next() => name,
            () = terminal.notified() => "SIGHUP",
        };
        tracing::info!(
            signal = name,
            "stopping: finishing what is under way; a second signal ends at once"
        );
        tokio::spawn(async move {
            signals.next().await;
            std::process::exit(EXIT_INTERRUPTED);
        });
    })
}

/// Asks for a reload with each SIGHUP, from now on and until the future is dropped. Windows has no such signal.
///
/// A terminal that is closed sends the same signal to what runs in it, which is to end then: that notifies `terminal`.
pub(super) fn hangups(
    reload: Arc<Notify>,
    terminal: Arc<Notify>,
) -> anyhow::Result<impl Future<Output = ()> + Send + 'static> {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        let mut signals = signal(SignalKind::hangup()).context("cannot listen for SIGHUP")?;
        let terminals = terminals();
        Ok(async move {
            while signals.recv().await.is_some() {
                // A terminal that has hung up is none any more.
                if terminals == self::terminals() {
                    reload.notify_one();
                } else {
                    terminal.notify_one();
                }
            }
        })
    }
    #[cfg(not(unix))]
    {
        drop((reload, terminal));
        Ok(std::future::ready(()))
    }
}

/// Which of the standard streams are terminals.
#[cfg(unix)]
fn terminals() -> [bool; 3] {
    use std::io::IsTerminal as _;
    [
        std::io::stdin().is_terminal(),
        std::io::stdout().is_terminal(),
        std::io::stderr().is_terminal(),
    ]
}

/// 128 and the number of SIGINT, as shells have it.
const EXIT_INTERRUPTED: i32 = 130;

#[cfg(unix)]
struct Signals {
    terminate: tokio::signal::unix::Signal,
    interrupt: tokio::signal::unix::Signal,
}

#[cfg(unix)]
impl Signals {
    fn listen() -> std::io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
        })
    }

    async fn next(&mut self) -> &'static str {
        tokio::select! {
            _ = self.terminate.recv() => "SIGTERM",
            _ = self.interrupt.recv() => "SIGINT",
        }
    }
}

#[cfg(not(unix))]
struct Signals;

#[cfg(not(unix))]
impl Signals {
    fn listen() -> std::io::Result<Self> {
        Ok(Self)
    }

    async fn next(&mut self) -> &'static str {
        // Were it impossible to hear Ctrl-C, the system would end the process itself.
        let _ = tokio::signal::ctrl_c().await;
        "Ctrl-C"
    }
}
