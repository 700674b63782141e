//! Clients, memory and the pool of instances while versions follow each other.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use http::Request;
use spinfo_tests::{Client, Receiver, deadline};

use super::{
    counted, exporting, get, greeting, number, quiet, reload_well, revision, served, spinfo,
    until_nothing_drains,
};

/// Sends requests in each way there is until `done`; each gets its whole answer, and no thread ever sees an older version than
/// one that was there when it asked.
fn steady(address: SocketAddr, loaded: &AtomicU64, done: &AtomicBool) -> u64 {
    let answers = AtomicU64::new(0);
    let count = || answers.fetch_add(1, Ordering::Relaxed);
    let (count, going) = (&count, &|| !done.load(Ordering::Relaxed));
    std::thread::scope(|scope| {
        for way in 0..6 {
            scope.spawn(move || {
                let connect = || match way {
                    0 => Client::connect_http2(address),
                    _ => Client::connect(address),
                };
                let mut client = connect();
                while going() {
                    // Some keep their connection, others never do.
                    if way > 2 {
                        client = connect();
                    }
                    let least = loaded.load(Ordering::Acquire);
                    let answer = client.send(get("/"));
                    assert_eq!(answer.status, 200, "{answer:?}");
                    assert!(number(answer.text()) >= least, "{answer:?} after {least}");
                    count();
                }
            });
        }
        for _ in 0..2 {
            scope.spawn(move || {
                while going() {
                    let answer = Client::connect(address).send(get("/delay/1"));
                    assert_eq!(answer.status, 200, "{answer:?}");
                    let streamed = Client::connect(address).send(get("/chunked/1"));
                    assert_eq!(streamed.json()["delay"], 1);
                    count();
                }
            });
        }
        scope.spawn(move || {
            let mut client = Client::connect(address);
            while going() {
                let upload = Request::post("/echo").body(vec![b'a'; 100_000]).unwrap();
                let answer = client.send(upload);
                assert_eq!((answer.status.as_u16(), answer.body.len()), (202, 100_000));
                count();
            }
        });
    });
    answers.into_inner()
}

#[test]
fn no_request_fails_while_versions_follow_each_other() {
    const VERSIONS: u64 = 8;
    let app = spinfo(1);
    let host = quiet(&app).start();
    let (loaded, done) = (AtomicU64::new(1), AtomicBool::new(false));
    let answers = std::thread::scope(|scope| {
        let load = scope.spawn(|| steady(host.address, &loaded, &done));
        for version in 2..=VERSIONS {
            app.edit(|text| text.replace(&greeting(version - 1), &greeting(version)));
            let now = reload_well(&host);
            assert_eq!(now["generation"], version);
            loaded.store(version, Ordering::Release);
            // Some requests to each version.
            let before = served(&host);
            deadline::until("requests to be served", || {
                (served(&host) > before + 50.0).then_some(())
            });
        }
        done.store(true, Ordering::Relaxed);
        load.join().unwrap()
    });
    assert!(answers > 50 * VERSIONS, "only {answers} answers");
    until_nothing_drains(&host);
    let page = host.admin("/metrics");
    let failed = |line: &&str| line.contains("error_type=") || line.contains("status_code=\"5");
    let failed: Vec<_> = page.text().lines().filter(failed).collect();
    assert!(failed.is_empty(), "{failed:#?}");
    assert_eq!(counted(&host, "ok"), VERSIONS - 1);
}

#[test]
fn a_small_pool_is_enough_for_two_versions() {
    let receiver = Receiver::start();
    let app = spinfo(1);
    // Instances that send their telemetry keep their place until they have.
    let host = exporting(&app, &receiver.url())
        .args(["--workers", "1", "--max-in-flight", "2"])
        // As many as there are by default for so many requests. None is replaced for its age, which would take a place too.
        .args(["--max-instances", "4"])
        .args(["--max-instance-reuse-count", "1000000"])
        .start();
    let (address, done) = (host.address, &AtomicBool::new(false));
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(move || {
                let mut client = Client::connect(address);
                while !done.load(Ordering::Relaxed) {
                    let answer = client.send(get("/"));
                    assert_eq!(answer.status, 200, "{answer:?}");
                }
            });
        }
        for version in 2..12 {
            app.edit(|text| text.replace(&greeting(version - 1), &greeting(version)));
            reload_well(&host);
        }
        done.store(true, Ordering::Relaxed);
    });
}

#[test]
fn memory_does_not_grow_with_reloads() {
    let app = spinfo(1);
    let host = quiet(&app).start();
    let cycle = |from: u64, to: u64| {
        for version in from..to {
            app.edit(|text| text.replace(&greeting(version), &greeting(version + 1)));
            reload_well(&host);
            for _ in 0..20 {
                assert_eq!(number(host.get("/").text()), version + 1);
            }
            // How many versions there are at a time depends on how fast the test is.
            until_nothing_drains(&host);
        }
        host.resident_memory()
    };
    let warm = cycle(1, 11);
    let after = cycle(11, 41);
    // One version's code and files are about 10 MB, 300 MB for all; the rest is what the allocator keeps for the next one.
    assert!(
        after < warm + (40 << 20),
        "{} MiB, then {} MiB",
        warm >> 20,
        after >> 20
    );
    assert_eq!(revision(&host)["generation"], 41);
}
