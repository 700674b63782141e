//! Who is asked, and what becomes of a request when that one is gone.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use http::Request;
use spinfo_proof::edge::caddy::get;
use spinfo_proof::edge::{Conduct, Edge, Fake, Replicas, Settings, ports};
use spinfo_tests::{Up, deadline};

use crate::tell;

/// Requests without a pause, from several clients, while something happens.
fn under_load<T>(edge: &Edge, mark: &str, event: impl FnOnce() -> T) -> (T, usize) {
    let (over, answered) = (&AtomicBool::new(false), &AtomicUsize::new(0));
    std::thread::scope(|scope| {
        let clients: Vec<_> = (0..4)
            .map(|number| {
                scope.spawn(move || {
                    let mut client = edge.connect(&["h2"]).unwrap();
                    while !over.load(Ordering::Relaxed) {
                        let round = answered.load(Ordering::Relaxed);
                        // Bodies too: a request that has not reached anybody is sent again, whatever it is.
                        let request = match (number + round) % 3 {
                            0 => Request::post(format!("/echo?{mark}")).body(b"echo".to_vec()),
                            1 => Request::get(format!("/?{mark}")).body(Vec::new()),
                            _ => Request::get(format!("/version?{mark}")).body(Vec::new()),
                        };
                        let answer = client.send(request.unwrap());
                        assert!(
                            answer.status.is_success(),
                            "after {round} answers: {answer:?}"
                        );
                        answered.fetch_add(1, Ordering::Relaxed);
                    }
                })
            })
            .collect();
        deadline::until("some answers", || {
            let failed = clients.iter().any(|client| client.is_finished());
            (failed || answered.load(Ordering::Relaxed) > 50).then_some(())
        });
        // Also when the event fails, or the clients would never end.
        let end = OnDrop(over);
        let value = event();
        drop(end);
        for client in clients {
            client.join().expect("no request fails");
        }
        (value, answered.load(Ordering::Relaxed))
    })
}

/// Whether a replica works on a request.
fn is_busy(replicas: &Replicas, replica: usize) -> bool {
    let metrics = replicas.hosts[replica].admin("/metrics");
    let busy =
        |line: &str| line.starts_with("http_server_active_requests{") && !line.ends_with(" 0");
    metrics.text().lines().any(busy)
}

/// Sets a flag, also when a test fails.
struct OnDrop<'a>(&'a AtomicBool);

impl Drop for OnDrop<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Sends requests until none of several in a row is answered by a replica.
fn until_avoided(edge: &Edge, upstream: &str) {
    static ROUND: AtomicUsize = AtomicUsize::new(0);
    deadline::until("the replica to be avoided", || {
        let round = ROUND.fetch_add(1, Ordering::Relaxed);
        let mark = format!("avoid-{round}.");
        for _ in 0..10 {
            assert!(edge.get(&format!("/?{mark}")).status.is_success());
        }
        deadline::until("the log", || {
            (edge.entries(&mark).len() == 10).then_some(())
        });
        let entries = edge.entries(&mark);
        entries
            .iter()
            .all(|entry| entry.upstream() != upstream && entry.retries() == 0)
            .then_some(())
    });
}

#[test]
#[ignore = "needs Caddy; see proof/backends/install"]
fn requests_are_spread_over_all_replicas() {
    let replicas = Replicas::start(3);
    let edge = Settings::before(&replicas, 3).start().with_certificates();
    let mut client = edge.connect(&["h2"]).unwrap();
    for _ in 0..300 {
        assert_eq!(client.send(get("/?spread")).status, 200);
    }
    deadline::until("the log", || {
        (edge.entries("spread").len() == 300).then_some(())
    });
    let mut shares = BTreeMap::new();
    for entry in edge.entries("spread") {
        *shares.entry(entry.upstream().to_owned()).or_insert(0) += 1;
    }
    tell(&format!("300 requests, one after the other: {shares:?}"));
    assert_eq!(shares.len(), 3, "{shares:?}");
    // Who has the fewest requests is asked, and one of them by lot when all have none: fewer than 60 of 300 for one of three
    // happens once in a million.
    assert!(shares.values().all(|&share| share >= 60), "{shares:?}");
}

#[test]
#[ignore = "needs Caddy; see proof/backends/install"]
fn nothing_is_piled_upon_a_slow_replica() {
    let mut replicas = Replicas::none(2);
    replicas.hosts.push(replicas.host(0, Up::spinfo()));
    let slow = Fake::start(
        (ports::address(1), replicas.port).into(),
        (ports::address(1), replicas.admin_port).into(),
        Conduct::Hangs,
    );
    let edge = Settings::before(&replicas, 2).start().with_certificates();
    let finished = &AtomicUsize::new(0);
    let waiting = std::thread::scope(|scope| {
        for _ in 0..8 {
            let mut client = edge.connect(&["h2"]).unwrap();
            scope.spawn(move || {
                for _ in 0..25 {
                    // One that waits is answered by the other replica when the slow one has gone.
                    let _ = client.try_send(get("/?piled"));
                }
                finished.fetch_add(1, Ordering::SeqCst);
            });
        }
        deadline::until("every client to be done or to wait", || {
            (finished.load(Ordering::SeqCst) + slow.requests() >= 8).then_some(())
        });
        let waiting = slow.requests();
        drop(slow);
        waiting
    });
    tell(&format!(
        "8 clients with 25 requests each: {waiting} wait at the slow replica"
    ));
    // It is chosen while the other one has as many requests, which is up to half of them. By turns it would be all.
    assert!((1..=5).contains(&waiting), "{waiting} wait");
}

#[test]
#[ignore = "needs Caddy; see proof/backends/install"]
fn a_dead_replica_is_noticed_and_avoided_and_asked_again_when_it_is_back() {
    let mut replicas = Replicas::start(2);
    let edge = Settings::before(&replicas, 2).start().with_certificates();
    let dead = replicas.upstream(1);
    replicas.hosts[1].kill();
    let begun = Instant::now();
    until_avoided(&edge, &dead);
    tell(&format!("avoided after {:?}", begun.elapsed()));
    replicas.hosts[1] = replicas.host(1, Up::spinfo());
    let mut round = 0;
    deadline::until("the replica to be asked again", || {
        round += 1;
        let path = format!("/?back-{round}.");
        assert_eq!(edge.get(&path).status, 200);
        (edge.entry(&path).upstream() == dead).then_some(())
    });
}

#[test]
#[ignore = "needs Caddy; see proof/backends/install"]
fn a_replica_that_is_told_to_stop_is_avoided_before_it_stops() {
    let mut replicas = Replicas::start(2);
    let edge = Settings::before(&replicas, 2).start().with_certificates();
    let leaving = replicas.upstream(1);
    let mut host = replicas.hosts.pop().unwrap();
    let (early, answered) = under_load(&edge, "leaving", || {
        host.terminate();
        let begun = Instant::now();
        until_avoided(&edge, &leaving);
        let early = host.try_wait().is_none();
        tell(&format!("avoided after {:?}", begun.elapsed()));
        assert_eq!(host.wait().code(), Some(0));
        // And for a while after its end.
        until_avoided(&edge, &leaving);
        early
    });
    assert!(early, "it had stopped before it was avoided");
    tell(&format!("{answered} requests, none failed"));
    let retried: u64 = edge
        .entries("leaving")
        .iter()
        .map(|entry| entry.retries())
        .sum();
    assert_eq!(retried, 0, "no request even had to be repeated");
}

#[test]
#[ignore = "needs Caddy; see proof/backends/install"]
fn what_may_be_repeated_is_repeated_when_a_replica_breaks_off() {
    let mut replicas = Replicas::none(2);
    replicas.hosts.push(replicas.host(0, Up::spinfo()));
    let broken = Fake::start(
        (ports::address(1), replicas.port).into(),
        (ports::address(1), replicas.admin_port).into(),
        Conduct::BreaksOff,
    );
    let edge = Settings::before(&replicas, 2).start().with_certificates();
    let ask = |method: &str, path: &str, body: &str, mark: &str| {
        let request = Request::builder()
            .method(method)
            .uri(format!("{path}?{mark}"))
            .header("content-type", "application/json");
        edge.send(request.body(body.as_bytes().to_vec()).unwrap())
    };
    // Until one of each has met the broken replica.
    for (method, path, body) in [
        ("GET", "/version", ""),
        ("HEAD", "/version", ""),
        ("DELETE", "/status", ""),
        ("PUT", "/status", "{\"code\":200}"),
    ] {
        let mut round = 0;
        deadline::until(&format!("a {method} that is repeated"), || {
            round += 1;
            let mark = format!("{method}-{round}.");
            let before = broken.requests();
            let answer = ask(method, path, body, &mark);
            assert!(answer.status.is_success(), "{method}: {answer:?}");
            let entry = edge.entry(&mark);
            assert_eq!(entry.retries() as usize, broken.requests() - before);
            (entry.retries() > 0).then_some(())
        });
    }
    let mut round = 0;
    deadline::until("a POST that is not repeated", || {
        round += 1;
        // What the last rounds did is forgotten after a second.
        let mark = format!("POST-{round}.");
        let before = broken.requests();
        let answer = ask("POST", "/status/change", "", &mark);
        let met = broken.requests() - before;
        let entry = edge.entry(&mark);
        assert_eq!(entry.retries(), 0);
        assert_eq!(entry.status(), u64::from(answer.status.as_u16()));
        if met == 0 {
            assert_eq!(answer.status, 200, "{answer:?}");
            return None;
        }
        assert_eq!(met, 1);
        assert_eq!(answer.status, 502, "{answer:?}");
        assert_eq!(answer.header("content-type"), "application/problem+json");
        Some(())
    });
}

#[test]
#[ignore = "needs Caddy; see proof/backends/install"]
fn a_get_on_a_replica_that_is_killed_is_answered_by_another() {
    let mut replicas = Replicas::start(2);
    let edge = Settings::before(&replicas, 2).start().with_certificates();
    let answer = std::thread::scope(|scope| {
        let slow = scope.spawn(|| edge.get("/delay/3?killed"));
        let victim = deadline::until("a replica to work on it", || {
            (0..2).find(|&replica| is_busy(&replicas, replica))
        });
        replicas.hosts[victim].kill();
        slow.join().unwrap()
    });
    assert_eq!(answer.status, 200, "{answer:?}");
    assert!(edge.entry("killed").retries() > 0);
}

#[test]
#[ignore = "needs Caddy; see proof/backends/install"]
fn a_request_under_way_is_finished_when_the_edge_is_told_to_stop() {
    let replicas = Replicas::start(1);
    let mut edge = Settings::before(&replicas, 1).start().with_certificates();
    let answer = std::thread::scope(|scope| {
        let mut client = edge.connect(&["h2"]).unwrap();
        let slow = scope.spawn(move || client.send(get("/delay/3")));
        deadline::until("the replica to work on it", || {
            is_busy(&replicas, 0).then_some(())
        });
        edge.terminate();
        slow.join().unwrap()
    });
    assert_eq!(answer.status, 200, "{answer:?}");
    assert_eq!(edge.wait().code(), Some(0));
}

#[test]
#[ignore = "needs Caddy; see proof/backends/install"]
fn without_any_replica_the_edge_says_so_and_recovers() {
    let mut replicas = Replicas::none(1);
    let edge = Settings::before(&replicas, 1).start().with_certificates();
    let begun = Instant::now();
    let answer = edge.get("/");
    assert!(matches!(answer.status.as_u16(), 502 | 503), "{answer:?}");
    assert!(begun.elapsed() < Duration::from_secs(20));
    assert_eq!(answer.header("content-type"), "application/problem+json");
    assert_eq!(answer.json()["status"], answer.status.as_u16());
    replicas.hosts.push(replicas.host(0, Up::spinfo()));
    deadline::until("the edge to recover", || {
        (edge.get("/").text() == "Hello SRE!").then_some(())
    });
}
