//! Constant load: a request every few milliseconds, whatever became of those before it.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use rustls::ClientConfig;
use spinfo_proof::edge::Edge;
use spinfo_tests::client::RUNTIME;
use spinfo_tests::deadline::PATIENCE;
use spinfo_tests::{Client, deadline};
use tokio::sync::Semaphore;
use tokio::task::JoinHandle;
use tokio::time::timeout;

use crate::mix::{Kind, Versions};

/// Requests a second.
pub(crate) const RATE: u32 = 500;

/// Requests under way at most. A machine that is too slow for the rate is not asked for more and more.
const IN_FLIGHT: usize = 400;

/// What could not be sent for so long is left out, and missing in the rate that is reported.
const LATE: Duration = Duration::from_secs(1);

/// What became of a request.
#[derive(Clone, Debug)]
pub(crate) struct Sample {
    pub(crate) number: u64,
    pub(crate) phase: usize,
    /// When it was to be sent.
    pub(crate) due: Instant,
    /// From then to the last byte of the answer.
    pub(crate) took: Duration,
    /// Whether its connection had been used before.
    pub(crate) kept: bool,
    pub(crate) failure: Option<String>,
}

impl Sample {
    pub(crate) fn kind(&self) -> Kind {
        Kind::of(self.number)
    }
}

/// Clients at work. They stop when it is dropped.
pub(crate) struct Load {
    clients: Arc<Clients>,
    driver: Option<JoinHandle<()>>,
}

struct Clients {
    edge: SocketAddr,
    /// For HTTP/2 and for HTTP/1.1.
    trusting: [Arc<ClientConfig>; 2],
    /// Connections that nobody uses, of each protocol. Those that have waited longest are used next.
    kept: [Mutex<VecDeque<Client>>; 2],
    phase: AtomicUsize,
    /// [`Versions`] whose greetings are good answers.
    versions: AtomicU64,
    samples: Mutex<Vec<Sample>>,
    over: AtomicBool,
}

impl Load {
    /// Starts the clients.
    pub(crate) fn start(edge: &Edge, versions: Versions) -> Self {
        let clients = Arc::new(Clients {
            edge: edge.https,
            trusting: [edge.trusting(&["h2"]), edge.trusting(&["http/1.1"])],
            kept: Default::default(),
            phase: AtomicUsize::new(0),
            versions: AtomicU64::new(versions.0),
            samples: Mutex::default(),
            over: AtomicBool::new(false),
        });
        let driver = RUNTIME.spawn(drive(clients.clone()));
        Self {
            clients,
            driver: Some(driver),
        }
    }

    /// Requests from now on belong to this phase.
    pub(crate) fn enter(&self, phase: usize) {
        self.clients.phase.store(phase, Ordering::SeqCst);
    }

    /// Requests from now on may be answered by these versions and no others; those under way also by the ones before.
    pub(crate) fn expect(&self, versions: Versions) {
        self.clients.versions.store(versions.0, Ordering::SeqCst);
    }

    /// Waits until so many more requests have been answered, well or not.
    pub(crate) fn go_on_for(&self, requests: usize) {
        let count = || self.clients.samples().len();
        let enough = count() + requests;
        deadline::until("requests to be answered", || {
            (count() >= enough).then_some(())
        });
    }

    /// Sends nothing more, and waits for what is under way.
    pub(crate) fn stop(mut self) -> Vec<Sample> {
        self.clients.over.store(true, Ordering::SeqCst);
        if let Some(driver) = self.driver.take() {
            RUNTIME.block_on(driver).expect("clients don't panic");
        }
        std::mem::take(&mut self.clients.samples())
    }
}

impl Drop for Load {
    fn drop(&mut self) {
        self.clients.over.store(true, Ordering::SeqCst);
    }
}

async fn drive(clients: Arc<Clients>) {
    let in_flight = Arc::new(Semaphore::new(IN_FLIGHT));
    let mut due = Instant::now();
    for number in 0.. {
        if clients.over.load(Ordering::SeqCst) {
            break;
        }
        due += Duration::from_secs(1) / RATE;
        tokio::time::sleep_until(due.into()).await;
        let Ok(permit) = in_flight.clone().acquire_owned().await else {
            break;
        };
        let now = Instant::now();
        if now > due + LATE {
            due = now;
        }
        let clients = clients.clone();
        tokio::spawn(async move {
            clients.ask(number, due).await;
            drop(permit);
        });
    }
    let all = u32::try_from(IN_FLIGHT).expect("it is small");
    // It fails only when the semaphore is closed, which it never is.
    let _ = in_flight.acquire_many(all).await;
}

impl Clients {
    fn samples(&self) -> std::sync::MutexGuard<'_, Vec<Sample>> {
        self.samples.lock().expect("nothing panics with the lock")
    }

    async fn ask(&self, number: u64, due: Instant) {
        let phase = self.phase.load(Ordering::SeqCst);
        let kept = number.is_multiple_of(2);
        let asked = timeout(PATIENCE, self.exchange(number, kept)).await;
        let sample = Sample {
            number,
            phase,
            due,
            took: due.elapsed(),
            kept,
            failure: match asked {
                Ok(asked) => asked.err(),
                Err(_) => Some(format!("no answer within {PATIENCE:?}")),
            },
        };
        self.samples().push(sample);
    }

    async fn exchange(&self, number: u64, keep: bool) -> Result<(), String> {
        let kind = Kind::of(number);
        let protocol = usize::from(number / 2 % 2 == 1);
        let pool = || {
            self.kept[protocol]
                .lock()
                .expect("nothing panics with the lock")
        };
        let waiting = keep.then(|| pool().pop_front()).flatten();
        let mut client = match waiting {
            Some(client) => client,
            None => {
                let opened = Client::open_tls_as(self.edge, "localhost", &self.trusting[protocol]);
                let (client, _) = opened.await.map_err(|error| format!("connect: {error}"))?;
                client
            }
        };
        let before = self.versions.load(Ordering::SeqCst);
        let answer = client.exchange(kind.request(number)).await;
        let answer = answer.map_err(|error| error.to_string())?;
        let after = self.versions.load(Ordering::SeqCst);
        kind.check(&answer, Versions(before | after))?;
        if keep {
            pool().push_back(client);
        }
        Ok(())
    }
}
