//! `spinfo health`: one question to a server, for images that have no other program to ask it.

use std::time::Duration;

use anyhow::{Context as _, bail, ensure};
use bytes::Bytes;
use http::Uri;
use http::uri::Scheme;
use http_body_util::{BodyExt as _, Empty, Limited};
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;

use super::say;
use super::signals::Signals;
use crate::cli::Health;

/// As much of an answer as an error message repeats, in bytes.
const SHOWN: usize = 1024;

/// Asks once, or until a signal.
///
/// # Errors
/// When the URL can't be asked. When it is asked once: when there is no answer in time, or its status is not one of success.
pub(crate) fn run(health: &Health) -> anyhow::Result<()> {
    let url = &health.url;
    ensure!(
        url.scheme() == Some(&Scheme::HTTP) && url.host().is_some(),
        "`{url}` can't be asked: write a URL such as http://127.0.0.1:9797/readyz"
    );
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(async {
        match health.every {
            Some(pause) => watch(url, health.timeout, pause).await,
            None => ask(url, health.timeout).await,
        }
    })
}

/// Goes on asking, and says what has changed.
async fn watch(url: &Uri, timeout: Duration, pause: Duration) -> anyhow::Result<()> {
    let mut signals = Signals::listen().context("cannot listen for signals")?;
    let mut last = None;
    loop {
        let verdict = match ask(url, timeout).await {
            Ok(()) => "healthy".to_owned(),
            Err(error) => format!("unhealthy: {error:#}"),
        };
        if last.as_ref() != Some(&verdict) {
            say(format_args!("{verdict}"));
            last = Some(verdict);
        }
        tokio::select! {
            () = tokio::time::sleep(pause) => {}
            _ = signals.next() => return Ok(()),
        }
    }
}

async fn ask(url: &Uri, timeout: Duration) -> anyhow::Result<()> {
    match tokio::time::timeout(timeout, get(url)).await {
        Ok(answer) => answer,
        Err(_) => bail!(
            "{url}: no answer within {}",
            humantime::format_duration(timeout)
        ),
    }
}

async fn get(url: &Uri) -> anyhow::Result<()> {
    // A new connection each time: a name is looked up again, and a server that takes no more is noticed.
    let client: Client<_, Empty<Bytes>> = Client::builder(TokioExecutor::new()).build_http();
    let answer = client
        .get(url.clone())
        .await
        .with_context(|| url.to_string())?;
    let status = answer.status();
    if status.is_success() {
        return Ok(());
    }
    let body = Limited::new(answer.into_body(), SHOWN).collect().await;
    let body = body.map(|body| body.to_bytes()).unwrap_or_default();
    bail!("{url}: {status}: {}", String::from_utf8_lossy(&body).trim())
}
