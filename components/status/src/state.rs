//! The state, as it is kept and as it holds at a moment.

use std::time::{Duration, SystemTime};

use serde::{Deserialize, Serialize};
use spinfo_guest::names::attribute::STATUS_STATE;
use spinfo_guest::names::metric::STATUS_CHANGES;
use spinfo_guest::names::values::StatusState;
use spinfo_guest::{Answer, Cx, KeyValue, Response, Severity, StoreError, rfc3339};

use crate::fault::Fault;

const STORE: &str = "default";
const KEY: &str = "status";

/// Raised when the stored members change their meaning; a value of another schema is refused, not guessed at.
const SCHEMA: u32 = 1;

/// What the store keeps under one key.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct State {
    schema: u32,
    // Under the name that the first versions of this schema wrote.
    #[serde(rename = "wish")]
    pub(crate) fault: Fault,
    changed_at: Option<SystemTime>,
    expires_at: Option<SystemTime>,
    revision: u64,
}

impl State {
    /// Before the first change.
    fn initial() -> Self {
        Self {
            schema: SCHEMA,
            fault: Fault::none(),
            changed_at: None,
            expires_at: None,
            revision: 0,
        }
    }

    /// An expiry counts as a change that nobody had to make: the state is ok again, one revision later.
    fn at(self, now: SystemTime) -> Self {
        match self.expires_at {
            Some(expiry) if expiry <= now => Self {
                schema: SCHEMA,
                fault: Fault::none(),
                changed_at: Some(expiry),
                expires_at: None,
                revision: self.revision + 1,
            },
            _ => self,
        }
    }

    pub(crate) fn reported(&self) -> StatusState {
        self.fault.state()
    }

    /// The state for the share of requests that a `percent` below 100 spares.
    pub(crate) fn spared(&self) -> Self {
        Self {
            fault: Fault::none(),
            ..self.clone()
        }
    }

    pub(crate) fn document(&self) -> Document<'_> {
        Document {
            state: self.reported().as_str(),
            code: self.fault.code,
            message: &self.fault.message,
            changed_at: self.changed_at.map(rfc3339),
            expires_at: self.expires_at.map(rfc3339),
            revision: self.revision,
        }
    }
}

/// What `GET /status` shows. Times are RFC 3339; null before the first change and without an expiry.
#[derive(Serialize)]
pub(crate) struct Document<'a> {
    state: &'static str,
    code: u16,
    message: &'a str,
    changed_at: Option<String>,
    expires_at: Option<String>,
    revision: u64,
}

/// What the changing requests answer: the document and the settings that it doesn't show.
#[derive(Serialize)]
struct Changed<'a> {
    #[serde(flatten)]
    document: Document<'a>,
    delay_ms: u64,
    percent: u8,
}

/// The state now. Read for each request, so that no replica shows an old one.
pub(crate) async fn current(cx: &Cx) -> Result<State, StoreError> {
    let Some(bytes) = cx.store(STORE).await?.get(KEY).await? else {
        return Ok(State::initial());
    };
    let corrupt = |reason: String| StoreError::Corrupt {
        key: KEY.to_owned(),
        reason,
    };
    let state: State =
        serde_json::from_slice(&bytes).map_err(|error| corrupt(error.to_string()))?;
    if state.schema != SCHEMA {
        return Err(corrupt(format!(
            "schema {}, this version knows {SCHEMA}",
            state.schema
        )));
    }
    Ok(state.at(cx.now()))
}

/// Puts `fault` in place and answers with the new state.
///
/// The store knows no compare-and-set: of two changes at the same moment one wins, and both may get the same revision.
pub(crate) async fn change(cx: &Cx, fault: Fault, ttl: Option<Duration>) -> Answer {
    let before = match current(cx).await {
        Ok(state) => state,
        Err(StoreError::Corrupt { reason, .. }) => {
            cx.log(
                Severity::Warn,
                "unreadable state replaced",
                [KeyValue::new("reason", reason)],
            );
            State::initial()
        }
        Err(error) => return Err(error.into()),
    };
    let now = cx.now();
    let state = State {
        schema: SCHEMA,
        fault,
        changed_at: Some(now),
        expires_at: ttl.map(|ttl| now + ttl),
        revision: before.revision + 1,
    };
    let bytes = serde_json::to_vec(&state)?;
    cx.store(STORE).await?.set(KEY, &bytes).await?;

    let (from, to) = (before.reported().as_str(), state.reported().as_str());
    cx.count(&STATUS_CHANGES, 1, &[KeyValue::new(STATUS_STATE.key, to)]);
    cx.log(
        Severity::Info,
        "status changed",
        [
            KeyValue::new("spinfo.status.from", from),
            KeyValue::new(STATUS_STATE.key, to),
            KeyValue::new("spinfo.status.code", i64::from(state.fault.code)),
            KeyValue::new("spinfo.status.revision", state.revision.cast_signed()),
        ],
    );
    let changed = Changed {
        document: state.document(),
        delay_ms: state.fault.delay_ms,
        percent: state.fault.percent,
    };
    Ok(Response::json(&changed)?.header("cache-control", "no-store"))
}
