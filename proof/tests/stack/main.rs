//! The real Collector, Tempo, Prometheus, Loki and Alertmanager with the configuration files of otel/, and the real host
//! and components before them.

mod alert;
mod drive;
mod explore;
mod files;
mod grafana;
mod links;
mod load;
mod logs;
mod metrics;
mod outage;
mod queries;
mod scrape;
mod traces;
mod trouble;
mod watch;

use spinfo_proof::stack::{Checks, Stack};
use spinfo_tests::{Host, Up};

/// `service.instance.id` of the host whose requests are counted, and of the one under load.
const COUNTED: &str = "counted";
const LOADED: &str = "loaded";

#[test]
#[ignore = "needs the programs of proof/backends/install, and minutes"]
fn one_request_can_be_followed_through_the_stack() {
    let checks = Checks::default();
    // Builds and compiles what is not yet, so that hosts report soon after Prometheus has begun to miss them.
    drop(Up::spinfo().start());
    let stack = Stack::start();
    checks.say("the stack is ready");
    let host = stack.spinfo(COUNTED).start();
    let failing = stack.spinfo("failing").start();
    let watch = watch::start(&stack);
    checks.say("the hosts serve");
    std::thread::scope(|threads| {
        let alert = threads.spawn(|| {
            checks.run("traps make an alert", || {
                alert::traps_make_an_alert(&stack, &failing, &checks);
            });
        });
        follow(&stack, &host, &checks);
        checks.run("the probe reports", || watch::the_probe_reports(&stack));
        checks.run("the monitor reports", || watch::the_monitor_reports(&stack));
        // What follows counts all spans that reach the Collector.
        drop(watch);
        alert.join().expect("checks don't panic");
        // The alert's end takes minutes, and not the Collector.
        let resolving = threads.spawn(|| {
            checks.run("the alert resolves", || {
                alert::the_alert_resolves(&stack, &checks);
            });
        });
        lose(&stack, &checks);
        look(&stack, &checks);
        resolving.join().expect("checks don't panic");
    });
    checks.finish(|| stack.logs());
}

/// From requests to what each backend says about them.
fn follow(stack: &Stack, host: &Host, checks: &Checks) {
    let Some(driven) = checks.run("requests in turn", || drive::in_turn(host)) else {
        return;
    };
    let driven = &driven;
    checks.run("one request is one trace", || {
        traces::one_request_is_one_trace(stack, driven);
    });
    checks.run("requests at once", || drive::at_once(host));
    checks.run("requests turned away", || {
        trouble::requests_are_turned_away(stack);
    });
    checks.run("requests are counted exactly", || {
        metrics::requests_are_counted_exactly(stack, COUNTED, 1);
    });
    checks.run("more requests", || {
        drive::in_turn(host);
        drive::at_once(host);
    });
    checks.run("more requests are counted exactly", || {
        metrics::requests_are_counted_exactly(stack, COUNTED, 2);
    });
    checks.run("traps, uploads and words are counted exactly", || {
        metrics::deeds_are_counted_exactly(stack, COUNTED, 2);
    });
    checks.run("log lines are found by their trace", || {
        logs::lines_are_found_by_trace(stack, driven)
    });
    checks.run("TraceQL finds edges", || {
        traces::edges_are_found_by_structure(stack, driven)
    });
    checks.run("failed and slow requests are kept", || {
        traces::errors_and_slow_ones_are_kept(stack, driven)
    });
    checks.run("credentials of a client are kept nowhere", || {
        traces::credentials_of_a_client_are_kept_nowhere(stack, driven);
    });
    checks.run("the Collector redacts", || {
        traces::the_collector_redacts(stack)
    });
    checks.run("exemplars name traces", || {
        metrics::exemplars_name_traces(stack, COUNTED)
    });
    checks.run("a trace leads to its lines", || {
        links::a_trace_leads_to_its_lines(stack, driven)
    });
    checks.run("a trace leads to its metrics", || {
        links::a_trace_leads_to_its_metrics(stack, driven)
    });
    checks.run("a line leads to its trace", || {
        links::a_line_leads_to_its_trace(stack, driven)
    });
    checks.run("an exemplar leads to its trace", || {
        links::an_exemplar_leads_to_its_trace(stack)
    });
    checks.run("links of panels lead somewhere", || {
        explore::links_of_panels_lead_somewhere(stack);
    });
    checks.run("a Prometheus can scrape the host", || {
        scrape::a_prometheus_can_scrape_the_host(stack, host)
    });
    checks.run("traces become metrics", || {
        metrics::traces_become_metrics(stack)
    });
}

/// What happens without the Collector, and without Tempo.
fn lose(stack: &Stack, checks: &Checks) {
    let host = stack.spinfo(LOADED).start();
    checks.run("load does not notice an outage", || {
        outage::load_does_not_notice_an_outage(stack, &host, LOADED, checks);
    });
    checks.run("spans arrive or are counted", || {
        outage::spans_arrive_or_are_counted(stack, &host, checks);
    });
    checks.run("the queue outlives the Collector", || {
        outage::the_queue_outlives_the_collector(stack, &host);
    });
}

/// What rules and dashboards make of all that.
fn look(stack: &Stack, checks: &Checks) {
    checks.run("rules are healthy", || metrics::rules_are_healthy(stack));
    checks.run("rules ask about what exists", || {
        queries::rules_ask_about_what_exists(stack);
    });
    checks.run("dashboards have data", || {
        queries::dashboards_have_data(stack)
    });
    checks.run("nothing has come that the list misses", || {
        queries::nothing_has_come_that_the_list_misses(stack);
    });
    checks.run("alerts have a reason", || {
        alert::alerts_have_a_reason(stack)
    });
}
