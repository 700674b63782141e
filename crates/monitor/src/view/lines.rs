//! One line for each thing that happens, for people: `--output lines`.

use std::time::SystemTime;

use super::number;
use super::style::{Line, Tone};
use crate::report::{Change, Outcome, Report, ReportError, timestamp};

/// What a line says of a request. No line end.
pub fn report(report: &Report, colour: bool) -> String {
    let took = number::duration(report.duration);
    let mut line = begin(
        report.timestamp,
        Verdict::of(report.success),
        &report.target,
    );
    match &report.error {
        None => {
            let status = report
                .status
                .map_or_else(String::new, |status| format!("{status} "));
            line.push(Tone::Plain, &format!("{status}in {took}"));
        }
        Some(error) => line.push(Tone::Bad, &failure(error, &took)),
    }
    push_state(&mut line, report.state.as_deref(), report.revision);
    if !report.reused && report.phases.connect.is_some() {
        line.push(Tone::Faint, ", new connection");
    }
    push_trace(&mut line, report.success, report.trace_id.as_deref());
    line.paint(colour)
}

/// What a line says of a change of the server's state. No line end.
pub fn change(change: &Change, colour: bool) -> String {
    let took = number::duration(change.duration);
    let puts_back = change.method == "DELETE";
    let verdict = match change.result {
        Outcome::Unsupported => Verdict::Note,
        _ => Verdict::of(change.success),
    };
    let mut line = begin(change.timestamp, verdict, &change.target);
    match change.result {
        // Nobody looks at the state after it was put back.
        Outcome::Ok if puts_back => line.push(Tone::Plain, &format!("state put back in {took}")),
        Outcome::Ok => line.push(Tone::Plain, &format!("state changed, seen after {took}")),
        Outcome::Failed => {
            let what = if puts_back {
                "putting the state back"
            } else {
                "changing the state"
            };
            line.push(Tone::Bad, &format!("{what} failed after {took}"));
        }
        Outcome::Mismatch => line.push(Tone::Bad, &format!("changed state not seen after {took}")),
        Outcome::Unsupported => {
            let status = change
                .status
                .map_or_else(String::new, |status| format!(" ({status})"));
            line.push(
                Tone::Plain,
                &format!("has no endpoint for changes{status} and is not asked for any"),
            );
        }
    }
    if let Some(error) = change.error.as_ref().filter(|_| verdict == Verdict::Fail) {
        line.push(Tone::Bad, &format!(": {}", error.message));
    }
    push_state(&mut line, change.state.as_deref(), change.revision);
    if let Some(seen) = change
        .seen_revision
        .filter(|seen| Some(*seen) != change.revision)
    {
        line.push(Tone::Plain, &format!(", revision {seen} seen"));
    }
    push_trace(
        &mut line,
        verdict != Verdict::Fail,
        change.trace_id.as_deref(),
    );
    line.paint(colour)
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Verdict {
    Ok,
    Fail,
    Note,
}

impl Verdict {
    const fn of(success: bool) -> Self {
        if success { Self::Ok } else { Self::Fail }
    }
}

/// When, how, who. Words of one width, so that what follows is under one another for one target.
fn begin(at: SystemTime, verdict: Verdict, target: &str) -> Line {
    let mut line = Line::of(Tone::Faint, &timestamp(at));
    let (tone, word) = match verdict {
        Verdict::Ok => (Tone::Good, " ok   "),
        Verdict::Fail => (Tone::Bad, " FAIL "),
        Verdict::Note => (Tone::Warning, " note "),
    };
    line.push(tone, word);
    line.push(Tone::Strong, target);
    line.push(Tone::Plain, "  ");
    line
}

fn failure(error: &ReportError, took: &str) -> String {
    format!("{} after {took}: {}", error.kind, error.message)
}

fn push_state(line: &mut Line, state: Option<&str>, revision: Option<u64>) {
    if let Some(state) = state {
        let tone = if state == "ok" {
            Tone::Plain
        } else {
            Tone::Warning
        };
        line.push(tone, &format!(", state {state}"));
    }
    if let Some(revision) = revision {
        line.push(Tone::Plain, &format!(", revision {revision}"));
    }
}

/// The trace of what went well is one of many; that of a failure is where to look.
fn push_trace(line: &mut Line, success: bool, trace_id: Option<&str>) {
    if let Some(trace_id) = trace_id.filter(|_| !success) {
        line.push(Tone::Faint, &format!(", trace {trace_id}"));
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{change, report};
    use crate::report::{Outcome, ReportError};
    use crate::view::samples;

    #[test]
    fn a_success_is_short() {
        assert_eq!(
            report(&samples::report(), false),
            "2026-11-21T11:24:00.123456Z ok   edge  200 in 3.1 ms, state degraded, revision 4"
        );
    }

    #[test]
    fn a_failure_says_what_and_where_to_look() {
        let mut failed = samples::report();
        failed.success = false;
        failed.status = None;
        failed.state = None;
        failed.revision = None;
        failed.duration = Duration::from_secs(5);
        failed.error = Some(ReportError {
            kind: "timeout",
            message: "no answer within 5s".to_owned(),
        });
        assert_eq!(
            report(&failed, false),
            "2026-11-21T11:24:00.123456Z FAIL edge  timeout after 5.00 s: no answer within 5s, \
             trace 143a7a674694e9891c008aa58d7f986d"
        );
    }

    #[test]
    fn a_new_connection_is_told() {
        let mut first = samples::report();
        first.reused = false;
        first.phases.connect = Some(Duration::from_millis(1));
        assert!(report(&first, false).ends_with(", new connection"));
    }

    #[test]
    fn one_report_stays_one_harmless_line() {
        let mut evil = samples::report();
        evil.state = Some("ok\n\u{1b}]0;owned\u{7}\u{9b}2J".to_owned());
        let line = report(&evil, true);
        assert!(
            line.contains("state ok \u{fffd}]0;owned\u{fffd}\u{fffd}2J"),
            "{line:?}"
        );
        assert!(!line.contains('\n'));
    }

    #[test]
    fn colour_is_added_and_nothing_else() {
        let painted = report(&samples::report(), true);
        assert!(
            painted.contains("\u{1b}[32m ok   \u{1b}[0m\u{1b}[1medge\u{1b}[0m"),
            "{painted:?}"
        );
    }

    #[test]
    fn changes() {
        let mut change_of = samples::change();
        assert_eq!(
            change(&change_of, false),
            "2026-11-21T11:24:00.123456Z ok   edge  state changed, seen after 120 ms, state failing, revision 5"
        );
        change_of.seen_revision = Some(7);
        assert!(change(&change_of, false).ends_with(", revision 5, revision 7 seen"));

        change_of.success = false;
        change_of.result = Outcome::Mismatch;
        change_of.seen_revision = Some(4);
        change_of.duration = Duration::from_secs(10);
        assert_eq!(
            change(&change_of, false),
            "2026-11-21T11:24:00.123456Z FAIL edge  changed state not seen after 10.0 s, state failing, revision 5, revision 4 seen, \
             trace 143a7a674694e9891c008aa58d7f986d"
        );
    }

    #[test]
    fn changes_that_were_refused() {
        let mut refused = samples::change();
        refused.success = false;
        refused.result = Outcome::Failed;
        refused.error = Some(ReportError {
            kind: "status",
            message: "401 Unauthorized".to_owned(),
        });
        (refused.state, refused.revision, refused.seen_revision) = (None, None, None);
        assert_eq!(
            change(&refused, false),
            "2026-11-21T11:24:00.123456Z FAIL edge  changing the state failed after 120 ms: 401 Unauthorized, \
             trace 143a7a674694e9891c008aa58d7f986d"
        );

        refused.method = "DELETE";
        assert!(
            change(&refused, false)
                .contains("edge  putting the state back failed after 120 ms: 401")
        );

        refused.method = "POST";
        refused.result = Outcome::Unsupported;
        refused.status = Some(404);
        assert_eq!(
            change(&refused, false),
            "2026-11-21T11:24:00.123456Z note edge  has no endpoint for changes (404) and is not asked for any"
        );
    }

    #[test]
    fn the_end_of_a_run() {
        let mut back = samples::change();
        back.method = "DELETE";
        back.state = Some("ok".to_owned());
        assert_eq!(
            change(&back, false),
            "2026-11-21T11:24:00.123456Z ok   edge  state put back in 120 ms, state ok, revision 5"
        );
    }
}
