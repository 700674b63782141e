//! A replica that is ready and misbehaves.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;

/// What it does with a request, after it has read it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Conduct {
    /// Closes the connection without an answer.
    BreaksOff,
    /// Says nothing until it is dropped.
    Hangs,
}

/// Listens until it is dropped.
pub struct Fake {
    state: Arc<State>,
    listeners: [SocketAddr; 2],
}

#[derive(Default)]
struct State {
    requests: AtomicUsize,
    over: AtomicBool,
    held: Mutex<Vec<TcpStream>>,
}

impl Fake {
    /// Serves the application at the first address, and readiness, which it always claims, at the second.
    pub fn start(application: SocketAddr, admin: SocketAddr, conduct: Conduct) -> Self {
        let state = Arc::new(State::default());
        for (address, conduct) in [(application, Some(conduct)), (admin, None)] {
            let listener = TcpListener::bind(address).expect("the replica's port is free");
            let state = state.clone();
            thread::spawn(move || state.serve(&listener, conduct));
        }
        Self {
            state,
            listeners: [application, admin],
        }
    }

    /// Requests for the application so far.
    pub fn requests(&self) -> usize {
        self.state.requests.load(Ordering::SeqCst)
    }
}

impl State {
    fn serve(self: Arc<Self>, listener: &TcpListener, conduct: Option<Conduct>) {
        for stream in listener.incoming().map_while(Result::ok) {
            if self.over.load(Ordering::SeqCst) {
                return;
            }
            let state = self.clone();
            thread::spawn(move || {
                // A client may go away at any time.
                let _ = state.answer(stream, conduct);
            });
        }
    }

    fn answer(&self, stream: TcpStream, conduct: Option<Conduct>) -> std::io::Result<()> {
        let mut reader = BufReader::new(stream.try_clone()?);
        let mut length = 0;
        loop {
            let mut line = String::new();
            if reader.read_line(&mut line)? == 0 {
                return Ok(());
            }
            if line == "\r\n" {
                break;
            }
            if let Some((name, value)) = line.split_once(':')
                && name.eq_ignore_ascii_case("content-length")
            {
                length = value.trim().parse().unwrap_or(0);
            }
        }
        std::io::copy(&mut reader.take(length), &mut std::io::sink())?;
        if conduct.is_some() {
            self.requests.fetch_add(1, Ordering::SeqCst);
        }
        match conduct {
            None => (&stream)
                .write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"),
            Some(Conduct::BreaksOff) => Ok(()),
            Some(Conduct::Hangs) => {
                let mut held = self.held.lock().expect("nothing panics with the lock");
                held.push(stream);
                Ok(())
            }
        }
    }
}

impl Drop for Fake {
    fn drop(&mut self) {
        self.state.over.store(true, Ordering::SeqCst);
        if let Ok(mut held) = self.state.held.lock() {
            held.clear();
        }
        for address in self.listeners {
            // Wakes the thread that waits for a connection.
            let _ = TcpStream::connect(address);
        }
    }
}
