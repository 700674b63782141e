//! The Collector is gone: requests don't notice, memory doesn't grow, and nothing is lost without being counted.

use std::time::{Duration, Instant};

use http::Request;
use spinfo_proof::stack::{Checks, Stack, wait};
use spinfo_tests::{Client, Host};

use crate::load::Load;

/// How long there is load before the outage and after it.
const AROUND: Duration = Duration::from_secs(10);
/// How long the Collector is gone.
const OUTAGE: Duration = Duration::from_secs(30);
/// What half of the requests, and the slowest of a hundred, may take longer on a machine that is busy with the stack. A request
/// that waited for the Collector would take seconds.
const LEEWAY: (Duration, Duration) = (Duration::from_millis(5), Duration::from_millis(50));
/// Growth of the host's memory that is no leak: queues of 2048 spans and log records fill, and allocators keep some.
const GROWTH: u64 = 32 << 20;

/// After this the Collector has decided to keep a failed request's trace: the host's delay before an export, the
/// `decision_wait` of tail_sampling, and room. What is undecided is only in memory.
const DECISION: Duration = Duration::from_secs(8);

/// The receiver's count of spans by OTLP/gRPC, which only hosts speak.
const ACCEPTED: &str = "otelcol_receiver_accepted_spans_total{";
const DROPPED: &str = "spinfo_telemetry_spans_dropped_total";

/// Under constant load the Collector stops for half a minute.
pub(crate) fn load_does_not_notice_an_outage(
    stack: &Stack,
    host: &Host,
    instance: &str,
    checks: &Checks,
) {
    let load = Load::start(host.address);
    let begun = Instant::now();
    let mut failures = Failures::new(host);
    failures.make_for(AROUND, |_| {});
    let memory = host.resident_memory();
    let gone = Instant::now();
    stack.collector.stop();
    let mut most = memory;
    let mut during = Failures::new(host);
    during.make_for(OUTAGE, |host| most = most.max(host.resident_memory()));
    let dropped = count(host.admin("/metrics").text(), DROPPED, "");
    let back = Instant::now();
    stack.collector.restart();
    let restarted = Instant::now();
    failures.make_for(AROUND, |host| most = most.max(host.resident_memory()));
    let end = Instant::now();
    let answers = load.stop();
    let requests = answers.count() + failures.traces.len() + during.traces.len();

    let phases = [
        ("before", begun, gone),
        ("during", gone, back),
        ("after", restarted, end),
    ];
    let phases = phases.map(|(name, from, to)| (name, answers.quantiles(from, to)));
    checks.say(&format!(
        "        {requests} requests, median and 99th percentile {phases:?}, {dropped} spans dropped, {} MiB before and at most {} MiB",
        memory >> 20,
        most >> 20
    ));
    let before = phases[0].1;
    for (name, (median, slowest)) in phases {
        assert!(
            median <= before.0 * 2 + LEEWAY.0 && slowest <= before.1 * 2 + LEEWAY.1,
            "{name}: {median:?} and {slowest:?}, before {before:?}"
        );
    }
    assert!(
        most < memory + GROWTH,
        "{} MiB, then {} MiB",
        memory >> 20,
        most >> 20
    );
    assert!(
        dropped > 0.0,
        "more spans than fit into the queue were made, and none is counted as dropped"
    );
    wait::until("a request that was made during the outage", || {
        let tempo = stack.tempo();
        let known = during.traces.iter().any(|trace| tempo.trace(trace).is_ok());
        known
            .then_some(())
            .ok_or_else(|| "none is in Tempo".to_owned())
    });
    let query = format!(r#"http_server_request_duration_seconds_count{{instance="{instance}"}}"#);
    wait::until_equal("the count of all requests", &Some(requests as f64), || {
        stack.prometheus().value(&query)
    });
}

/// The Collector dies while nothing is under way: what the host makes until it is back arrives, or is counted as dropped.
pub(crate) fn spans_arrive_or_are_counted(stack: &Stack, host: &Host, checks: &Checks) {
    let accepted = || {
        let page = stack.collector_metrics().get("/metrics", &[])?;
        Ok::<_, String>(count(page.text(), ACCEPTED, r#"transport="grpc""#))
    };
    quiet(accepted);
    stack.collector.kill();
    let already = count(host.admin("/metrics").text(), DROPPED, "");
    let load = Load::start(host.address);
    let mut failures = Failures::new(host);
    // Twice as many spans as the queue holds.
    failures.make_for(Duration::from_secs(20), |_| {});
    let requests = load.stop().count() + failures.traces.len();
    stack.collector.restart();
    // The request's span and the component's.
    let made = 2.0 * requests as f64;
    wait::until("all spans to arrive or to be counted", || {
        let arrived = accepted()?;
        let dropped = count(host.admin("/metrics").text(), DROPPED, "") - already;
        if arrived + dropped == made && dropped > 0.0 {
            checks.say(&format!(
                "        {made} spans made, {arrived} arrived, {dropped} dropped"
            ));
            Ok(())
        } else {
            Err(format!(
                "{made} spans made, {arrived} arrived, {dropped} dropped"
            ))
        }
    });
}

/// Waits until a counter stands still for longer than the host waits before an export.
fn quiet(mut counter: impl FnMut() -> Result<f64, String>) {
    let mut last = (f64::NAN, Instant::now());
    wait::until("the last spans of earlier requests", || {
        let now = counter()?;
        if now != last.0 {
            last = (now, Instant::now());
        }
        if last.1.elapsed() > Duration::from_secs(3) {
            Ok(())
        } else {
            Err(format!("{now} spans"))
        }
    });
}

/// The sum of a metric's values on a page of metrics, of the lines with `label`.
fn count(page: &str, metric: &str, label: &str) -> f64 {
    let lines = page
        .lines()
        .filter(|line| line.starts_with(metric) && line.contains(label));
    let value = |line: &str| {
        line.split(" # ")
            .next()?
            .rsplit_once(' ')?
            .1
            .parse::<f64>()
            .ok()
    };
    lines.filter_map(value).sum()
}

/// Requests that fail, whose traces are kept whatever else there is.
struct Failures<'a> {
    host: &'a Host,
    traces: Vec<String>,
}

impl<'a> Failures<'a> {
    fn new(host: &'a Host) -> Self {
        Self {
            host,
            traces: Vec::new(),
        }
    }

    /// One each half second; calls `each` after each.
    fn make_for(&mut self, time: Duration, mut each: impl FnMut(&Host)) {
        let mut client = Client::connect(self.host.address);
        let end = Instant::now() + time;
        while Instant::now() < end {
            let request = Request::get("/status/500").body(Vec::new());
            let answer = client.send(request.expect("a good request"));
            assert_eq!(answer.status, 500, "{answer:?}");
            self.traces.push(answer.trace_id().to_owned());
            each(self.host);
            std::thread::sleep(Duration::from_millis(500));
        }
    }
}

/// Tempo is gone, and the Collector restarts meanwhile: what it had taken is delivered when Tempo is back.
pub(crate) fn the_queue_outlives_the_collector(stack: &Stack, host: &Host) {
    stack.tempo.stop();
    let made = Instant::now();
    let mut client = Client::connect(host.address);
    let request = Request::get("/status/500").body(Vec::new());
    let trace = client
        .send(request.expect("a good request"))
        .trace_id()
        .to_owned();
    wait::until("the trace in the Collector's queue", || {
        let page = stack.collector_metrics().get("/metrics", &[])?;
        let waiting = count(
            page.text(),
            "otelcol_exporter_queue_size{",
            "otlp_grpc/tempo",
        );
        if waiting > 0.0 && made.elapsed() > DECISION {
            Ok(())
        } else {
            Err(format!("{waiting} bytes wait"))
        }
    });
    stack.collector.stop();
    stack.collector.start();
    stack.tempo.start();
    stack.collector.wait_until_ready();
    stack.tempo.wait_until_ready();
    wait::until("the trace after both are back", || {
        stack.tempo().trace(&trace).map(drop)
    });
}
