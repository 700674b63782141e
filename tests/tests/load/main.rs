//! Two hundred clients at once on all routes: nothing fails but what was asked to, and memory stays flat.
//!
//! A program of its own, so that no other test runs beside it.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use http::{Request, StatusCode};
use spinfo_tests::{Client, Host, Up, client::RUNTIME};
use tokio::task::JoinSet;
use tokio::time::Instant;

const CLIENTS: usize = 200;
/// How long they go on in all.
const DURATION: Duration = Duration::from_secs(10);
/// Growth of the memory after the warm-up that is no leak: allocators keep some, and queues fill.
const GROWTH: u64 = 32 << 20;

/// Method, path, body and status of the requests, which each client sends in turn. `None` is a status that depends on the others.
fn requests() -> Vec<(Request<Vec<u8>>, Option<u16>)> {
    let form = "--b\r\nContent-Disposition: form-data; name=\"new_file\"; filename=\"a\"\r\n\r\nsome words to count\n\r\n--b--\r\n";
    let request = |method: &str, path: &str| Request::builder().method(method).uri(path);
    let empty = |method: &str, path: &str| request(method, path).body(Vec::new()).unwrap();
    let mut all = vec![
        (empty("GET", "/panic"), Some(500)),
        (empty("GET", "/status/500"), Some(500)),
        (empty("GET", "/delay/1"), Some(200)),
        (empty("GET", "/chunked/1"), Some(200)),
        (
            request("POST", "/echo").body(vec![b'a'; 10_000]).unwrap(),
            Some(202),
        ),
        (
            request("PUT", "/status")
                .header("content-type", "application/json")
                .body(b"{\"code\": 203}".to_vec())
                .unwrap(),
            Some(200),
        ),
        (empty("POST", "/status/change"), Some(200)),
        (empty("GET", "/status"), None),
        (empty("BREW", "/"), Some(405)),
        (empty("GET", "/nothing"), Some(404)),
    ];
    let upload =
        request("POST", "/file_upload").header("content-type", "multipart/form-data; boundary=b");
    all.push((upload.body(form.into()).unwrap(), Some(200)));
    for path in [
        "/",
        "/api/info",
        "/version",
        "/now",
        "/healthz",
        "/readyz",
        "/headers",
        "/status/204",
        "/.well-known/spin/health",
    ] {
        let status = if path.ends_with("204") { 204 } else { 200 };
        all.push((empty("GET", path), Some(status)));
    }
    all
}

#[derive(Default)]
struct Counts {
    answers: AtomicU64,
    panics: AtomicU64,
}

async fn client(
    address: SocketAddr,
    number: usize,
    stop: Arc<AtomicBool>,
    counts: Arc<Counts>,
) -> Result<(), String> {
    let requests = requests();
    let mut client = Client::open(address)
        .await
        .map_err(|error| format!("client {number}: {error}"))?;
    for (request, expected) in requests.iter().cycle().skip(number % requests.len()) {
        if stop.load(Ordering::Relaxed) {
            return Ok(());
        }
        let what = format!("client {number}, {} {}", request.method(), request.uri());
        let answer = client
            .exchange(request.clone())
            .await
            .map_err(|error| format!("{what}: {error}"))?;
        // The status in force is another client's doing.
        if expected.is_some_and(|expected| answer.status != expected) {
            return Err(format!("{what}: {} {:?}", answer.status, answer.body));
        }
        counts.answers.fetch_add(1, Ordering::Relaxed);
        if request.uri() == "/panic" {
            counts.panics.fetch_add(1, Ordering::Relaxed);
        }
    }
    Ok(())
}

/// All clients go on for `duration`.
fn load(host: &Host, duration: Duration) -> Arc<Counts> {
    let (stop, counts) = (Arc::<AtomicBool>::default(), Arc::<Counts>::default());
    let address = host.address;
    RUNTIME.block_on(async {
        let mut clients = JoinSet::new();
        for number in 0..CLIENTS {
            clients.spawn(client(address, number, stop.clone(), counts.clone()));
        }
        let end = tokio::time::sleep_until(Instant::now() + duration);
        tokio::pin!(end);
        loop {
            tokio::select! {
                () = &mut end, if !stop.load(Ordering::Relaxed) => stop.store(true, Ordering::Relaxed),
                ended = clients.join_next() => match ended {
                    Some(result) => result.unwrap().unwrap_or_else(|failure| panic!("{failure}")),
                    None => break,
                },
            }
        }
    });
    counts
}

#[test]
fn two_hundred_clients_get_their_answers_and_leave_no_memory_behind() {
    let host = Up::spinfo().start();
    load(&host, DURATION / 4);
    let before = host.resident_memory();
    let counts = load(&host, DURATION);
    let after = host.resident_memory();
    let (answers, panics) = (
        counts.answers.load(Ordering::Relaxed),
        counts.panics.load(Ordering::Relaxed),
    );
    assert!(
        panics > 0 && answers > CLIENTS as u64,
        "{answers} answers, {panics} of them of /panic"
    );
    assert!(
        after < before + GROWTH,
        "{} MiB before and {} MiB after {answers} answers",
        before >> 20,
        after >> 20
    );
    assert_eq!(host.get("/").status, StatusCode::OK);
}
