use std::io::Write;
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use opentelemetry::trace::{
    SpanContext, SpanId, TraceContextExt as _, TraceFlags, TraceId, TraceState,
};
use opentelemetry::{Context, trace};
use serde_json::Value;
use tracing::subscriber::with_default;

use super::*;

/// Where the lines of a test go.
#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// What `work` logs with `options`, on a terminal or elsewhere.
fn logged(options: &LogOptions, terminal: bool, work: impl FnOnce()) -> String {
    let lines = Lines::default();
    let writer = lines.clone();
    let subscriber = subscriber(options, None, terminal, move || writer.clone()).unwrap();
    with_default(subscriber, work);
    let bytes = lines.0.lock().unwrap().clone();
    String::from_utf8(bytes).unwrap()
}

fn in_a_span(work: impl FnOnce()) {
    let span = SpanContext::new(
        TraceId::from(0x0af7_6519_16cd_43dd_8448_eb21_1c80_319c_u128),
        SpanId::from(0xb7ad_6b71_6920_3331_u64),
        TraceFlags::SAMPLED,
        false,
        TraceState::NONE,
    );
    let _guard = Context::new().with_remote_span_context(span).attach();
    assert!(trace::get_active_span(|span| span
        .span_context()
        .is_valid()));
    work();
}

#[test]
fn json_lines_carry_time_level_target_fields_and_trace() {
    let text = logged(&LogOptions::default(), false, || {
        in_a_span(
            || tracing::warn!(target: "spinfo::test", count = 3, ok = true, name = "a \"b\"\n", "half {}", 1),
        );
        tracing::info!("no span");
    });
    let lines: Vec<Value> = text
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(lines.len(), 2, "{text}");
    let line = &lines[0];
    assert_eq!(line["level"], "WARN");
    assert_eq!(line["message"], "half 1");
    assert_eq!(line["target"], "spinfo::test");
    assert_eq!(line["trace_id"], "0af7651916cd43dd8448eb211c80319c");
    assert_eq!(line["span_id"], "b7ad6b7169203331");
    assert_eq!(
        line["fields"],
        serde_json::json!({"count": 3, "name": "a \"b\"\n", "ok": true})
    );
    let time = humantime::parse_rfc3339(line["time"].as_str().unwrap()).unwrap();
    assert!(SystemTime::now().duration_since(time).unwrap() < Duration::from_secs(60));
    assert!(
        lines[1].get("trace_id").is_none() && lines[1].get("fields").is_none(),
        "{text}"
    );
}

#[test]
fn a_terminal_gets_colour_unless_the_user_does_not_want_it() {
    let event = || tracing::error!(path = "/a b", code = 500, "it broke");
    let colourful = logged(&LogOptions::default(), true, event);
    assert!(colourful.contains("\x1b[31mERROR\x1b[0m"), "{colourful:?}");
    let plain = logged(
        &LogOptions {
            no_color: true,
            ..LogOptions::default()
        },
        true,
        event,
    );
    assert!(!plain.contains('\x1b'), "{plain:?}");
    assert!(
        plain.contains("ERROR spinfo_telemetry::logging::tests: it broke"),
        "{plain}"
    );
    assert!(
        plain.contains(r#"path="/a b""#) && plain.contains("code=500"),
        "{plain}"
    );
    let forced = logged(
        &LogOptions {
            format: LogFormat::Text,
            ..LogOptions::default()
        },
        false,
        event,
    );
    assert!(
        !forced.contains('\x1b') && forced.contains("it broke"),
        "{forced:?}"
    );
    let json = logged(
        &LogOptions {
            format: LogFormat::Json,
            ..LogOptions::default()
        },
        true,
        event,
    );
    assert!(json.starts_with('{'), "{json}");
}

#[test]
fn a_message_cannot_forge_a_line() {
    let text = logged(
        &LogOptions {
            format: LogFormat::Text,
            ..LogOptions::default()
        },
        false,
        || {
            tracing::info!(
                value = "x\ny",
                "one\n2026-01-01T00:00:00Z ERROR forged \x1b[31m"
            );
        },
    );
    assert_eq!(text.lines().count(), 1, "{text:?}");
    assert!(!text.contains('\x1b'), "{text:?}");
}

#[test]
fn the_filter_chooses_levels_by_target() {
    let events = || {
        tracing::debug!(target: "spinfo::a", "one");
        tracing::debug!(target: "other", "two");
        tracing::warn!(target: "h2", "three");
    };
    let filter = |filter: &str| LogOptions {
        filter: Some(filter.to_owned()),
        ..LogOptions::default()
    };
    assert_eq!(
        logged(&LogOptions::default(), false, events)
            .lines()
            .count(),
        1
    );
    assert_eq!(logged(&filter("DEBUG"), false, events).lines().count(), 3);
    assert_eq!(
        logged(&filter("info, spinfo=debug, h2=off"), false, events)
            .lines()
            .count(),
        1
    );
    assert_eq!(logged(&filter("off"), false, events), "");
}

#[test]
fn a_filter_that_cannot_be_read_is_an_error() {
    for filter in ["verbose", "info,,warn", "spinfo=loud", ""] {
        let why = levels(filter).map(|_| ()).unwrap_err().to_string();
        assert!(
            why.contains(&format!("log filter {filter:?}")) && why.contains("info,spinfo=debug"),
            "{why}"
        );
    }
}
