//! The state, as it is kept and as it holds at a moment.

use std::time::{Duration, SystemTime};

use serde::{Deserialize, Serialize};
use spinfo_guest::{
    Answer, Cx, KeyValue, Metric, Problem, Response, Severity, StoreError, rfc3339,
};

use crate::wish::Wish;

const STORE: &str = "default";
const KEY: &str = "status";

/// Raised when the stored members change their meaning; a value of another schema is refused, not guessed at.
const SCHEMA: u32 = 1;

const CHANGES: Metric = Metric {
    name: "spinfo.status.changes",
    unit: "{change}",
    description: "Changes of the simulated state, by the state they led to.",
    buckets: &[],
};

/// Stages that `POST /status/change` goes through, and the names under which any state is reported.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Stage {
    /// Below 400 and without a delay.
    Ok,
    /// Usable, but slow or with a 4xx code.
    Degraded,
    /// A 5xx code.
    Failing,
}

impl Stage {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Degraded => "degraded",
            Self::Failing => "failing",
        }
    }
}

/// What the store keeps under one key.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct State {
    schema: u32,
    pub(crate) wish: Wish,
    changed_at: Option<SystemTime>,
    expires_at: Option<SystemTime>,
    revision: u64,
}

impl State {
    /// Before the first change.
    fn initial() -> Self {
        Self {
            schema: SCHEMA,
            wish: Wish::ok(),
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
                wish: Wish::ok(),
                changed_at: Some(expiry),
                expires_at: None,
                revision: self.revision + 1,
            },
            _ => self,
        }
    }

    pub(crate) fn stage(&self) -> Stage {
        self.wish.stage()
    }

    /// The state for the share of requests that a `percent` below 100 spares.
    pub(crate) fn spared(&self) -> Self {
        Self {
            wish: Wish::ok(),
            ..self.clone()
        }
    }

    pub(crate) fn document(&self) -> Document<'_> {
        Document {
            state: self.stage(),
            code: self.wish.code,
            message: &self.wish.message,
            changed_at: self.changed_at.map(rfc3339),
            expires_at: self.expires_at.map(rfc3339),
            revision: self.revision,
        }
    }
}

/// What `GET /status` shows. Times are RFC 3339; null before the first change and without an expiry.
#[derive(Serialize)]
pub(crate) struct Document<'a> {
    state: Stage,
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

/// Puts `wish` in place and answers with the new state.
///
/// The store knows no compare-and-set: of two changes at the same moment one wins, and both may get the same revision.
pub(crate) async fn change(cx: &Cx, wish: Wish, ttl: Option<Duration>) -> Answer {
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
        wish,
        changed_at: Some(now),
        expires_at: ttl.map(|ttl| now + ttl),
        revision: before.revision + 1,
    };
    let bytes = serde_json::to_vec(&state).map_err(Problem::internal)?;
    cx.store(STORE).await?.set(KEY, &bytes).await?;

    let (from, to) = (before.stage().name(), state.stage().name());
    cx.count(&CHANGES, 1, &[KeyValue::new("spinfo.status.state", to)]);
    cx.log(
        Severity::Info,
        "status changed",
        [
            KeyValue::new("spinfo.status.from", from),
            KeyValue::new("spinfo.status.state", to),
            KeyValue::new("spinfo.status.code", i64::from(state.wish.code)),
            KeyValue::new("spinfo.status.revision", state.revision.cast_signed()),
        ],
    );
    let changed = Changed {
        document: state.document(),
        delay_ms: state.wish.delay_ms,
        percent: state.wish.percent,
    };
    Ok(Response::json(&changed)?.header("cache-control", "no-store"))
}
