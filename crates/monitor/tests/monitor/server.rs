//! A server that answers by a script, byte by byte.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

/// A request, as it came.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    /// How many connections came before its own.
    pub(crate) connection: usize,
    pub(crate) method: String,
    pub(crate) path: String,
    /// Names in lower case.
    pub(crate) headers: Vec<(String, String)>,
}

impl Request {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let mut found = self.headers.iter().filter(|(known, _)| known == name);
        let value = found.next().map(|(_, value)| value.as_str());
        assert!(found.next().is_none(), "{name} comes twice");
        value
    }
}

/// What the server does about a request.
pub(crate) enum Reply {
    /// Sends these bytes and keeps the connection.
    Bytes(Vec<u8>),
    /// Sends these bytes and closes the connection.
    Last(Vec<u8>),
    /// Waits first.
    After(Duration, Box<Reply>),
    /// Never answers, until the test ends.
    Silence,
}

/// A whole answer.
pub(crate) fn answer(status: u16, body: &str) -> Reply {
    Reply::Bytes(
        format!(
            "HTTP/1.1 {status} X\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        )
        .into_bytes(),
    )
}

/// A server on a port of its own. Dropping it closes the port and ends what it does.
pub(crate) struct Server {
    address: SocketAddr,
    shared: Arc<Shared>,
}

struct Shared {
    requests: Mutex<Vec<Request>>,
    arrived: Condvar,
    under_way: AtomicUsize,
    most_under_way: AtomicUsize,
    over: AtomicBool,
}

impl Server {
    pub(crate) fn start(script: impl Fn(&Request) -> Reply + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("there is a free port");
        let address = listener
            .local_addr()
            .expect("a bound listener has an address");
        let shared = Arc::new(Shared {
            requests: Mutex::default(),
            arrived: Condvar::new(),
            under_way: AtomicUsize::new(0),
            most_under_way: AtomicUsize::new(0),
            over: AtomicBool::new(false),
        });
        let (script, serving) = (Arc::new(script), shared.clone());
        std::thread::spawn(move || {
            for (connection, stream) in listener.incoming().enumerate() {
                if serving.over.load(Ordering::Relaxed) {
                    return;
                }
                let Ok(stream) = stream else { continue };
                let (script, serving) = (script.clone(), serving.clone());
                std::thread::spawn(move || serve(&stream, connection, &*script, &serving));
            }
        });
        Self { address, shared }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    pub(crate) fn port(&self) -> u16 {
        self.address.port()
    }

    /// All requests so far.
    pub(crate) fn requests(&self) -> Vec<Request> {
        self.shared.requests.lock().unwrap().clone()
    }

    /// Waits until so many requests have come.
    pub(crate) fn wait_for_requests(&self, count: usize) {
        let requests = self.shared.requests.lock().unwrap();
        let few = |requests: &mut Vec<Request>| requests.len() < count;
        let waited = self
            .shared
            .arrived
            .wait_timeout_while(requests, crate::program::PATIENCE, few)
            .unwrap();
        assert!(
            !waited.1.timed_out(),
            "there are only {} requests",
            waited.0.len()
        );
    }

    /// The most requests that were under way at one time.
    pub(crate) fn most_under_way(&self) -> usize {
        self.shared.most_under_way.load(Ordering::SeqCst)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.shared.over.store(true, Ordering::Relaxed);
        // Wakes up the thread that accepts.
        let _ = TcpStream::connect(self.address);
    }
}

fn serve(
    stream: &TcpStream,
    connection: usize,
    script: &dyn Fn(&Request) -> Reply,
    shared: &Shared,
) {
    let mut reader = BufReader::new(stream);
    while let Some(request) = read(&mut reader, connection) {
        let under_way = shared.under_way.fetch_add(1, Ordering::SeqCst) + 1;
        shared.most_under_way.fetch_max(under_way, Ordering::SeqCst);
        shared.requests.lock().unwrap().push(request.clone());
        shared.arrived.notify_all();
        let goes_on = carry_out(script(&request), stream, shared);
        shared.under_way.fetch_sub(1, Ordering::SeqCst);
        if !goes_on {
            return;
        }
    }
}

/// Whether the connection goes on.
fn carry_out(reply: Reply, mut stream: &TcpStream, shared: &Shared) -> bool {
    match reply {
        Reply::Bytes(bytes) => stream.write_all(&bytes).is_ok(),
        Reply::Last(bytes) => {
            // The client may have gone already.
            let _ = stream.write_all(&bytes);
            false
        }
        Reply::After(time, reply) => {
            std::thread::sleep(time);
            carry_out(*reply, stream, shared)
        }
        Reply::Silence => {
            while !shared.over.load(Ordering::Relaxed) {
                std::thread::sleep(Duration::from_millis(5));
            }
            false
        }
    }
}

/// Requests of this program have no bodies.
fn read(reader: &mut BufReader<&TcpStream>, connection: usize) -> Option<Request> {
    let mut lines = Vec::new();
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).ok()? == 0 {
            return None;
        }
        match line.trim_end() {
            "" => break,
            line => lines.push(line.to_owned()),
        }
    }
    let mut words = lines.first()?.split(' ');
    let (method, path) = (words.next()?.to_owned(), words.next()?.to_owned());
    let headers = lines[1..].iter().filter_map(|line| line.split_once(": "));
    let headers = headers.map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()));
    Some(Request {
        connection,
        method,
        path,
        headers: headers.collect(),
    })
}
