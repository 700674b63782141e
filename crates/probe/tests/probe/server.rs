//! Servers that do as they are told.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

use rustls::{ServerConfig, ServerConnection, StreamOwned};

/// What is done with a request.
pub(crate) enum Reply {
    /// These bytes, and the connection stays open.
    Send(Vec<u8>),
    /// These bytes, and the connection is closed.
    Last(Vec<u8>),
    /// These bytes, and then nothing until the client goes.
    Hang(Vec<u8>),
}

/// One request as it came.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) head: String,
    /// How many came before it, on all connections.
    pub(crate) index: usize,
}

impl Request {
    /// The value of a header; names are in lower case.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let mut lines = self
            .head
            .lines()
            .skip(1)
            .filter_map(|line| line.split_once(':'));
        lines
            .find(|(found, _)| found.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.trim())
    }
}

/// A server on a port of its own. Dropping it closes the port.
pub(crate) struct Server {
    address: SocketAddr,
    scheme: &'static str,
    requests: Arc<Mutex<Vec<Request>>>,
    stop: Arc<AtomicBool>,
    accepting: Option<JoinHandle<()>>,
}

impl Server {
    /// Answers each request as `reply` says.
    pub(crate) fn start(reply: impl Fn(&Request) -> Reply + Send + Sync + 'static) -> Self {
        Self::serve("http", None, reply)
    }

    /// The same behind TLS.
    pub(crate) fn start_with_tls(
        config: ServerConfig,
        reply: impl Fn(&Request) -> Reply + Send + Sync + 'static,
    ) -> Self {
        Self::serve("https", Some(Arc::new(config)), reply)
    }

    /// Does with each connection what `handle` does, after its first byte was read.
    pub(crate) fn raw(handle: impl Fn(TcpStream) + Send + Sync + 'static) -> Self {
        Self::accept("http", Arc::default(), move |mut stream, _| {
            if stream.read_exact(&mut [0]).is_ok() {
                handle(stream);
            }
        })
    }

    fn serve(
        scheme: &'static str,
        tls: Option<Arc<ServerConfig>>,
        reply: impl Fn(&Request) -> Reply + Send + Sync + 'static,
    ) -> Self {
        let counter = AtomicUsize::new(0);
        Self::accept(scheme, Arc::default(), move |stream, requests| {
            let respond = |mut request: Request| {
                request.index = counter.fetch_add(1, Ordering::SeqCst);
                let reply = reply(&request);
                requests.lock().unwrap().push(request);
                reply
            };
            match &tls {
                None => converse(stream, respond),
                Some(config) => {
                    let session =
                        ServerConnection::new(config.clone()).expect("a good configuration");
                    converse(StreamOwned::new(session, stream), respond);
                }
            }
        })
    }

    fn accept(
        scheme: &'static str,
        requests: Arc<Mutex<Vec<Request>>>,
        handle: impl Fn(TcpStream, &Mutex<Vec<Request>>) + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("it is bound");
        let stop = Arc::new(AtomicBool::new(false));
        let (stopped, handle, seen) = (stop.clone(), Arc::new(handle), requests.clone());
        let accepting = std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                if stopped.load(Ordering::SeqCst) {
                    return;
                }
                // Small answers go out at once, or the clock would seem slow.
                stream.set_nodelay(true).expect("a socket");
                let (handle, seen) = (handle.clone(), seen.clone());
                // Ends when the client has gone, which a test waits for.
                std::thread::spawn(move || handle(stream, &seen));
            }
        });
        Self {
            address,
            scheme,
            requests,
            stop,
            accepting: Some(accepting),
        }
    }

    /// The URL of a path.
    pub(crate) fn url(&self, path: &str) -> String {
        format!("{}://{}{path}", self.scheme, self.address)
    }

    /// The same by another name.
    pub(crate) fn url_of(&self, host: &str, path: &str) -> String {
        format!("{}://{host}:{}{path}", self.scheme, self.address.port())
    }

    pub(crate) fn port(&self) -> u16 {
        self.address.port()
    }

    /// All requests so far.
    pub(crate) fn requests(&self) -> Vec<Request> {
        self.requests.lock().unwrap().clone()
    }

    /// The paths of all requests so far.
    pub(crate) fn paths(&self) -> Vec<String> {
        self.requests()
            .into_iter()
            .map(|request| request.path)
            .collect()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::SeqCst);
        // Wakes accept().
        let _ = TcpStream::connect(self.address);
        if let Some(accepting) = self.accepting.take() {
            let _ = accepting.join();
        }
    }
}

fn converse<S: Read + Write>(mut stream: S, mut respond: impl FnMut(Request) -> Reply) {
    while let Some(request) = read(&mut stream) {
        let head_only = request.method == "HEAD";
        let (mut bytes, goes_on) = match respond(request) {
            Reply::Send(bytes) => (bytes, Some(true)),
            Reply::Last(bytes) => (bytes, None),
            Reply::Hang(bytes) => (bytes, Some(false)),
        };
        if head_only && let Some(end) = bytes.windows(4).position(|end| end == b"\r\n\r\n") {
            bytes.truncate(end + 4);
        }
        if stream
            .write_all(&bytes)
            .and_then(|()| stream.flush())
            .is_err()
        {
            return;
        }
        match goes_on {
            None => return,
            Some(true) => {}
            Some(false) => {
                // Until the client has had enough.
                while stream.read(&mut [0; 64]).is_ok_and(|read| read > 0) {}
                return;
            }
        }
    }
}

/// The head of the next request; the program's have no body.
fn read(stream: &mut impl Read) -> Option<Request> {
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") {
        if stream.read(&mut byte).ok()? == 0 {
            return None;
        }
        head.push(byte[0]);
    }
    let head = String::from_utf8(head).ok()?;
    let mut line = head.split(' ').map(str::to_owned);
    Some(Request {
        method: line.next()?,
        path: line.next()?,
        index: 0,
        head,
    })
}

/// An answer with these header lines and this body.
pub(crate) fn answer(status: &str, headers: &[&str], body: &str) -> Vec<u8> {
    let mut text = format!("HTTP/1.1 {status}\r\ncontent-length: {}\r\n", body.len());
    for header in headers {
        text.push_str(header);
        text.push_str("\r\n");
    }
    text.push_str("\r\n");
    text.push_str(body);
    text.into_bytes()
}

/// A server that says it is well.
pub(crate) fn well(_: &Request) -> Reply {
    Reply::Send(answer("200 OK", &[], "well\n"))
}
