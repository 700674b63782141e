//! Servers whose clocks are wrong on purpose, over raw TCP.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, SystemTime};

use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{AbortHandle, JoinSet};

use crate::clock::stamp::{Nanos, SECOND, nanos};

/// A server on a port of its own. Dropping it ends it.
pub(super) struct Server {
    address: SocketAddr,
    accepting: AbortHandle,
    asked: Arc<AtomicUsize>,
}

/// How long the network takes, in milliseconds: before the server reads its clock, and after.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Delays {
    pub(super) there: u64,
    pub(super) back: u64,
}

/// A request as the server sees it.
pub(super) struct Asked {
    /// How many came before it, on all connections.
    pub(super) before: usize,
    pub(super) method: String,
    pub(super) path: String,
    pub(super) accept: String,
}

type Script = dyn Fn(&Asked) -> Vec<u8> + Send + Sync;

impl Server {
    /// Answers with the bytes of `script`, and closes the connection when there are none or they say so.
    pub(super) async fn start(
        delays: Delays,
        script: impl Fn(&Asked) -> Vec<u8> + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let script: Arc<Script> = Arc::new(script);
        let asked = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&asked);
        let accepting = tokio::spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                let (script, count) = (Arc::clone(&script), Arc::clone(&count));
                // A client that goes away is no concern of the test.
                connections
                    .spawn(async move { drop(serve(stream, delays, &*script, &count).await) });
            }
        });
        Self {
            address,
            accepting: accepting.abort_handle(),
            asked,
        }
    }

    /// A server that has no time but in `Date`, with its clock `offset` ahead.
    pub(super) async fn with_date(delays: Delays, offset: Nanos) -> Self {
        Self::start(delays, move |asked| {
            asked.answer("404 Not Found", &date(offset), "no")
        })
        .await
    }

    /// spinfo's `/now`, with its clock `offset` ahead.
    pub(super) async fn with_stamps(delays: Delays, offset: Nanos) -> Self {
        Self::start(delays, move |asked| {
            asked.json(clock(offset), clock(offset))
        })
        .await
    }

    /// A time as a line of text, with its clock `offset` ahead.
    pub(super) async fn with_text(delays: Delays, offset: Nanos) -> Self {
        Self::start(delays, move |asked| {
            let time = jiff::Timestamp::from_nanosecond(clock(offset)).unwrap();
            asked.answer("200 OK", "", &format!("{time:.9}\n"))
        })
        .await
    }

    pub(super) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// How many requests there have been.
    pub(super) fn asked(&self) -> usize {
        self.asked.load(Ordering::Relaxed)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

impl Asked {
    /// A whole answer. `headers` end in CRLF each.
    pub(super) fn answer(&self, status: &str, headers: &str, body: &str) -> Vec<u8> {
        let length = body.len();
        let body = if self.method == "HEAD" { "" } else { body };
        format!("HTTP/1.1 {status}\r\n{headers}content-length: {length}\r\n\r\n{body}").into_bytes()
    }

    /// The two stamps in JSON.
    pub(super) fn json(&self, received: Nanos, transmitted: Nanos) -> Vec<u8> {
        let body = format!(r#"{{"received_ns":{received},"transmitted_ns":{transmitted}}}"#);
        self.answer("200 OK", "content-type: application/json\r\n", &body)
    }
}

/// A clock that is `offset` ahead of the machine's.
pub(super) fn clock(offset: Nanos) -> Nanos {
    nanos(
        SystemTime::now()
            .duration_since(SystemTime::UNIX_EPOCH)
            .unwrap(),
    ) + offset
}

/// The header `Date` of such a clock.
pub(super) fn date(offset: Nanos) -> String {
    let second = i64::try_from(clock(offset).div_euclid(SECOND)).unwrap();
    let time = jiff::Timestamp::from_second(second).unwrap();
    time.strftime("date: %a, %d %b %Y %H:%M:%S GMT\r\n")
        .to_string()
}

async fn serve(
    stream: TcpStream,
    delays: Delays,
    script: &Script,
    count: &AtomicUsize,
) -> std::io::Result<()> {
    let mut stream = BufReader::new(stream);
    loop {
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") {
            if stream.read_line(&mut head).await? == 0 {
                return Ok(());
            }
        }
        let mut words = head.split_whitespace();
        let mut word = || words.next().unwrap_or_default().to_owned();
        let accept = head.lines().find_map(|line| line.strip_prefix("accept: "));
        let asked = Asked {
            before: count.fetch_add(1, Ordering::Relaxed),
            method: word(),
            path: word(),
            accept: accept.unwrap_or_default().to_owned(),
        };
        tokio::time::sleep(Duration::from_millis(delays.there)).await;
        let answer = script(&asked);
        tokio::time::sleep(Duration::from_millis(delays.back)).await;
        stream.write_all(&answer).await?;
        if answer.is_empty()
            || answer
                .windows(17)
                .any(|bytes| bytes == b"connection: close")
        {
            return stream.shutdown().await;
        }
    }
}
