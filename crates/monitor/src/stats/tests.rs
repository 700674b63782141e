use crate::report::Phases;

use super::*;

const INTERVAL: Duration = Duration::from_secs(1);

fn stats(now: Instant) -> TargetStats {
    TargetStats::new(
        "shop".to_owned(),
        "http://h/status".to_owned(),
        INTERVAL,
        now,
    )
}

fn report(millis: u64, failure: Option<&'static str>) -> Report {
    let answered = !matches!(failure, Some("connect" | "timeout"));
    Report {
        timestamp: SystemTime::UNIX_EPOCH,
        target: String::new(),
        endpoint: String::new(),
        method: "GET",
        duration: Duration::from_millis(millis),
        success: failure.is_none(),
        status: answered.then_some(200),
        error: failure.map(|kind| ReportError {
            kind,
            message: String::new(),
        }),
        state: answered.then(|| "ok".to_owned()),
        revision: answered.then_some(4),
        reused: true,
        phases: Phases::default(),
        trace_id: None,
    }
}

fn millis(duration: Option<Duration>) -> u128 {
    duration.unwrap().as_millis()
}

#[test]
fn nothing_has_no_percentiles_and_no_share() {
    let now = Instant::now();
    let snapshot = stats(now).snapshot(now);
    assert_eq!(
        (snapshot.p50, snapshot.max, snapshot.last_ok),
        (None, None, None)
    );
    assert_eq!(
        (snapshot.error_share, snapshot.rate, snapshot.mean_rate),
        (0.0, 0.0, 0.0)
    );
}

#[test]
fn a_stall_counts_for_the_requests_that_it_kept_from_being_sent() {
    let now = Instant::now();
    let mut stats = stats(now);
    for _ in 0..9 {
        stats.report(&report(10, None), now);
    }
    stats.report(&report(10_000, None), now);
    // 10 s, and for the ticks in between 9 s, 8 s ... 1 s: half of what was to be measured.
    let snapshot = stats.snapshot(now);
    assert_eq!(snapshot.requests, 10);
    assert!((900..1100).contains(&millis(snapshot.p50)), "{snapshot:?}");
    assert!(millis(snapshot.p95) >= 9000, "{snapshot:?}");
}

#[test]
fn what_fails_before_an_answer_says_nothing_about_latency_but_a_time_out_does() {
    let now = Instant::now();
    let mut stats = stats(now);
    stats.report(&report(1, Some("connect")), now);
    assert_eq!(stats.snapshot(now).p50, None);
    stats.report(&report(500, Some("timeout")), now);
    assert_eq!(millis(stats.snapshot(now).p50), 500);
}

#[test]
fn failures_are_counted_by_type_and_the_state_is_the_last_that_was_shown() {
    let now = Instant::now();
    let mut stats = stats(now);
    for failure in [None, Some("status"), Some("connect"), Some("connect")] {
        stats.report(&report(1, failure), now);
    }
    let snapshot = stats.snapshot(now);
    assert_eq!(snapshot.errors, [("connect", 2), ("status", 1)]);
    assert_eq!((snapshot.failures, snapshot.error_share), (3, 0.75));
    assert_eq!(snapshot.last_error.map(|error| error.kind), Some("connect"));
    assert_eq!(
        (snapshot.state.as_deref(), snapshot.revision),
        (Some("ok"), Some(4))
    );
    assert_eq!((snapshot.status, snapshot.last_ok), (None, Some(false)));
    assert_eq!(stats.anew(now).snapshot(now).requests, 0);
}

#[test]
fn the_rate_is_that_of_the_last_half_minute() {
    let start = Instant::now();
    let mut stats = stats(start);
    for second in 1..=100 {
        stats.report(&report(1, None), start + Duration::from_secs(second));
    }
    let at = |second| stats.snapshot(start + Duration::from_secs(second));
    assert!((0.9..1.1).contains(&at(100).rate), "{}", at(100).rate);
    assert!(at(115).rate < 0.6, "{}", at(115).rate);
    assert_eq!((at(200).rate, at(200).mean_rate), (0.0, 0.5));
}

#[test]
fn a_fast_schedule_has_its_rate_although_few_requests_are_kept() {
    let start = Instant::now();
    let mut stats = stats(start);
    for n in 1..=2000 {
        stats.report(&report(1, None), start + Duration::from_millis(n * 10));
    }
    let snapshot = stats.snapshot(start + Duration::from_secs(20));
    assert_eq!(snapshot.recent.len(), RECENT);
    assert!((95.0..105.0).contains(&snapshot.rate), "{}", snapshot.rate);
}

#[test]
fn missed_ticks_are_shown_where_they_were() {
    let now = Instant::now();
    let mut stats = stats(now);
    stats.report(&report(1, None), now);
    stats.missed(2, now);
    stats.report(&report(2, Some("status")), now);
    stats.missed(1_000_000, now);
    let snapshot = stats.snapshot(now);
    assert_eq!(snapshot.missed, 1_000_002);
    assert_eq!(snapshot.recent, [Point::Missed; RECENT]);
}
