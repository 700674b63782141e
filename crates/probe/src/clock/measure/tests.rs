use std::num::NonZeroUsize;
use std::time::{Duration, Instant};

use http::HeaderMap;
use spinfo_client::{Client, Options, Target, Warm};
use tokio::task::JoinSet;

use super::servers::{Asked, Delays, Server, clock, date};
use super::with_step;
use crate::clock::estimate::Contradiction;
use crate::clock::stamp::{Nanos, SECOND};
use crate::clock::{ClockError, Measurement, Plan, Source, Verdict, measure};

const MS: Nanos = SECOND / 1000;

/// Asks a server, with a second as the limit.
async fn ask(server: &Server, source: Source, samples: usize) -> Result<Measurement, ClockError> {
    ask_within(server, source, samples, Duration::from_secs(30)).await
}

async fn ask_within(
    server: &Server,
    source: Source,
    samples: usize,
    time: Duration,
) -> Result<Measurement, ClockError> {
    let plan = Plan {
        source,
        time: &server.url("/now").parse::<Target>().unwrap(),
        checked: &server.url("/").parse::<Target>().unwrap(),
        headers: &HeaderMap::new(),
        samples: NonZeroUsize::new(samples).unwrap(),
        max_skew: Duration::from_secs(1),
        deadline: Instant::now() + time,
    };
    let mut warm = Warm::new(Client::new(Options::default()).unwrap());
    measure(&mut warm, &plan).await
}

fn assert_holds(measurement: &Measurement, offset: Nanos) {
    let interval = measurement.estimate.interval();
    assert!(
        interval.low <= offset && offset <= interval.high,
        "{} ms is not in {interval}",
        offset / MS
    );
}

#[tokio::test]
async fn stamps_and_text_give_the_verdict_matrix() {
    use Verdict::{Outside, Undecided, Within};
    let delays = [(0, 0), (80, 80), (0, 80), (80, 0)];
    let rows = [
        (500, [Within; 4]),
        (-500, [Within; 4]),
        (990, [Within, Undecided, Within, Undecided]),
        (-990, [Within, Undecided, Undecided, Within]),
        (1_010, [Outside, Undecided, Undecided, Outside]),
        (-1_010, [Outside, Undecided, Outside, Undecided]),
        (3_600_000, [Outside; 4]),
        (-3_600_000, [Outside; 4]),
    ];
    let mut cases = Vec::new();
    for (offset, verdicts) in rows {
        for ((there, back), expected) in delays.into_iter().zip(verdicts) {
            for source in [Source::Json, Source::Text] {
                cases.push((offset * MS, Delays { there, back }, source, expected));
            }
        }
    }
    let mut checks = JoinSet::new();
    for (offset, delays, source, expected) in cases {
        checks.spawn(async move {
            let server = match source {
                Source::Json => Server::with_stamps(delays, offset).await,
                _ => Server::with_text(delays, offset).await,
            };
            for asked_for in [source, Source::Auto] {
                let measurement = ask(&server, asked_for, 8).await.unwrap();
                assert_holds(&measurement, offset);
                assert_eq!(measurement.source, source);
                let shown = measurement.estimate;
                assert_eq!(
                    measurement.verdict,
                    expected,
                    "{} ms, {delays:?}: {shown}",
                    offset / MS
                );
            }
        });
    }
    checks.join_all().await;
}

#[tokio::test]
async fn dates_give_a_verdict_close_to_the_limit() {
    let cases = [
        (0, Verdict::Within),
        (500, Verdict::Within),
        (-500, Verdict::Within),
        (970, Verdict::Within),
        (-970, Verdict::Within),
        (1_030, Verdict::Outside),
        (-1_030, Verdict::Outside),
        (3_600_000, Verdict::Outside),
        (-3_600_000, Verdict::Outside),
    ];
    let mut checks = JoinSet::new();
    for (offset, expected) in cases {
        checks.spawn(async move {
            let server = Server::with_date(Delays::default(), offset * MS).await;
            let measurement = ask(&server, Source::Auto, 12).await.unwrap();
            assert_holds(&measurement, offset * MS);
            assert_eq!(measurement.source, Source::Date);
            let shown = measurement.estimate;
            assert_eq!(measurement.verdict, expected, "{offset} ms: {shown}");
        });
    }
    checks.join_all().await;
}

#[tokio::test]
async fn no_more_dates_are_asked_for_than_the_verdict_needs() {
    let server = Server::with_date(Delays::default(), 3600 * SECOND).await;
    let begun = Instant::now();
    let measurement = ask(&server, Source::Date, 8).await.unwrap();
    assert_eq!(measurement.verdict, Verdict::Outside);
    // A second one only if the clock happened to go on within what is left for the numbers.
    assert!(
        measurement.estimate.taken <= 2,
        "{:?}",
        measurement.estimate
    );
    assert!(begun.elapsed() < Duration::from_secs(5));
}

#[tokio::test]
async fn dates_that_can_say_no_more_are_no_longer_asked_for() {
    // The limit lies inside what the delay hides.
    let delays = Delays {
        there: 150,
        back: 150,
    };
    let server = Server::with_date(delays, SECOND).await;
    let measurement = ask(&server, Source::Date, 20).await.unwrap();
    assert_holds(&measurement, SECOND);
    assert_eq!(measurement.verdict, Verdict::Undecided);
    assert!(
        measurement.estimate.taken < 12,
        "{:?}",
        measurement.estimate
    );
}

#[tokio::test]
async fn a_date_is_asked_for_with_head_and_the_time_with_get() {
    let server = Server::start(Delays::default(), |asked| {
        let expected = match asked.path.as_str() {
            "/now" => asked.method == "GET" && asked.accept.starts_with("application/json"),
            path => path == "/" && asked.method == "HEAD",
        };
        let date = if expected { date(0) } else { String::new() };
        asked.answer("405 Method Not Allowed", &date, "")
    })
    .await;
    let measurement = ask(&server, Source::Auto, 1).await.unwrap();
    assert_eq!((measurement.source, server.asked()), (Source::Date, 2));
}

#[tokio::test]
async fn a_server_that_closes_each_connection_is_asked_on_new_ones() {
    let server = Server::start(Delays::default(), |asked| {
        let now = clock(250 * MS);
        let body = format!(r#"{{"unix_ns":{now}}}"#);
        asked.answer("200 OK", "connection: close\r\n", &body)
    })
    .await;
    let measurement = ask(&server, Source::Auto, 4).await.unwrap();
    assert_holds(&measurement, 250 * MS);
    assert_eq!(measurement.estimate.taken, 4);
}

#[tokio::test]
async fn a_leap_second_is_a_time() {
    let leap = 1_483_228_800 * SECOND;
    let server = Server::start(Delays::default(), |asked| {
        asked.answer("200 OK", "", "2016-12-31T23:59:60Z\n")
    })
    .await;
    let before = clock(0);
    let measurement = ask(&server, Source::Auto, 1).await.unwrap();
    assert_eq!(measurement.verdict, Verdict::Outside);
    assert_holds(&measurement, leap - before);
    assert!(measurement.estimate.interval().width() >= 2 * SECOND);
}

#[tokio::test]
async fn what_is_no_time_is_named() {
    type Script = fn(&Asked) -> Vec<u8>;
    let cases: [(Source, Script, &str); 10] = [
        (
            Source::Json,
            |asked| asked.answer("404 Not Found", "", "no such page"),
            "404 Not Found with `no such page`",
        ),
        (
            Source::Text,
            |asked| asked.answer("503 Service Unavailable", "", "2026-01-02T03:04:05Z"),
            "503 Service Unavailable",
        ),
        (
            Source::Json,
            |asked| asked.answer("200 OK", "", "2026-01-02T03:04:05Z"),
            "instead of a JSON object with received_ns",
        ),
        (
            Source::Text,
            |asked| asked.json(1, 2),
            "instead of a time as RFC 3339 text",
        ),
        (
            Source::Text,
            |asked| asked.answer("200 OK", "", "\x1b[2Jsoon"),
            "with `\\u{1b}[2Jsoon`",
        ),
        (
            Source::Json,
            |asked| asked.answer("200 OK", "", ""),
            "with nothing",
        ),
        (
            Source::Text,
            |asked| asked.answer("200 OK", "", &"9".repeat(1 << 20)),
            "longer than the limit",
        ),
        (
            Source::Json,
            |asked| asked.answer("200 OK", "age: 7\r\n", r#"{"unix_ns":1}"#),
            "from a cache (age: `7`)",
        ),
        (
            Source::Date,
            |asked| asked.answer("200 OK", "", ""),
            "answered with nothing in the header Date",
        ),
        (
            Source::Auto,
            |asked| asked.answer("200 OK", "date: yesterday\r\n", "<html>"),
            "answered with `yesterday` in the header Date",
        ),
    ];
    for (source, script, expected) in cases {
        let server = Server::start(Delays::default(), script).await;
        let error = ask(&server, source, 8).await.unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
        assert!(error.chars().count() < 300, "{error}");
    }
}

#[tokio::test]
async fn a_server_without_an_answer_is_a_failure() {
    let server = Server::start(Delays::default(), |_| Vec::new()).await;
    for source in [Source::Auto, Source::Json, Source::Date] {
        let error = ask(&server, source, 8).await.unwrap_err();
        assert!(
            matches!(&error, ClockError::Failed(failure) if failure.error_type() == "reset"),
            "{error}"
        );
    }
}

#[tokio::test]
async fn stamps_that_cannot_be_are_a_contradiction() {
    let backward = Server::start(Delays::default(), |asked| {
        asked.json(clock(SECOND), clock(0))
    })
    .await;
    let forward = Server::start(Delays::default(), |asked| {
        asked.json(clock(0), clock(SECOND))
    })
    .await;
    let farthest = Server::start(Delays::default(), |asked| asked.json(0, u64::MAX.into())).await;
    for (server, expected) in [
        (backward, "went back"),
        (forward, "went forward"),
        (farthest, "went forward by 18446"),
    ] {
        let error = ask(&server, Source::Json, 8).await.unwrap_err();
        assert!(
            matches!(error, ClockError::Contradiction(_)) && error.to_string().contains(expected),
            "{error}"
        );
    }
}

#[tokio::test]
async fn stamps_from_far_away_are_outside() {
    for stamp in [1, u64::MAX] {
        let server = Server::start(Delays::default(), move |asked| {
            asked.json(stamp.into(), stamp.into())
        })
        .await;
        let measurement = ask(&server, Source::Json, 1).await.unwrap();
        assert_eq!(measurement.verdict, Verdict::Outside);
    }
}

#[tokio::test]
async fn a_clock_that_stands_still_is_noticed() {
    let start = clock(0);
    let delays = Delays { there: 10, back: 0 };
    let server = Server::start(delays, move |asked| asked.json(start, start)).await;
    let error = ask(&server, Source::Auto, 8).await.unwrap_err();
    assert!(error.to_string().contains("stood still"), "{error}");
}

#[tokio::test]
async fn two_clocks_behind_one_address_are_noticed() {
    let server = Server::start(Delays::default(), |asked| {
        let now = clock(if asked.before % 2 == 0 { 0 } else { 5 * SECOND });
        asked.json(now, now)
    })
    .await;
    let error = ask(&server, Source::Json, 8).await.unwrap_err();
    let ClockError::Contradiction(contradiction) = error else {
        panic!("{error}")
    };
    assert_eq!(
        contradiction.verdict(Duration::from_secs(1)),
        Verdict::Outside
    );
    assert_eq!(
        contradiction.verdict(Duration::from_secs(10)),
        Verdict::Undecided
    );
}

#[tokio::test]
async fn a_step_of_the_local_clock_throws_away_what_was_measured() {
    let server = Server::with_stamps(Delays::default(), 0).await;
    let measured = ask(&server, Source::Json, 1).await;
    let contradiction = Contradiction::Backward { by: 1 };
    for measured in [measured, Err(contradiction.into())] {
        assert_eq!(with_step(measured.clone(), None).is_ok(), measured.is_ok());
        let error = with_step(measured, Some(3 * SECOND)).unwrap_err();
        assert!(
            matches!(error, ClockError::Stepped { by } if by == 3 * SECOND),
            "{error}"
        );
    }
    // Where there is no time, there is none whatever the clock did.
    let nothing = Server::start(Delays::default(), |asked| asked.answer("200 OK", "", "")).await;
    let measured = ask(&nothing, Source::Json, 1).await;
    let error = with_step(measured, Some(SECOND)).unwrap_err();
    assert!(matches!(error, ClockError::NotATime { .. }), "{error}");
}

#[tokio::test]
async fn answers_that_stop_leave_what_is_known() {
    let server = Server::start(Delays::default(), |asked| {
        if asked.before < 3 {
            asked.json(clock(0), clock(0))
        } else {
            asked.answer("429 Too Many Requests", "", "slow down")
        }
    })
    .await;
    let measurement = ask(&server, Source::Auto, 8).await.unwrap();
    assert_eq!(
        (measurement.verdict, measurement.estimate.taken),
        (Verdict::Within, 3)
    );
}

#[tokio::test]
async fn a_slow_server_is_asked_as_often_as_there_is_time() {
    // Undecided for ever: only the deadline ends it.
    let delays = Delays {
        there: 300,
        back: 300,
    };
    let server = Server::with_stamps(delays, 900 * MS).await;
    let begun = Instant::now();
    let time = Duration::from_millis(2_500);
    let measurement = ask_within(&server, Source::Json, 100, time).await.unwrap();
    assert!(begun.elapsed() < time + Duration::from_secs(1));
    assert_eq!(measurement.verdict, Verdict::Undecided);
    assert!(
        (2..=4).contains(&measurement.estimate.taken),
        "{:?}",
        measurement.estimate
    );

    let decided = Server::with_stamps(delays, 5 * SECOND).await;
    let measurement = ask(&decided, Source::Json, 8).await.unwrap();
    assert_eq!(measurement.estimate.taken, 1);
}
