use crate::report::Phases;

use super::*;

const INTERVAL: Duration = Duration::from_secs(1);

fn stats(now: Instant) -> TargetStats {
    TargetStats::new(
        "http://h".to_owned(),
        "http://h/status".to_owned(),
        INTERVAL,
        now,
    )
}

fn report(millis: u64, failure: Option<&'static str>) -> Event {
    let answered = !matches!(failure, Some("connect" | "timeout"));
    let sent = Sent {
        timestamp: SystemTime::UNIX_EPOCH,
        target: String::new(),
        endpoint: String::new(),
        method: "GET".to_owned(),
        duration: Duration::from_millis(millis),
        success: failure.is_none(),
        status: answered.then_some(200),
        error: failure.map(|kind| ReportError {
            kind,
            message: String::new(),
        }),
        state: None,
        revision: None,
        trace_id: None,
    };
    let report = Report {
        sent,
        reused: true,
        phases: Phases::default(),
    };
    Event::Report(0, report)
}

#[test]
fn nothing_has_no_percentiles_and_no_share() {
    let now = Instant::now();
    let summary = stats(now).summary(now);
    assert_eq!(summary.latency_seconds, Latency::default());
    assert_eq!((summary.error_share, summary.rate), (0.0, 0.0));
}

#[test]
fn a_stall_counts_for_the_requests_that_it_kept_from_being_sent() {
    let now = Instant::now();
    let mut stats = stats(now);
    for _ in 0..9 {
        stats.count(&report(10, None));
    }
    stats.count(&report(10_000, None));
    // 10 s, and for the ticks in between 9 s, 8 s ... 1 s: half of what was to be measured.
    let summary = stats.summary(now);
    let latency = summary.latency_seconds;
    assert_eq!(summary.counts.requests, 10);
    assert!((0.9..1.1).contains(&latency.p50.unwrap()), "{latency:?}");
    assert!(latency.p95.unwrap() >= 9.0, "{latency:?}");
}

#[test]
fn what_fails_before_an_answer_says_nothing_about_latency_but_a_time_out_does() {
    let now = Instant::now();
    let mut stats = stats(now);
    stats.count(&report(1, Some("connect")));
    assert_eq!(stats.summary(now).latency_seconds.p50, None);
    stats.count(&report(500, Some("timeout")));
    let p50 = stats.summary(now).latency_seconds.p50.unwrap();
    assert!((0.5..0.501).contains(&p50), "{p50}");
}

#[test]
fn failures_are_counted_by_type() {
    let now = Instant::now();
    let mut stats = stats(now);
    for failure in [None, Some("status"), Some("connect"), Some("connect")] {
        stats.count(&report(1, failure));
    }
    let summary = stats.summary(now);
    let errors: Vec<_> = summary.counts.errors.into_iter().collect();
    assert_eq!(errors, [("connect", 2), ("status", 1)]);
    assert_eq!((summary.counts.failures, summary.error_share), (3, 0.75));
    let last = summary.counts.last_error.map(|(_, error)| error.kind);
    assert_eq!(last, Some("connect"));
}

#[test]
fn n_requests_take_n_intervals() {
    let start = Instant::now();
    let mut stats = stats(start);
    let mut rate_after = |event, millis| {
        stats.count(&event);
        stats.summary(start + Duration::from_millis(millis)).rate
    };
    assert_eq!(rate_after(report(2, None), 2), 1.0);
    assert_eq!(rate_after(report(2, None), 1002), 1.0);
    assert_eq!(rate_after(report(2, None), 2002), 1.0);
    // The third stalls until 6.5 s, so three ticks are missed, and the next begins at 7 s.
    assert_eq!(rate_after(report(3500, None), 6500), 0.615);
    assert_eq!(rate_after(Event::Missed(0, 3), 7000), 0.571);
    assert_eq!(rate_after(report(2, None), 7002), 0.625);
}
