//! Constant load: clients that each make a request at a fixed interval, whatever the last one took.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use http::Request;
use spinfo_tests::client::{Client, RUNTIME};
use spinfo_tests::deadline::PATIENCE;
use tokio::task::JoinHandle;
use tokio::time::{MissedTickBehavior, interval, timeout};

/// Together 100 requests a second, of which a host that isn't optimised can do several times as many beside the stack.
const CLIENTS: u32 = 10;
const INTERVAL: Duration = Duration::from_millis(100);

/// What the clients ask for, each in turn: with and without a key-value store.
const PATHS: [&str; 3] = ["/", "/status", "/now"];

/// Clients at work. They stop when it is dropped.
pub(crate) struct Load {
    stop: Arc<AtomicBool>,
    clients: Vec<JoinHandle<Result<Samples, String>>>,
}

/// When a request was made and how long it took.
type Samples = Vec<(Instant, Duration)>;

/// Times of requests.
pub(crate) struct Answers(Samples);

impl Load {
    /// Starts the clients.
    pub(crate) fn start(address: SocketAddr) -> Self {
        let stop = Arc::<AtomicBool>::default();
        let clients = (0..CLIENTS).map(|number| {
            let begin = INTERVAL * number / CLIENTS;
            RUNTIME.spawn(client(address, begin, stop.clone()))
        });
        Self {
            clients: clients.collect(),
            stop,
        }
    }

    /// Ends the load.
    ///
    /// # Panics
    /// When a request failed.
    pub(crate) fn stop(mut self) -> Answers {
        self.stop.store(true, Ordering::Relaxed);
        let mut all = Vec::new();
        for client in self.clients.drain(..) {
            let samples = RUNTIME.block_on(client).expect("clients don't panic");
            all.extend(samples.unwrap_or_else(|failure| panic!("a request failed: {failure}")));
        }
        Answers(all)
    }
}

impl Drop for Load {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
    }
}

async fn client(
    address: SocketAddr,
    begin: Duration,
    stop: Arc<AtomicBool>,
) -> Result<Samples, String> {
    let mut client = Client::open(address)
        .await
        .map_err(|error| error.to_string())?;
    let mut samples = Vec::new();
    let mut ticks = interval(INTERVAL);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    ticks.reset_after(begin);
    for path in PATHS.into_iter().cycle() {
        ticks.tick().await;
        if stop.load(Ordering::Relaxed) {
            break;
        }
        let request = Request::get(path)
            .body(Vec::new())
            .map_err(|error| error.to_string())?;
        let begun = Instant::now();
        let answer = timeout(PATIENCE, client.exchange(request)).await;
        let answer = answer.map_err(|_| format!("{path}: no answer"))?;
        let answer = answer.map_err(|error| format!("{path}: {error}"))?;
        if answer.status != 200 {
            return Err(format!("{path}: {answer:?}"));
        }
        samples.push((begun, begun.elapsed()));
    }
    Ok(samples)
}

impl Answers {
    /// How many there are.
    pub(crate) fn count(&self) -> usize {
        self.0.len()
    }

    /// The median and the 99th percentile of the requests made between two moments.
    ///
    /// # Panics
    /// When there are none.
    pub(crate) fn quantiles(&self, from: Instant, to: Instant) -> (Duration, Duration) {
        let between = self
            .0
            .iter()
            .filter(|(begun, _)| (from..to).contains(begun));
        let mut times: Vec<_> = between.map(|(_, took)| *took).collect();
        assert!(!times.is_empty(), "there was load all the time");
        times.sort();
        let at = |share: usize| times[(times.len() * share / 100).min(times.len() - 1)];
        (at(50), at(99))
    }
}
