//! The fault that `GET /status` simulates, and how a client sets it.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use spinfo_guest::names::values::StatusState;
use spinfo_guest::{Problem, StatusCode};

/// Long enough for any client's timeout.
const LONGEST_DELAY_MS: u64 = 60_000;
/// A week: a forgotten fault ends at some time.
const LONGEST_TTL_SECONDS: u64 = 7 * 24 * 60 * 60;
/// Characters.
const LONGEST_MESSAGE: usize = 256;

/// How `/status` answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Fault {
    pub(crate) code: u16,
    pub(crate) message: String,
    pub(crate) delay_ms: u64,
    /// Share of the requests that meet it; the others are spared.
    pub(crate) percent: u8,
}

impl Fault {
    /// 200 at once.
    pub(crate) fn none() -> Self {
        Self {
            code: 200,
            message: "ok".to_owned(),
            delay_ms: 0,
            percent: 100,
        }
    }

    /// 200, but half a second late: enough for an alert on latency.
    pub(crate) fn degraded() -> Self {
        Self {
            delay_ms: 500,
            message: "degraded: answers are slow".to_owned(),
            ..Self::none()
        }
    }

    /// 503 at once.
    pub(crate) fn failing() -> Self {
        Self {
            code: 503,
            message: "failing: the service is unavailable".to_owned(),
            ..Self::none()
        }
    }

    /// The state that it is reported as.
    pub(crate) fn state(&self) -> StatusState {
        match self.code {
            500.. => StatusState::Failing,
            400..500 => StatusState::Degraded,
            _ if self.delay_ms > 0 => StatusState::Degraded,
            _ => StatusState::Ok,
        }
    }

    /// Whether a request with these 64 random bits meets it.
    pub(crate) fn hits(&self, random: u64) -> bool {
        random % 100 < u64::from(self.percent)
    }
}

/// Reads `{code, message?, delay_ms?, percent?, ttl_seconds?}`.
///
/// # Errors
/// 422 that names every member with a mistake, unknown ones included.
pub(crate) fn parse(members: &Map<String, Value>) -> Result<(Fault, Option<Duration>), Problem> {
    let mut reading = Reading {
        members,
        problem: None,
    };
    for name in members.keys() {
        if !["code", "message", "delay_ms", "percent", "ttl_seconds"].contains(&name.as_str()) {
            reading.complain(
                name,
                "is not known; known are code, message, delay_ms, percent and ttl_seconds",
            );
        }
    }
    if !members.contains_key("code") {
        reading.complain("code", "is required");
    }
    let code = reading
        .number("code", 200, 599)
        .and_then(|code| u16::try_from(code).ok())
        .unwrap_or(200);
    let delay_ms = reading.number("delay_ms", 0, LONGEST_DELAY_MS).unwrap_or(0);
    let percent = reading
        .number("percent", 0, 100)
        .and_then(|share| u8::try_from(share).ok())
        .unwrap_or(100);
    let ttl = reading
        .number("ttl_seconds", 1, LONGEST_TTL_SECONDS)
        .map(Duration::from_secs);
    let message = reading
        .text("message", LONGEST_MESSAGE)
        .unwrap_or_else(|| reason(code));
    match reading.problem {
        Some(problem) => Err(problem),
        None => Ok((
            Fault {
                code,
                message,
                delay_ms,
                percent,
            },
            ttl,
        )),
    }
}

fn reason(code: u16) -> String {
    let reason = StatusCode::from_u16(code)
        .ok()
        .and_then(|status| status.canonical_reason());
    reason.map_or_else(|| code.to_string(), str::to_lowercase)
}

struct Reading<'a> {
    members: &'a Map<String, Value>,
    problem: Option<Problem>,
}

impl Reading<'_> {
    fn complain(&mut self, field: &str, detail: impl Into<String>) {
        let problem = self
            .problem
            .take()
            .unwrap_or_else(|| Problem::unprocessable("the state is not valid"));
        self.problem = Some(problem.field(field, detail));
    }

    /// `null` counts as absent, but for `code`, which is required.
    fn number(&mut self, field: &str, least: u64, most: u64) -> Option<u64> {
        let value = self
            .members
            .get(field)
            .filter(|value| field == "code" || !value.is_null())?;
        let number = value
            .as_u64()
            .filter(|number| (least..=most).contains(number));
        if number.is_none() {
            self.complain(
                field,
                format!("must be a whole number from {least} to {most}"),
            );
        }
        number
    }

    fn text(&mut self, field: &str, longest: usize) -> Option<String> {
        let value = self.members.get(field).filter(|value| !value.is_null())?;
        let text = value
            .as_str()
            .filter(|text| text.chars().count() <= longest);
        if text.is_none() {
            self.complain(
                field,
                format!("must be a text of at most {longest} characters"),
            );
        }
        text.map(str::to_owned)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_code_decides_the_state_and_then_the_delay() {
        let state = |code, delay_ms| {
            Fault {
                code,
                delay_ms,
                ..Fault::none()
            }
            .state()
        };
        assert_eq!(state(200, 0), StatusState::Ok);
        assert_eq!(state(302, 0), StatusState::Ok);
        assert_eq!(state(200, 1), StatusState::Degraded);
        assert_eq!(state(429, 0), StatusState::Degraded);
        assert_eq!(state(500, 0), StatusState::Failing);
        assert_eq!(state(599, 9), StatusState::Failing);
    }

    #[test]
    fn the_share_of_requests_is_as_asked_for() {
        let hits = |percent| {
            (0..1000)
                .filter(|&random| {
                    Fault {
                        percent,
                        ..Fault::none()
                    }
                    .hits(random)
                })
                .count()
        };
        assert_eq!((hits(0), hits(25), hits(100)), (0, 250, 1000));
    }

    #[test]
    fn absent_members_have_defaults() {
        let members = json!({"code": 503, "percent": null});
        let (fault, ttl) = parse(members.as_object().unwrap()).unwrap();
        assert_eq!(
            fault,
            Fault {
                code: 503,
                message: "service unavailable".to_owned(),
                delay_ms: 0,
                percent: 100
            }
        );
        assert_eq!(ttl, None);
    }
}
