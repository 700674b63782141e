//! The two forms of a log line.

use std::fmt::{self, Write as _};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use humantime::format_rfc3339_micros;
use opentelemetry::Context;
use opentelemetry::trace::{SpanContext, TraceContextExt as _};
use serde_json::{Map, Value};
use tracing::field::{Field, Visit};
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields};
use tracing_subscriber::registry::LookupSpan;

use super::level_name;

/// From 1970 to the end of the year 9999, the last that RFC 3339 can write.
const YEARS: Duration = Duration::from_secs(253_402_300_800);

/// `2026-01-02T03:04:05.678901Z  INFO target: message key=value trace_id=…`
pub(super) struct Text {
    pub(super) colour: bool,
}

/// `{"time":"…","level":"INFO","message":"…","target":"…","trace_id":"…","span_id":"…","fields":{…}}`
pub(super) struct Json;

impl<S, N> FormatEvent<S, N> for Text
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'w> FormatFields<'w> + 'static,
{
    fn format_event(
        &self,
        _: &FmtContext<'_, S, N>,
        mut out: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        let fields = Fields::of(event);
        let level = event.metadata().level();
        let (level_start, dim, reset) = if self.colour {
            (colour(level), "\x1b[2m", "\x1b[0m")
        } else {
            ("", "", "")
        };
        write!(
            out,
            "{dim}{}{reset} {level_start}{:>5}{reset} ",
            format_rfc3339_micros(now()),
            level_name(level)
        )?;
        write!(out, "{dim}{}:{reset}", event.metadata().target())?;
        if let Some(message) = &fields.message {
            write!(out, " {}", OneLine(message))?;
        }
        for (name, value) in &fields.others {
            match value {
                Value::String(text) if is_bare(text) => write!(out, " {dim}{name}={reset}{text}")?,
                value => write!(out, " {dim}{name}={reset}{value}")?,
            }
        }
        if let Some(span) = active_span() {
            write!(out, " {dim}trace_id={reset}{}", span.trace_id())?;
        }
        writeln!(out)
    }
}

impl<S, N> FormatEvent<S, N> for Json
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'w> FormatFields<'w> + 'static,
{
    fn format_event(
        &self,
        _: &FmtContext<'_, S, N>,
        mut out: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        let fields = Fields::of(event);
        let metadata = event.metadata();
        let mut member = Members {
            out: &mut out,
            first: true,
        };
        let time = format_rfc3339_micros(now()).to_string();
        member.write("time", &time.into())?;
        member.write("level", &level_name(metadata.level()).into())?;
        member.write("message", &fields.message.unwrap_or_default().into())?;
        member.write("target", &metadata.target().into())?;
        if let Some(span) = active_span() {
            member.write("trace_id", &span.trace_id().to_string().into())?;
            member.write("span_id", &span.span_id().to_string().into())?;
        }
        if !fields.others.is_empty() {
            member.write("fields", &Value::Object(fields.others))?;
        }
        writeln!(out, "}}")
    }
}

/// Writes the members of an object in the order that reads best, which a map does not keep.
struct Members<'a, 'w> {
    out: &'a mut Writer<'w>,
    first: bool,
}

impl Members<'_, '_> {
    fn write(&mut self, key: &str, value: &Value) -> fmt::Result {
        let before = if self.first { '{' } else { ',' };
        self.first = false;
        write!(self.out, "{before}\"{key}\":{value}")
    }
}

/// Now, or 1970 where the clock is outside of what can be written, which is no reason not to log.
fn now() -> SystemTime {
    let end = UNIX_EPOCH + YEARS;
    Some(SystemTime::now())
        .filter(|now| (UNIX_EPOCH..end).contains(now))
        .unwrap_or(UNIX_EPOCH)
}

fn active_span() -> Option<SpanContext> {
    Context::map_current(|context| {
        context
            .has_active_span()
            .then(|| context.span().span_context().clone())
            .filter(SpanContext::is_valid)
    })
}

const fn colour(level: &Level) -> &'static str {
    match *level {
        Level::ERROR => "\x1b[31m",
        Level::WARN => "\x1b[33m",
        Level::INFO => "\x1b[32m",
        Level::DEBUG => "\x1b[34m",
        Level::TRACE => "\x1b[35m",
    }
}

/// Whether a value can stand without quotes.
fn is_bare(text: &str) -> bool {
    !text.is_empty()
        && !text.contains(|c: char| c.is_whitespace() || c.is_control() || c == '"' || c == '=')
}

/// Text whose control characters are escaped: what a client sends must not forge lines or reach the terminal.
struct OneLine<'a>(&'a str);

impl fmt::Display for OneLine<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for character in self.0.chars() {
            if character.is_control() {
                write!(f, "{}", character.escape_default())?;
            } else {
                f.write_char(character)?;
            }
        }
        Ok(())
    }
}

/// The fields of an event, the message apart.
#[derive(Default)]
struct Fields {
    message: Option<String>,
    others: Map<String, Value>,
}

impl Fields {
    fn of(event: &Event<'_>) -> Self {
        let mut fields = Self::default();
        event.record(&mut fields);
        fields
    }

    fn set(&mut self, field: &Field, value: Value) {
        match (field.name(), value) {
            ("message", Value::String(message)) => self.message = Some(message),
            (name, value) => {
                self.others.insert(name.to_owned(), value);
            }
        }
    }
}

impl Visit for Fields {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.set(field, format!("{value:?}").into());
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.set(field, value.into());
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.set(field, value.into());
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.set(field, value.into());
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.set(field, value.into());
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        self.set(field, value.into());
    }

    fn record_error(&mut self, field: &Field, value: &(dyn std::error::Error + 'static)) {
        let mut text = value.to_string();
        let mut source = value.source();
        while let Some(cause) = source {
            text.push_str(": ");
            text.push_str(&cause.to_string());
            source = cause.source();
        }
        self.set(field, text.into());
    }
}
