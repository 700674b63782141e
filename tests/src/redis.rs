//! A real Redis, or a Valkey that is called so.

use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};

use tempfile::TempDir;

use crate::deadline;

/// A server on a free port, which writes all that it acknowledges to a file. It is killed when it is dropped.
pub struct Redis {
    process: Child,
    address: SocketAddr,
    folder: TempDir,
}

impl Redis {
    /// Starts one with nothing in it.
    ///
    /// # Panics
    /// When there is no redis-server.
    pub fn start() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder can be made");
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("there is a free port");
        let address = listener.local_addr().expect("a listener has an address");
        drop(listener);
        let process = spawn(address, &folder);
        Self {
            process,
            address,
            folder,
        }
    }

    /// Its URL.
    pub fn url(&self) -> String {
        format!("redis://{}", self.address)
    }

    /// Ends it as a crash would.
    pub fn kill(&mut self) {
        // It may have ended already.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }

    /// Starts it again, with what it had written.
    pub fn restart(&mut self) {
        self.kill();
        self.process = spawn(self.address, &self.folder);
    }
}

impl Drop for Redis {
    fn drop(&mut self) {
        self.kill();
    }
}

fn spawn(address: SocketAddr, folder: &TempDir) -> Child {
    let process = Command::new("redis-server")
        .args(["--bind", "127.0.0.1", "--port", &address.port().to_string()])
        // What compose.yaml has, but no acknowledgement before the disk has it.
        .args(["--save", "", "--appendonly", "yes", "--appendfsync", "always"])
        .current_dir(folder.path())
        .stdout(Stdio::null())
        .spawn()
        .expect("redis-server is not on PATH; install it (Debian: apt-get install redis-server) or a Valkey that is called so");
    deadline::until("redis to listen", || TcpStream::connect(address).ok());
    process
}
