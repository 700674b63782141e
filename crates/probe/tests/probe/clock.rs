//! Clocks that are wrong, and ways to them that are not the same there and back.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use jiff::Timestamp;

use crate::program::{Said, probe};
use crate::server::{Reply, Request, Server, answer, well};

/// A clock and the way to it.
#[derive(Clone, Copy)]
struct Clock {
    /// Seconds by which it is ahead.
    offset: f64,
    /// Time from the client to the clock.
    there: Duration,
    /// Time from the clock to the client.
    back: Duration,
}

impl Clock {
    fn off_by(offset: f64) -> Self {
        let way = Duration::ZERO;
        Self {
            offset,
            there: way,
            back: way,
        }
    }

    fn there(self, way: u64) -> Self {
        Self {
            there: Duration::from_millis(way),
            ..self
        }
    }

    fn back(self, way: u64) -> Self {
        Self {
            back: Duration::from_millis(way),
            ..self
        }
    }

    /// Nanoseconds since 1970 by this clock.
    fn now(self) -> i128 {
        let now = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap()
            .as_nanos();
        i128::try_from(now).unwrap() + i128::from((self.offset * 1e3) as i64) * 1_000_000
    }

    /// The time that it shows, made on the way of a request. The sleeps are that way: they are what is tested.
    fn show<T>(self, show: impl FnOnce(i128) -> T) -> T {
        std::thread::sleep(self.there);
        let shown = show(self.now());
        std::thread::sleep(self.back);
        shown
    }

    fn json(self) -> Vec<u8> {
        self.show(|now| {
            let body = format!(
                r#"{{"now":"x","unix_ns":{now},"received_ns":{now},"transmitted_ns":{now}}}"#
            );
            answer("200 OK", &["content-type: application/json"], &body)
        })
    }

    fn text(self) -> Vec<u8> {
        self.show(|now| {
            let now = Timestamp::from_nanosecond(now).unwrap();
            answer("200 OK", &["content-type: text/plain"], &format!("{now}\n"))
        })
    }

    fn date(self, status: &str) -> Vec<u8> {
        self.show(|now| {
            let date = Timestamp::from_nanosecond(now).unwrap();
            let date = date.strftime("date: %a, %d %b %Y %H:%M:%S GMT").to_string();
            answer(status, &[&date], "")
        })
    }
}

/// A server whose `/now` is this clock.
fn spinfo(clock: Clock) -> Server {
    Server::start(move |request| match &*request.path {
        "/now" => Reply::Send(clock.json()),
        _ => well(request),
    })
}

/// The outcome for this clock, and that its true offset is within the bound.
fn checked(clock: Clock, samples: &str) -> Said {
    let server = spinfo(clock);
    let said = probe(&[&server.url("/"), "--json", "--samples", samples]);
    let report = said.json();
    let of = |name: &str| {
        report["clock"][name]
            .as_f64()
            .unwrap_or_else(|| panic!("{name} in {report}"))
    };
    let error = (of("offset_seconds") - clock.offset).abs();
    // Both clocks are the same, so nothing but rounding is added.
    assert!(error <= of("error_bound_seconds") + 1e-6, "{report}");
    said
}

#[test]
fn the_verdicts_on_near_clocks() {
    // Two milliseconds there and none back make an estimate that is off by one: what is left is enough for each of these verdicts.
    for (offset, code, verdict) in [
        (0.0, 0, "within"),
        (0.5, 0, "within"),
        (-0.5, 0, "within"),
        (0.99, 0, "within"),
        (-0.99, 0, "within"),
        (1.01, 2, "outside"),
        (-1.01, 2, "outside"),
        (3600.0, 2, "outside"),
        (-3600.0, 2, "outside"),
    ] {
        for clock in [
            Clock::off_by(offset).there(2),
            Clock::off_by(offset).back(2),
        ] {
            // Many, for one of them has to come back in time while other tests use the machine.
            let said = checked(clock, "32");
            assert_eq!(said.code, code, "{offset}: {}", said.stdout);
            assert_eq!(said.json()["clock"]["verdict"], verdict, "{}", said.stdout);
        }
    }
}

#[test]
fn where_the_way_is_long_nothing_is_said_that_is_not_known() {
    let table = [
        // Both ways are as long: 0.6 to 1.2 is possible.
        (Clock::off_by(0.9).there(300).back(300), 3),
        (Clock::off_by(-1.01).there(50).back(50), 3),
        // One is longer, on the side where the limit is: 0.9 to 1.5 is possible, and so on.
        (Clock::off_by(0.9).there(600), 3),
        (Clock::off_by(-0.9).back(600), 3),
        (Clock::off_by(-0.99).back(100), 3),
        (Clock::off_by(1.01).back(100), 3),
        (Clock::off_by(-1.01).there(100), 3),
        // On the other side the same delay leaves no doubt, although the middle of what is possible is as far from the truth.
        (Clock::off_by(0.9).back(600), 0),
        (Clock::off_by(-0.9).there(600), 0),
        (Clock::off_by(1.01).there(100), 2),
        (Clock::off_by(-1.01).back(100), 2),
        // Far enough from the limit, whatever the way.
        (Clock::off_by(0.5).there(400), 0),
        (Clock::off_by(-0.5).there(400), 0),
        (Clock::off_by(3600.0).back(400), 2),
        (Clock::off_by(-3600.0).there(400), 2),
    ];
    std::thread::scope(|threads| {
        for (clock, code) in table {
            threads.spawn(move || {
                let said = checked(clock, "2");
                assert_eq!(said.code, code, "{}: {}", clock.offset, said.stdout);
            });
        }
    });
}

#[test]
fn an_unknown_clock_is_no_failure_of_the_server() {
    let server = spinfo(Clock::off_by(0.9).there(600));
    let said = probe(&[&server.url("/"), "--samples", "1"]);
    said.expect(3, "HTTP 200");
    said.expect(3, "may be within 1 s or not");
    let said = probe(&[&server.url("/"), "--samples", "1", "--json"]);
    assert_eq!(said.json()["success"], true);
}

#[test]
fn the_limit_is_the_users() {
    let server = spinfo(Clock::off_by(30.0));
    probe(&[&server.url("/"), "--max-skew", "1m"]).expect(0, "max skew 60 s");
    let said = probe(&[&server.url("/"), "--max-skew", "20s"]);
    said.expect(2, "off by more than 20 s");
    assert_eq!(
        said.plugin_output().get("offset").critical.as_deref(),
        Some("-20:20")
    );
}

#[test]
fn a_line_has_offset_and_bound() {
    let server = spinfo(Clock::off_by(0.25));
    let said = probe(&[&server.url("/")]);
    said.expect(0, "clock +2");
    let output = said.plugin_output();
    let (offset, bound) = (output.get("offset").value, output.get("offset_bound").value);
    assert!((offset - 0.25).abs() <= bound && bound < 0.5, "{output:?}");
}

#[test]
fn the_samples_come_over_one_connection() {
    let server = spinfo(Clock::off_by(0.0));
    let said = probe(&[&server.url("/"), "--samples", "4", "--json"]);
    assert_eq!(said.json()["clock"]["samples_taken"], 4, "{}", said.stdout);
    assert_eq!(server.paths(), ["/", "/now", "/now", "/now", "/now"]);
    assert!(
        server.requests()[1]
            .header("accept")
            .unwrap()
            .contains("application/json")
    );
}

#[test]
fn a_time_as_text_is_as_good_as_its_digits() {
    for (offset, code) in [(0.0, 0), (0.5, 0), (1.5, 2), (-3600.0, 2)] {
        let clock = Clock::off_by(offset);
        let server = Server::start(move |request| match &*request.path {
            "/now" => Reply::Send(clock.text()),
            _ => well(request),
        });
        for source in ["auto", "text"] {
            let said = probe(&[&server.url("/"), "--json", "--clock", source]);
            assert_eq!(said.code, code, "{offset}: {}", said.stdout);
            assert_eq!(said.json()["clock"]["source"], "text");
        }
    }
}

#[test]
fn a_server_with_nothing_but_a_date_is_enough() {
    for (offset, code) in [(0.0, 0), (3600.0, 2), (-10.0, 2)] {
        let clock = Clock::off_by(offset);
        let server = Server::start(move |request: &Request| {
            Reply::Send(clock.date(if request.path == "/" {
                "200 OK"
            } else {
                "404 Not Found"
            }))
        });
        let said = probe(&[&server.url("/"), "--json"]);
        assert_eq!(said.code, code, "{offset}: {}", said.stdout);
        let report = said.json();
        assert_eq!(report["clock"]["source"], "date");
        let error = report["clock"]["offset_seconds"].as_f64().unwrap() - offset;
        assert!(
            error.abs() <= report["clock"]["error_bound_seconds"].as_f64().unwrap(),
            "{report}"
        );
    }
}

#[test]
fn a_date_decides_on_a_near_limit_when_it_is_asked_at_the_right_moment() {
    // Whole seconds leave a second open. Asked while a second of the server's is young, one answer can't say that 0.9 is less than 1.
    let clock = Clock::off_by(0.9);
    while clock.now().rem_euclid(1_000_000_000) > 300_000_000 {
        std::thread::yield_now();
    }
    let server = Server::start(move |_| Reply::Send(clock.date("200 OK")));
    let arguments = [
        "--clock",
        "date",
        "--json",
        "--samples",
        "16",
        "--timeout",
        "60s",
    ];
    let said = probe(&[&[&*server.url("/")], &arguments[..]].concat());
    assert_eq!(said.code, 0, "{}", said.stdout);
    let report = said.json();
    assert!(
        report["clock"]["samples_taken"].as_u64().unwrap() > 1,
        "{report}"
    );
}

#[test]
fn no_time_at_all_is_unknown() {
    let server = Server::start(well);
    let said = probe(&[&server.url("/")]);
    said.expect(3, "HTTP 200");
    said.expect(3, "Date");
}

#[test]
fn garbage_is_named() {
    let server = Server::start(|_| Reply::Send(answer("200 OK", &[], "half past | ten\u{1b}[31m")));
    for source in ["json", "text"] {
        let said = probe(&[&server.url("/"), "--clock", source]);
        said.expect(3, "half past / ten");
        assert!(!said.stdout.contains('\u{1b}'), "{}", said.stdout);
    }
    for body in [
        "{}",
        r#"{"received_ns":-1,"transmitted_ns":"1"}"#,
        r#"{"received_ns":1e400,"transmitted_ns":1}"#,
        "",
        "9999999999999999999999999999",
        "2026-13-45T99:99:99Z",
    ] {
        let server = Server::start(move |_| Reply::Send(answer("200 OK", &[], body)));
        let said = probe(&[&server.url("/"), "--clock", "json"]);
        assert_eq!(said.code, 3, "{body}: {}", said.stdout);
    }
}

#[test]
fn a_clock_that_stands_still_is_wrong_whatever_the_way() {
    let body = r#"{"received_ns":1,"transmitted_ns":1}"#;
    let server = Server::start(move |_| Reply::Send(answer("200 OK", &[], body)));
    probe(&[&server.url("/")]).expect(2, "clock");
}

#[test]
fn garbage_leaves_the_date() {
    let clock = Clock::off_by(0.0);
    let server = Server::start(move |request| match &*request.path {
        "/now" => Reply::Send(answer("200 OK", &[], "<html>")),
        _ => Reply::Send(clock.date("200 OK")),
    });
    let said = probe(&[&server.url("/"), "--json"]);
    assert_eq!(said.code, 0, "{}", said.stdout);
    assert_eq!(said.json()["clock"]["source"], "date");
}

#[test]
fn a_leap_second_is_a_time() {
    let server = Server::start(|_| Reply::Send(answer("200 OK", &[], "2016-12-31T23:59:60.5Z")));
    let said = probe(&[&server.url("/"), "--clock", "text", "--json"]);
    assert_eq!(said.code, 2, "{}", said.stdout);
    // 2017-01-01T00:00:00Z.
    let leap = 1_483_228_800.0;
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap()
        .as_secs_f64();
    let clock = &said.json()["clock"];
    let error = clock["offset_seconds"].as_f64().unwrap() - (leap - now);
    assert!(error.abs() < 60.0, "{clock}");
    // It may stand for the second before or the one after.
    assert!(
        clock["error_bound_seconds"].as_f64().unwrap() >= 0.5,
        "{clock}"
    );
}

#[test]
fn a_clock_that_hangs_is_unknown_at_the_timeout() {
    let server = Server::start(|request| match &*request.path {
        "/now" => Reply::Hang(Vec::new()),
        _ => well(request),
    });
    let said = probe(&[&server.url("/"), "--timeout", "500ms"]);
    said.expect(3, "HTTP 200");
    said.expect(3, "timed out");
}

#[test]
fn a_server_that_closes_each_connection_has_a_clock_too() {
    let clock = Clock::off_by(0.0);
    let server = Server::start(move |request| {
        let mut bytes = match &*request.path {
            "/now" => clock.json(),
            _ => answer("200 OK", &[], "well"),
        };
        let end = b"HTTP/1.1 200 OK\r\n".len();
        bytes.splice(end..end, *b"connection: close\r\n");
        Reply::Last(bytes)
    });
    let said = probe(&[&server.url("/"), "--json"]);
    assert_eq!(said.code, 0, "{}", said.stdout);
    assert_eq!(said.json()["clock"]["verdict"], "within");
}
