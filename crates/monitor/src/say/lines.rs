//! One line for people for each thing that happens: when, how, at which endpoint, and what came of it.

use std::time::SystemTime;

use super::number;
use super::text::{Line, Tone};
use crate::report::{Change, Outcome, Report, ReportError};

/// What a line says of a request.
pub(super) fn report(report: &Report, colour: bool) -> String {
    let verdict = Verdict::of(report.sent.success);
    let mut line = begin(
        colour,
        report.sent.timestamp,
        verdict,
        &report.sent.endpoint,
    );
    let status = report.sent.status.map(|status| status.to_string());
    let status = status.as_deref().unwrap_or("---");
    let took = number::duration(report.sent.duration.as_secs_f64());
    line.push(Tone::Plain, &format!(" {status} {took:>6}"));
    match &report.sent.error {
        Some(error) => line.push(Tone::Bad, &format!(" {}", reason(error, status))),
        None => push_state(
            &mut line,
            report.sent.state.as_deref(),
            report.sent.revision,
        ),
    }
    push_trace(&mut line, verdict, report.sent.trace_id.as_deref());
    line.finish()
}

/// The status stands before it already.
fn reason(error: &ReportError, status: &str) -> String {
    let message = error.message.as_str();
    match message.strip_prefix(status).map(str::trim_start) {
        Some(rest) if error.kind == "status" => rest.to_owned(),
        _ => format!("{}: {message}", error.kind),
    }
}

/// What a line says of a change of the server's state: at the time when its outcome was known, as it stands below the request that
/// showed it.
pub(super) fn change(change: &Change, colour: bool) -> String {
    let verdict = match change.result {
        Outcome::Unsupported => Verdict::Note,
        _ => Verdict::of(change.sent.success),
    };
    let mut line = begin(
        colour,
        change.sent.timestamp + change.sent.duration,
        verdict,
        &change.sent.endpoint,
    );
    let took = number::duration(change.sent.duration.as_secs_f64());
    let error = change.sent.error.as_ref();
    let reason = error.map_or("", |error| error.message.as_str());
    match (change.result, change.sent.method.as_str()) {
        // Nobody looks at the state after it was put back.
        (Outcome::Ok, "DELETE") => line.push(Tone::Plain, &format!(" state put back in {took}")),
        (Outcome::Ok, _) => {
            line.push(Tone::Plain, " changed to");
            push_state(
                &mut line,
                change.sent.state.as_deref(),
                change.sent.revision,
            );
            line.push(Tone::Plain, &format!(", seen after {took}"));
            if let Some(seen) = change.seen_revision
                && change.seen_revision != change.sent.revision
            {
                line.push(Tone::Plain, &format!(" with revision {seen}"));
            }
        }
        (Outcome::Failed, method) => line.push(
            Tone::Bad,
            &format!(" {method} failed after {took}: {reason}"),
        ),
        (Outcome::Mismatch, _) => line.push(
            Tone::Bad,
            &format!(" change not seen after {took}: {reason}"),
        ),
        (Outcome::Unsupported, _) => line.push(
            Tone::Plain,
            " the server has no endpoint for changes: none is asked for",
        ),
    }
    push_trace(&mut line, verdict, change.sent.trace_id.as_deref());
    line.finish()
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Verdict {
    Ok,
    Fail,
    Note,
}

impl Verdict {
    fn of(success: bool) -> Self {
        if success { Self::Ok } else { Self::Fail }
    }
}

/// Words of one width, so that what follows stands in columns.
fn begin(colour: bool, at: SystemTime, verdict: Verdict, endpoint: &str) -> Line {
    let mut line = Line::new(colour);
    // Whoever watches knows the date.
    let at = humantime::format_rfc3339_millis(at).to_string();
    line.push(Tone::Faint, at.split('T').next_back().unwrap_or_default());
    let (tone, word) = match verdict {
        Verdict::Ok => (Tone::Good, " ok   "),
        Verdict::Fail => (Tone::Bad, " FAIL "),
        Verdict::Note => (Tone::Warning, " note "),
    };
    line.push(tone, word);
    line.push(Tone::Strong, endpoint);
    line
}

fn push_state(line: &mut Line, state: Option<&str>, revision: Option<u64>) {
    if let (Some(state), Some(revision)) = (state, revision) {
        let tone = match state {
            "ok" => Tone::Plain,
            _ => Tone::Warning,
        };
        line.push(tone, &format!(" {state}"));
        line.push(Tone::Plain, &format!(" (revision {revision})"));
    }
}

/// The trace of what went well is one of many; that of a failure is where to look.
fn push_trace(line: &mut Line, verdict: Verdict, trace_id: Option<&str>) {
    if let Some(trace_id) = trace_id.filter(|_| verdict == Verdict::Fail) {
        line.push(Tone::Faint, &format!(", trace {trace_id}"));
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::report::{Phases, Sent};

    /// 2026-11-21T11:24:00.123456Z
    fn now() -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_micros(1_795_260_240_123_456)
    }

    fn sent(path: &str, error: Option<ReportError>) -> Sent {
        Sent {
            timestamp: now(),
            target: "http://h".to_owned(),
            endpoint: format!("http://h{path}"),
            method: "POST".to_owned(),
            duration: Duration::from_micros(3_140),
            success: error.is_none(),
            status: Some(200),
            error,
            state: Some("degraded".to_owned()),
            revision: Some(4),
            trace_id: Some("143a7a674694e9891c008aa58d7f986d".to_owned()),
        }
    }

    fn sample() -> Report {
        Report {
            sent: sent("/status", None),
            reused: true,
            phases: Phases::default(),
        }
    }

    fn sample_change(result: Outcome, error: Option<ReportError>) -> Change {
        Change {
            sent: sent("/status/change", error),
            result,
            seen_revision: Some(4),
        }
    }

    fn error(kind: &'static str, message: &str) -> Option<ReportError> {
        Some(ReportError {
            kind,
            message: message.to_owned(),
        })
    }

    fn failed(status: Option<u16>, kind: &'static str, message: &str) -> String {
        let mut report = sample();
        report.sent = Sent {
            status,
            ..sent("/status", error(kind, message))
        };
        super::report(&report, false)
    }

    #[test]
    fn a_success_is_short() {
        assert_eq!(
            report(&sample(), false),
            "11:24:00.123Z ok   http://h/status 200 3.1 ms degraded (revision 4)"
        );
    }

    #[test]
    fn a_failure_says_what_and_where_to_look() {
        assert_eq!(
            failed(None, "timeout", "no answer within 5s"),
            "11:24:00.123Z FAIL http://h/status --- 3.1 ms timeout: no answer within 5s, \
             trace 143a7a674694e9891c008aa58d7f986d"
        );
        assert_eq!(
            failed(
                Some(503),
                "status",
                "503 Service Unavailable: the server's state is failing"
            ),
            "11:24:00.123Z FAIL http://h/status 503 3.1 ms Service Unavailable: the server's state is failing, \
             trace 143a7a674694e9891c008aa58d7f986d"
        );
    }

    #[test]
    fn one_report_stays_one_harmless_line() {
        let mut evil = sample();
        evil.sent.state = Some("ok\n\u{1b}]0;owned\u{7}\u{9b}2J".to_owned());
        let line = report(&evil, true);
        assert!(
            line.contains("ok \u{fffd}]0;owned\u{fffd}\u{fffd}2J"),
            "{line:?}"
        );
        assert!(!line.contains('\n'));
        let line = failed(None, "tls", "bad\r\nname \u{1b}[2J");
        assert!(line.contains("tls: bad name \u{fffd}[2J,"), "{line:?}");
    }

    #[test]
    fn colour_is_added_and_nothing_else() {
        let painted = report(&sample(), true);
        assert!(
            painted.contains("\u{1b}[32m ok   \u{1b}[0m\u{1b}[1mhttp://h/status\u{1b}[0m 200"),
            "{painted:?}"
        );
    }

    #[test]
    fn changes() {
        let line = |change: &Change| {
            let line = super::change(change, false);
            line.replace("11:24:00.126Z ", "")
        };
        let mut change = sample_change(Outcome::Ok, None);
        assert_eq!(
            line(&change),
            "ok   http://h/status/change changed to degraded (revision 4), seen after 3.1 ms"
        );
        change.seen_revision = Some(7);
        assert!(line(&change).ends_with(", seen after 3.1 ms with revision 7"));

        change.sent.method = "DELETE".to_owned();
        assert_eq!(
            line(&change),
            "ok   http://h/status/change state put back in 3.1 ms"
        );

        change.result = Outcome::Unsupported;
        assert_eq!(
            line(&change),
            "note http://h/status/change the server has no endpoint for changes: none is asked for"
        );
    }

    #[test]
    fn changes_that_came_to_nothing() {
        let nothing = |result, message: &str| {
            let change = sample_change(result, error("body", message));
            super::change(&change, false)
        };
        assert_eq!(
            nothing(
                Outcome::Mismatch,
                "revision 4 is still shown, 5 was promised"
            ),
            "11:24:00.126Z FAIL http://h/status/change change not seen after 3.1 ms: revision 4 is still shown, 5 was promised, \
             trace 143a7a674694e9891c008aa58d7f986d"
        );
        assert_eq!(
            nothing(Outcome::Failed, "401 Unauthorized"),
            "11:24:00.126Z FAIL http://h/status/change POST failed after 3.1 ms: 401 Unauthorized, \
             trace 143a7a674694e9891c008aa58d7f986d"
        );
    }
}
