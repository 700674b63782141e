//! The signals that end the process or reload its application.

use std::sync::Arc;

use anyhow::Context as _;
use spinfo_program::signals::Signals;
use tokio::sync::Notify;

/// Completes with the first SIGTERM or SIGINT, or when the `terminal` is closed. The second ends the process at once.
pub(super) fn stop_signal(terminal: Arc<Notify>) -> anyhow::Result<impl Future<Output = ()>> {
    let signals = Signals::listen().context("cannot listen for signals")?;
    let closed = async move {
        terminal.notified().await;
        "SIGHUP"
    };
    Ok(async move {
        signals.stop_or(closed).await;
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
                // Once it has hung up, it no longer counts as a terminal.
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
