//! What is printed is read by the guidelines' own grammar.

use proptest::prelude::*;

use super::*;
use crate::check::tests::{outcome, settings};
use crate::check::{Finding, Severity, Step};

#[path = "../../tests/probe/perfdata.rs"]
mod perfdata;

use perfdata::PluginOutput;

#[test]
fn all_is_well_in_one_line() {
    let mut settings = settings();
    settings.warning = Some("0.5".parse().unwrap());
    settings.critical = Some("~:2".parse().unwrap());
    assert_eq!(
        output(&outcome(), &settings, false),
        "SPINFO OK - HTTP 200 in 3.1 ms, certificate expires in 60 days, clock +0.2 ms ± 0.9 ms (max skew 1 s) | \
         time=0.003100s;0.5;~:2;0;10 time_dns=0.000200s;;;0 time_connect=0.000300s;;;0 time_tls=0.000500s;;;0 \
         time_firstbyte=0.003000s;;;0 size=12B;;;0 offset=0.000200s;;-1:1 offset_bound=0.000900s;;;0 \
         cert=5184000s;1209600:;259200:"
    );
}

#[test]
fn the_grammar_of_the_guidelines_reads_it() {
    let parsed = PluginOutput::parse(&output(&outcome(), &settings(), true));
    assert_eq!((&*parsed.service, &*parsed.status), ("SPINFO", "OK"));
    assert!(parsed.text.starts_with("HTTP 200"), "{parsed:?}");
    let time = parsed.get("time");
    assert_eq!((time.minimum, time.maximum), (Some(0.0), Some(10.0)));
    assert_eq!(parsed.get("size").unit, "B");
    assert_eq!(parsed.get("offset").critical.as_deref(), Some("-1:1"));
    assert_eq!(parsed.get("cert").warning.as_deref(), Some("1209600:"));
    assert_eq!(parsed.long_text.len(), 7, "{parsed:#?}");
}

#[test]
fn the_worst_comes_first_and_what_was_not_measured_is_unknown() {
    let mut outcome = outcome();
    outcome.http = None;
    outcome.certificate = None;
    outcome.clock = None;
    outcome.findings = vec![
        Finding::new(Step::Http, Severity::Ok, "fine"),
        Finding::new(Step::Clock, Severity::Unknown, "unsure"),
    ];
    assert_eq!(
        output(&outcome, &settings(), false),
        "SPINFO UNKNOWN - unsure, fine | time=0.003100s;;;0;10 time_dns=U time_connect=U time_tls=U time_firstbyte=U size=U offset=U \
         offset_bound=U cert=U"
    );
}

#[test]
fn a_second_attempt_is_told() {
    let mut settings = settings();
    settings.retries = 3;
    let mut outcome = outcome();
    assert!(!output(&outcome, &settings, false).contains("attempt"));
    outcome.attempt = 2;
    assert!(output(&outcome, &settings, false).contains("(attempt 2 of 4) |"));
}

#[test]
fn what_is_rounded_to_zero_has_no_sign() {
    assert_eq!(decimal(-4e-7), "0.000000");
    assert_eq!(decimal(-6e-7), "-0.000001");
}

proptest! {
    #[test]
    fn no_message_and_no_number_breaks_the_format(
        message in "(?s).{1,80}",
        offset in -1e9_f64..1e9,
        bound in 0_f64..1e9,
        time in 0_u64..1_000_000_000_000,
        timeout in 1_u64..1_000_000_000_000,
    ) {
        let mut outcome = outcome();
        outcome.findings.push(Finding::new(Step::Clock, Severity::Critical, format!("m{message}")));
        outcome.time = Duration::from_nanos(time);
        let clock = outcome.clock.as_mut().unwrap();
        (clock.offset, clock.bound) = (offset, bound);
        let mut settings = settings();
        settings.timeout = Duration::from_nanos(timeout);
        let parsed = PluginOutput::parse(&output(&outcome, &settings, true));
        prop_assert_eq!(&parsed.status, "CRITICAL");
        prop_assert_eq!(parsed.data.len(), 9);
        prop_assert_eq!(parsed.long_text.len(), 8);
        prop_assert!((parsed.get("offset").value - offset).abs() <= 1e-6);
        prop_assert!(parsed.get("offset_bound").value >= bound - 1e-7);
    }
}
