//! Servers that do what a script says, on a port of their own, until they are dropped.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{JoinHandle, JoinSet};

/// A listener whose every connection is handed to a script.
pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    heard: Heard,
    accepting: JoinHandle<()>,
}

/// What the connections have said, one text for each read head.
#[derive(Clone, Default)]
pub(crate) struct Heard(Arc<Mutex<Vec<String>>>);

impl Heard {
    fn add(&self, head: String) {
        self.0.lock().unwrap().push(head);
    }
}

/// One connection, and which one it is.
pub(crate) struct Visit {
    pub(crate) stream: TcpStream,
    /// 0 for the first.
    pub(crate) number: usize,
    heard: Heard,
}

impl Visit {
    /// Reads the head of a request; empty when the client has gone.
    pub(crate) async fn head(&mut self) -> String {
        let head = read_head(&mut self.stream).await;
        self.heard.add(head.clone());
        head
    }

    /// Reads the head of a request and answers with these bytes.
    pub(crate) async fn answer(&mut self, bytes: &str) {
        self.head().await;
        self.say(bytes).await;
    }

    pub(crate) async fn say(&mut self, bytes: &str) {
        // The client may have enough already, as of a body without an end.
        let _ = self.stream.write_all(bytes.as_bytes()).await;
    }

    /// Ends the connection with a RST packet.
    pub(crate) fn reset(self) {
        self.stream.set_zero_linger().unwrap();
    }

    /// Keeps the connection open and says nothing more, until the client goes.
    pub(crate) async fn silence(mut self) {
        let mut buffer = [0; 1024];
        while self
            .stream
            .read(&mut buffer)
            .await
            .is_ok_and(|count| count > 0)
        {}
    }
}

impl Server {
    /// Runs `script` for every connection.
    pub(crate) async fn start<F, S>(script: F) -> Self
    where
        F: Fn(Visit) -> S + Send + 'static,
        S: Future<Output = ()> + Send + 'static,
    {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let heard = Heard::default();
        let hearing = heard.clone();
        let accepting = tokio::spawn(async move {
            let mut visits = JoinSet::new();
            for number in 0.. {
                let (stream, _) = listener.accept().await.unwrap();
                visits.spawn(script(Visit {
                    stream,
                    number,
                    heard: hearing.clone(),
                }));
            }
        });
        Self {
            address,
            heard,
            accepting,
        }
    }

    /// Answers every connection's first request with these bytes, and closes.
    pub(crate) async fn answering(bytes: &'static str) -> Self {
        Self::start(move |mut visit| async move { visit.answer(bytes).await }).await
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    pub(crate) fn port(&self) -> u16 {
        self.address.port()
    }

    /// The heads of the requests so far.
    pub(crate) fn heard(&self) -> Vec<String> {
        self.heard.0.lock().unwrap().clone()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

/// Reads until the empty line that ends a head; what there is when the stream ends before.
pub(crate) async fn read_head(stream: &mut (impl AsyncRead + Unpin)) -> String {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        match stream.read_u8().await {
            Ok(byte) => head.push(byte),
            Err(_) => break,
        }
    }
    String::from_utf8(head).unwrap()
}
