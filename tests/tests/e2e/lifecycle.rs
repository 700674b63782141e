//! The end of the process: nothing under way is lost, nothing holds it up.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use http::Request;
use spinfo_tests::{Client, Host, Up, deadline, wire};

fn get(path: &str) -> Request<Vec<u8>> {
    Request::get(path).body(Vec::new()).unwrap()
}

/// Waits until a guest works on a request.
fn until_busy(host: &Host) {
    deadline::until("a request to be under way", || {
        let metrics = host.admin("/metrics");
        let busy =
            |line: &str| line.starts_with("http_server_active_requests{") && !line.ends_with(" 0");
        metrics.text().lines().any(busy).then_some(())
    });
}

#[test]
fn a_slow_request_is_finished_before_the_end() {
    let mut host = Up::spinfo().start();
    let address = host.address;
    let slow = std::thread::spawn(move || Client::connect(address).send(get("/delay/2")));
    until_busy(&host);
    let status = host.stop();
    assert_eq!(slow.join().unwrap().status, 200);
    assert_eq!(status.code(), Some(0));
    assert!(TcpStream::connect(address).is_err());
    assert!(
        host.log
            .to_the_end()
            .iter()
            .any(|line| line.contains("stopped"))
    );
}

#[test]
fn it_says_where_it_serves_as_spin_does() {
    let mut host = Up::spinfo().start();
    assert_eq!(host.stop().code(), Some(0));
    let output = host.output.to_the_end();
    let url = host.url("");
    assert_eq!(
        &output[..3],
        ["", &*format!("Serving {url}"), "Available Routes:"]
    );
    for line in [
        format!("  hello: {url}/"),
        "    The greeting, for machines and browsers, and what runs here".to_owned(),
        format!("  lab: {url}/delay/:seconds"),
        format!("  wordcount: {url}/files/:name"),
    ] {
        assert!(output.contains(&line), "{line:?} is not in {output:#?}");
    }
    let mut host = Up::spinfo().args(["--quiet"]).start();
    // Ctrl-C ends it as SIGTERM does.
    host.signal("INT");
    assert_eq!(host.wait().code(), Some(0));
    assert!(host.output.to_the_end().is_empty());
}

#[test]
fn an_answer_that_is_being_sent_is_finished_before_the_end() {
    let mut host = Up::spinfo().start();
    let mut stream = wire::connect(host.address);
    stream
        .write_all(b"GET /chunked/2 HTTP/1.1\r\nHost: a\r\n\r\n")
        .unwrap();
    let mut first = [0; 16];
    stream.read_exact(&mut first).unwrap();
    host.terminate();
    let mut answer = first.to_vec();
    answer.extend(wire::read_to_end(&mut stream));
    assert_eq!(
        wire::parts(&answer)
            .1
            .split_whitespace()
            .collect::<String>(),
        "{\"delay\":2}"
    );
    assert!(answer.ends_with(b"0\r\n\r\n"), "the last chunk is missing");
    assert_eq!(host.wait().code(), Some(0));
}

#[test]
fn readiness_says_no_first_and_requests_are_still_served() {
    let mut host = Up::spinfo().args(["--grace", "3s"]).start();
    assert_eq!(host.admin("/readyz").status, 200);
    host.terminate();
    deadline::until("readiness to say no", || {
        (host.admin("/readyz").status == 503).then_some(())
    });
    assert_eq!(host.admin("/livez").status, 200);
    assert_eq!(host.get("/").text(), "Hello World");
    assert_eq!(host.wait().code(), Some(0));
}

#[test]
fn idle_connections_are_closed_and_hold_nothing_up() {
    let mut host = Up::spinfo().args(["--drain-timeout", "50s"]).start();
    let mut idle: Vec<_> = (0..10).map(|_| wire::connect(host.address)).collect();
    for (number, stream) in idle.iter_mut().enumerate() {
        // Half of them have never sent anything.
        if number % 2 == 0 {
            stream
                .write_all(b"GET /version HTTP/1.1\r\nHost: a\r\n\r\n")
                .unwrap();
            let mut byte = [0];
            stream.read_exact(&mut byte).unwrap();
        }
    }
    let begun = Instant::now();
    assert_eq!(host.stop().code(), Some(0));
    assert!(
        begun.elapsed() < Duration::from_secs(20),
        "it took {:?}",
        begun.elapsed()
    );
    for mut stream in idle {
        wire::read_to_end(&mut stream);
    }
}

#[test]
fn a_second_signal_ends_it_at_once() {
    let mut host = Up::spinfo().start();
    let mut stream = wire::connect(host.address);
    stream
        .write_all(b"GET /delay/60 HTTP/1.1\r\nHost: a\r\n\r\n")
        .unwrap();
    until_busy(&host);
    host.terminate();
    host.log
        .wait_for_log("the first signal to be heard", |line| {
            line["fields"]["signal"] == "SIGTERM"
        });
    let begun = Instant::now();
    assert_eq!(host.stop().code(), Some(130));
    assert!(
        begun.elapsed() < Duration::from_secs(10),
        "it took {:?}",
        begun.elapsed()
    );
}

#[test]
fn requests_that_never_finish_are_given_up() {
    let mut host = Up::spinfo().args(["--drain-timeout", "1s"]).start();
    let mut stream = wire::connect(host.address);
    stream
        .write_all(b"GET /delay/60 HTTP/1.1\r\nHost: a\r\n\r\n")
        .unwrap();
    until_busy(&host);
    let begun = Instant::now();
    assert_eq!(host.stop().code(), Some(0));
    assert!(
        begun.elapsed() < Duration::from_secs(20),
        "it took {:?}",
        begun.elapsed()
    );
    assert!(
        host.log
            .to_the_end()
            .iter()
            .any(|line| line.contains("time to drain was over"))
    );
}

#[test]
fn a_port_in_use_is_an_error_before_anything_is_served() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    for (flag, remedy) in [
        ("--listen", "--find-free-port"),
        ("--admin-listen", "--admin-listen"),
    ] {
        let (code, text) = Up::spinfo().args([flag, &address]).fail();
        assert_eq!(code, Some(1), "{text}");
        assert!(text.contains(&address) && text.contains(remedy), "{text}");
    }
    let host = Up::spinfo()
        .args(["--listen", &address, "--find-free-port"])
        .start();
    assert!(host.address.port() > taken.local_addr().unwrap().port());
}

#[test]
fn nothing_is_lost_under_load_when_clients_heed_readiness() {
    let mut host = Up::spinfo().args(["--grace", "2s"]).start();
    let (address, leave) = (host.address, &AtomicBool::new(false));
    std::thread::scope(|scope| {
        let clients: Vec<_> = (0..8)
            .map(|number| {
                scope.spawn(move || {
                    let (mut client, mut answers) = (Client::connect(address), 0);
                    while !leave.load(Ordering::Relaxed) {
                        // Half of them keep their connection, as a load balancer does.
                        if number % 2 == 0 {
                            client = Client::connect(address);
                        }
                        assert_eq!(
                            client.send(get("/version")).status,
                            200,
                            "after {answers} answers"
                        );
                        answers += 1;
                    }
                    answers
                })
            })
            .collect();
        until_served(&host, 200);
        host.terminate();
        deadline::until("readiness to say no", || {
            (host.admin("/readyz").status == 503).then_some(())
        });
        leave.store(true, Ordering::Relaxed);
        for client in clients {
            assert!(client.join().unwrap() > 0);
        }
    });
    assert_eq!(host.wait().code(), Some(0));
}

#[test]
fn requests_that_come_with_the_signal_are_answered() {
    const HEAD: &[u8] = b"GET /version HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
    let mut host = Up::spinfo().start();
    let send = |bytes: &[u8]| {
        let mut stream = wire::connect(host.address);
        stream.write_all(bytes).unwrap();
        stream
    };
    // Some have sent a part of their request; others may not even be accepted when the host hears of its end.
    let mut begun: Vec<_> = (0..10).map(|_| send(&HEAD[..20])).collect();
    assert_eq!(host.get("/version").status, 200);
    let sent: Vec<_> = (0..50).map(|_| send(HEAD)).collect();
    host.terminate();
    host.log.wait_for_log("the signal to be heard", |line| {
        line["fields"]["signal"] == "SIGTERM"
    });
    for stream in &mut begun {
        stream.write_all(&HEAD[20..]).unwrap();
    }
    for mut stream in begun.into_iter().chain(sent) {
        assert_eq!(wire::status(&wire::read_to_end(&mut stream)), Some(200));
    }
    assert_eq!(host.wait().code(), Some(0));
}

/// Waits until so many requests have been answered.
fn until_served(host: &Host, least: u64) {
    deadline::until("some requests to be answered", || {
        let metrics = host.admin("/metrics");
        let counts = metrics
            .text()
            .lines()
            .filter(|line| line.starts_with("http_server_request_duration_seconds_count{"));
        let count = |line: &str| {
            line.split('}')
                .nth(1)?
                .split_whitespace()
                .next()?
                .parse::<u64>()
                .ok()
        };
        (counts.filter_map(count).sum::<u64>() >= least).then_some(())
    });
}
